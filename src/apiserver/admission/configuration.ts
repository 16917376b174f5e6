import { parse } from 'yaml'
import type { core } from '#api'
import { dns1123Subdomain } from '#api'
import type { Causes } from '../registry/validation/causes.ts'
import { validateTolerations } from '../registry/validation/pod/scheduling.ts'
import type { EventLimit } from './event-rate-limit.ts'
import { limitTypes } from './event-rate-limit.ts'
import type { PodSecurityMode, PodSecurityPolicy } from './pod-security-policy.ts'
import type { TolerationRules } from './pod-tolerations.ts'
import { levelOf, versionOf, wrongLevel, wrongVersion } from './pod-security-policy.ts'
import type { PodSecurityOptions } from './pod-security.ts'

/** What an AdmissionConfiguration says, by plugin. */
export interface AdmissionConfiguration {
  podSecurity?: PodSecurityOptions
  eventLimits?: readonly EventLimit[]
  /** Node selectors by namespace; `clusterDefaultNodeSelector` for the others. */
  nodeSelectors?: Readonly<Record<string, string>>
  /** What pods tolerate, and may, in namespaces that do not say it themselves. */
  tolerations?: TolerationRules
}

type Fields = Record<string, unknown>

/** An AdmissionConfiguration as JSON that stands for itself: `read` gets the files that its plugins name by `path`. Rejects with Error that names what is wrong. */
export async function embedPluginFiles(text: string, read: (path: string) => Promise<string>): Promise<string> {
  const root = fieldsOf(parse(text), 'admission control configuration')
  const plugins = await Promise.all(
    listOf(root['plugins'], 'plugins').map(async (each, i) => {
      const { path, ...plugin } = fieldsOf(each, `plugins[${i}]`)
      if (!path || plugin['configuration']) return plugin
      return { ...plugin, configuration: parse(await read(String(path))) as unknown }
    }),
  )
  const embedded = JSON.stringify({ ...root, plugins })
  parseAdmissionConfiguration(embedded)
  return embedded
}

/** Reads an AdmissionConfiguration of apiserver.config.k8s.io/v1 (YAML or JSON) that names no files. Throws Error that names the plugin and the field that is wrong. */
export function parseAdmissionConfiguration(text: string): AdmissionConfiguration {
  const root = fieldsOf(parse(text), 'admission control configuration')
  if (root['kind'] !== 'AdmissionConfiguration' || !/^apiserver\.config\.k8s\.io\/v1(alpha1)?$/.test(String(root['apiVersion'])))
    throw new Error('admission control configuration: an AdmissionConfiguration of apiserver.config.k8s.io/v1 is expected')
  only(root, ['kind', 'apiVersion', 'plugins'], 'admission control configuration')
  const made: AdmissionConfiguration = {}
  for (const [i, each] of listOf(root['plugins'], 'plugins').entries()) {
    const plugin = fieldsOf(each, `plugins[${i}]`)
    only(plugin, ['name', 'configuration'], `plugins[${i}]`)
    const { name, configuration: given } = plugin
    if (given === undefined || given === null) continue
    const reader = readers[String(name)]
    if (!reader) throw new Error(`admission control configuration: plugins[${i}]: nothing is read for the plugin ${JSON.stringify(name)}`)
    Object.assign(made, reader(fieldsOf(given, String(name)), String(name)))
  }
  return made
}

const readers: Record<string, (given: Fields, at: string) => AdmissionConfiguration> = {
  PodSecurity: (given, at) => ({ podSecurity: podSecurityOf(given, at) }),
  EventRateLimit: (given, at) => ({ eventLimits: eventLimitsOf(given, at) }),
  PodTolerationRestriction: (given, at) => ({ tolerations: tolerationRulesOf(given, at) }),
  PodNodeSelector: (given, at) => ({ nodeSelectors: selectorsOf(given, at) }),
}

function podSecurityOf(given: Fields, at: string): PodSecurityOptions {
  expect(given, 'PodSecurityConfiguration', /^pod-security\.admission\.config\.k8s\.io\/v1(alpha1|beta1)?$/, at)
  only(given, ['kind', 'apiVersion', 'defaults', 'exemptions'], at)
  const defaults = fieldsOf(given['defaults'] ?? {}, `${at}: defaults`)
  const modes: readonly PodSecurityMode[] = ['enforce', 'audit', 'warn']
  only(
    defaults,
    modes.flatMap((mode) => [mode, `${mode}-version`]),
    `${at}: defaults`,
  )
  const standard = (mode: PodSecurityMode) => {
    const level = defaults[mode] || 'privileged'
    const version = defaults[`${mode}-version`] || 'latest'
    const known = levelOf(String(level))
    const minor = versionOf(String(version))
    if (!known) throw invalid(at, `defaults.${mode}`, level, wrongLevel)
    if (minor === undefined) throw invalid(at, `defaults.${mode}-version`, version, wrongVersion)
    return { level: known, version: minor }
  }
  const policy: PodSecurityPolicy = { enforce: standard('enforce'), audit: standard('audit'), warn: standard('warn') }
  const exemptions = fieldsOf(given['exemptions'] ?? {}, `${at}: exemptions`)
  const lists = ['usernames', 'namespaces', 'runtimeClasses'] as const
  only(exemptions, lists, `${at}: exemptions`)
  const named = Object.fromEntries(lists.map((list) => [list, namesOf(exemptions[list], `exemptions.${list}`, at, list !== 'usernames')]))
  return { defaults: policy, exemptions: named }
}

function namesOf(given: unknown, field: string, at: string, checked: boolean): string[] {
  const names = listOf(given, `${at}: ${field}`)
  const seen = new Set<unknown>()
  for (const [i, name] of names.entries()) {
    const where = `${field}[${i}]`
    if (typeof name !== 'string' || name === '') throw new Error(`${at}: ${where}: Required value`)
    const wrong = checked ? dns1123Subdomain(name) : []
    if (wrong.length > 0) throw invalid(at, where, name, wrong.join(', '))
    if (seen.has(name)) throw new Error(`${at}: ${where}: Duplicate value: ${JSON.stringify(name)}`)
    seen.add(name)
  }
  return names as string[]
}

function eventLimitsOf(given: Fields, at: string): EventLimit[] {
  expect(given, 'Configuration', /^eventratelimit\.admission\.k8s\.io\/v1alpha1$/, at)
  only(given, ['kind', 'apiVersion', 'limits'], at)
  const limits = listOf(given['limits'], `${at}: limits`)
  if (limits.length === 0) throw new Error(`${at}: limits: must not be empty`)
  return limits.map((each, i) => {
    const limit = fieldsOf(each, `${at}: limits[${i}]`)
    only(limit, ['type', 'qps', 'burst', 'cacheSize'], `${at}: limits[${i}]`)
    const { type, qps, burst, cacheSize = 0 } = limit
    const known = limitTypes.find((name) => name === type)
    if (!known) throw new Error(`${at}: limits[${i}].type: Unsupported value: ${JSON.stringify(type)}: supported values: ${limitTypes.join(', ')}`)
    for (const [name, value, least, why] of [
      ['qps', qps, 1, 'must be positive'],
      ['burst', burst, 1, 'must be positive'],
      ['cacheSize', cacheSize, 0, 'must not be negative'],
    ] as const)
      if (!Number.isInteger(value) || (value as number) < least) throw invalid(at, `limits[${i}].${name}`, value, why)
    return { type: known, qps: qps as number, burst: burst as number, cacheSize: cacheSize as number }
  })
}

function tolerationRulesOf(given: Fields, at: string): TolerationRules {
  expect(given, 'Configuration', /^podtolerationrestriction\.admission\.k8s\.io\/v1alpha1$/, at)
  only(given, ['kind', 'apiVersion', 'default', 'whitelist'], at)
  const rules: TolerationRules = {}
  for (const list of ['default', 'whitelist'] as const) {
    if (given[list] === undefined) continue
    const tolerations = listOf(given[list], `${at}: ${list}`).map((each, i) => fieldsOf(each, `${at}: ${list}[${i}]`) as unknown as core.Toleration)
    const causes: Causes = []
    validateTolerations(causes, list, tolerations)
    if (causes.length > 0) throw new Error(`${at}: ${causes.map(({ field, message }) => `${field}: ${message}`).join(', ')}`)
    rules[list] = tolerations
  }
  return rules
}

function selectorsOf(given: Fields, at: string): Record<string, string> {
  only(given, ['podNodeSelectorPluginConfig'], at)
  const selectors = fieldsOf(given['podNodeSelectorPluginConfig'] ?? {}, `${at}: podNodeSelectorPluginConfig`)
  for (const [namespace, selector] of Object.entries(selectors))
    if (typeof selector !== 'string') throw new Error(`${at}: podNodeSelectorPluginConfig.${namespace}: a text such as a=b,c=d is expected`)
  return selectors as Record<string, string>
}

function expect(given: Fields, kind: string, version: RegExp, at: string): void {
  if (given['kind'] !== kind || !version.test(String(given['apiVersion'])))
    throw new Error(
      `${at}: no kind ${JSON.stringify(given['kind'])} is registered for version ${JSON.stringify(given['apiVersion'])}: a ${kind} is expected`,
    )
}

function fieldsOf(value: unknown, at: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${at}: an object is expected`)
  return value as Fields
}

function listOf(value: unknown, at: string): unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Error(`${at}: a list is expected`)
  return value
}

function only(fields: Fields, known: readonly string[], at: string): void {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`${at}: there is no field ${unknown.map((name) => JSON.stringify(name)).join(', ')}`)
}

const invalid = (at: string, field: string, value: unknown, why: string) =>
  new Error(`${at}: ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`)
