import type { StatusCause } from '#api'
import type { PodSecurityLevel } from './pod-security-checks.ts'

export type PodSecurityMode = 'enforce' | 'audit' | 'warn'

export interface PodSecurityStandard {
  level: PodSecurityLevel
  /** Minor version of Kubernetes 1; Infinity for the latest. */
  version: number
}

/** What a namespace asks for by its labels. */
export type PodSecurityPolicy = Record<PodSecurityMode, PodSecurityStandard>

export const prefix = 'pod-security.kubernetes.io/'
const modes: readonly PodSecurityMode[] = ['enforce', 'audit', 'warn']
const levels: readonly PodSecurityLevel[] = ['privileged', 'baseline', 'restricted']

/** Whether `a` allows less than `b`. */
export const isStricter = (a: PodSecurityLevel, b: PodSecurityLevel): boolean => levels.indexOf(a) > levels.indexOf(b)

/** As messages name it, e.g. `restricted:v1.25`. */
export function standardText({ level, version }: PodSecurityStandard): string {
  return `${level}:${version === Infinity ? 'latest' : `v1.${version}`}`
}

const nothing: PodSecurityStandard = { level: 'privileged', version: Infinity }
/** Where a namespace and the configuration say nothing, everything is allowed. */
export const noPolicy: PodSecurityPolicy = { enforce: nothing, audit: nothing, warn: nothing }

export const levelOf = (text: string): PodSecurityLevel | undefined => levels.find((level) => level === text)

/** The minor version of `v1.25`; Infinity for `latest`, undefined for what is neither. */
export function versionOf(text: string): number | undefined {
  if (text === 'latest') return Infinity
  const minor = /^v1\.(0|[1-9]\d*)$/.exec(text)?.[1]
  return minor === undefined ? undefined : Number(minor)
}

export const wrongLevel = `must be one of ${levels.join(', ')}`
export const wrongVersion = 'must be "latest" or "v1.x"'

/** Reads a namespace's labels. What cannot be read restricts as far as it can where it is enforced: it was meant to restrict. */
export function policyOf(
  labels: Readonly<Record<string, string>> = {},
  defaults: PodSecurityPolicy = noPolicy,
): { policy: PodSecurityPolicy; causes: StatusCause[] } {
  const causes: StatusCause[] = []
  const read = (mode: PodSecurityMode): PodSecurityStandard => {
    const level = labels[prefix + mode]
    const version = labels[`${prefix}${mode}-version`]
    const wrong = (label: string, value: string, why: string) =>
      causes.push({ reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field: `metadata.labels[${label}]` })
    const known = level === undefined ? defaults[mode].level : levelOf(level)
    if (!known) wrong(prefix + mode, level!, wrongLevel)
    const minor = version === undefined ? defaults[mode].version : versionOf(version)
    if (minor === undefined) wrong(`${prefix}${mode}-version`, version!, wrongVersion)
    return { level: known ?? (mode === 'enforce' ? 'restricted' : 'privileged'), version: minor ?? Infinity }
  }
  const [enforce, audit, warn] = modes.map(read) as [PodSecurityStandard, PodSecurityStandard, PodSecurityStandard]
  // who enforces a level wants to hear of workloads whose pods will be refused
  const asked = labels[`${prefix}enforce`] !== undefined && labels[`${prefix}warn`] === undefined
  return { policy: { enforce, audit, warn: asked && isStricter(enforce.level, warn.level) ? enforce : warn }, causes }
}
