import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { AdmissionConfiguration, AuditOptions, WebhookBatching } from '#apiserver'
import { checkAuditPolicy, checkPluginNames, checkTracingConfig, embedPluginFiles, parseAdmissionConfiguration } from '#apiserver'
import { parseDuration } from '#api'
import { parseKubeconfig } from '#client'
import type { ApiServerSettings, ClusterConfig } from './config.ts'
import { clusterPaths, saveCluster, writeAtomically } from './config.ts'

/** Flags of the API server that may be given to a cluster that is there, under upstream's names. */
export interface ApiServerFlags {
  auditPolicyFile?: string
  auditLogPath?: string
  /** Megabytes. */
  auditLogMaxsize?: number
  auditLogMaxbackup?: number
  /** Days. */
  auditLogMaxage?: number
  auditLogCompress?: boolean
  auditWebhookConfigFile?: string
  auditWebhookBatchMaxSize?: number
  /** Go durations. */
  auditWebhookBatchMaxWait?: string
  auditWebhookInitialBackoff?: string
  auditWebhookBatchBufferSize?: number
  auditWebhookBatchThrottleQps?: number
  auditWebhookBatchThrottleBurst?: number
  admissionControlConfigFile?: string
  /** Names of plugins, by commas. */
  enableAdmissionPlugins?: string
  disableAdmissionPlugins?: string
  /** A Go duration. */
  shutdownDelayDuration?: string
  tracingConfigFile?: string
}

interface PlannedSettings {
  settings: ApiServerSettings
  /** Copies of what was named, so that a cluster starts again without it. */
  files: { to: string; text: string }[]
}

/** What a cluster of this name is to have by its flags, beside what it has. Rejects with Error that says what is wrong. */
export async function planApiServer(name: string, current: ApiServerSettings, flags: ApiServerFlags): Promise<PlannedSettings> {
  const paths = clusterPaths(name)
  const files: PlannedSettings['files'] = []
  /** `check` throws for what cannot be read, and may answer what is kept instead. */
  const take = async (from: string | undefined, to: string, check: (text: string) => Promise<string | void>) => {
    if (from === undefined) return
    const text = await readFile(from, 'utf8')
    files.push({ to, text: (await check(text)) ?? text })
  }
  await take(flags.auditPolicyFile, paths.auditPolicy, checkAuditPolicy)
  await take(flags.tracingConfigFile, paths.tracing, checkTracingConfig)
  const { admissionControlConfigFile: admissionFile } = flags
  await take(admissionFile, paths.admission, (text) => embedPluginFiles(text, (path) => readFile(resolve(dirname(admissionFile!), path), 'utf8')))
  const settings: ApiServerSettings = { ...current }
  if (flags.auditLogPath !== undefined)
    settings.auditLog = { ...settings.auditLog, path: flags.auditLogPath === '-' ? '-' : resolve(flags.auditLogPath) }
  const sizes = { maxSize: flags.auditLogMaxsize, maxBackup: flags.auditLogMaxbackup, maxAge: flags.auditLogMaxage, compress: flags.auditLogCompress }
  for (const [name, value] of Object.entries(sizes)) {
    if (value === undefined) continue
    if (!settings.auditLog)
      throw new Error('--audit-log-maxsize, -maxbackup, -maxage and -compress are about the file of --audit-log-path: give that, too')
    settings.auditLog = { ...settings.auditLog, [name]: value }
  }
  if (flags.auditWebhookConfigFile !== undefined) {
    // it may name files beside it: it stays where it is
    settings.auditWebhook = resolve(flags.auditWebhookConfigFile)
    parseKubeconfig(await readFile(settings.auditWebhook, 'utf8'))
  }
  const batching = batchingOf(flags)
  if (Object.keys(batching).length > 0) {
    if (!settings.auditWebhook)
      throw new Error('--audit-webhook-batch-* and -initial-backoff are about the webhook of --audit-webhook-config-file: give that, too')
    settings.auditBatching = { ...settings.auditBatching, ...batching }
  }
  if (flags.enableAdmissionPlugins !== undefined || flags.disableAdmissionPlugins !== undefined) {
    const admission = { ...settings.admission }
    if (flags.enableAdmissionPlugins !== undefined) admission.enable = namesOf(flags.enableAdmissionPlugins)
    if (flags.disableAdmissionPlugins !== undefined) admission.disable = namesOf(flags.disableAdmissionPlugins)
    checkPluginNames(admission.enable ?? [], admission.disable ?? [])
    settings.admission = admission
  }
  if (flags.shutdownDelayDuration !== undefined) settings.shutdownDelay = parseDuration(flags.shutdownDelayDuration)
  if ((settings.auditLog || settings.auditWebhook) && !flags.auditPolicyFile && !existsSync(paths.auditPolicy))
    throw new Error('an audit needs to know what to record: give --audit-policy-file, too')
  if (flags.auditPolicyFile && !settings.auditLog && !settings.auditWebhook)
    throw new Error('an audit needs somewhere to go: give --audit-log-path or --audit-webhook-config-file, too')
  return { settings, files }
}

/** Writes down what was asked for, and copies of the files; answers whether it differs from what the cluster has. Throws Error that says what is wrong, and changes nothing then. */
export async function setApiServer(cluster: ClusterConfig, flags: ApiServerFlags): Promise<boolean> {
  const { settings, files } = await planApiServer(cluster.name, cluster.apiServer ?? {}, flags)
  let changed = JSON.stringify(settings) !== JSON.stringify(cluster.apiServer ?? {})
  for (const { to, text } of files) {
    if (existsSync(to) && (await readFile(to, 'utf8')) === text) continue
    await writeAtomically(to, text)
    changed = true
  }
  if (changed) {
    cluster.apiServer = settings
    await saveCluster(cluster)
  }
  return changed
}

function batchingOf(flags: ApiServerFlags): WebhookBatching {
  const duration = (text: string | undefined) => (text === undefined ? undefined : parseDuration(text))
  const given = {
    batchSize: flags.auditWebhookBatchMaxSize,
    batchWait: duration(flags.auditWebhookBatchMaxWait),
    bufferSize: flags.auditWebhookBatchBufferSize,
    rate: flags.auditWebhookBatchThrottleQps,
    burst: flags.auditWebhookBatchThrottleBurst,
    initialBackoff: duration(flags.auditWebhookInitialBackoff),
  }
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && !(value > 0)) throw new Error(`the options of the audit webhook are more than 0: ${name} is ${value}`)
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

const namesOf = (list: string): string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)

/** Which admission plugins a cluster has, and what they are told. */
export async function admissionOptions(
  cluster: ClusterConfig,
): Promise<{ enable?: readonly string[]; disable?: readonly string[]; configuration?: AdmissionConfiguration }> {
  const file = clusterPaths(cluster.name).admission
  return {
    ...cluster.apiServer?.admission,
    ...(existsSync(file) ? { configuration: await parseAdmissionConfiguration(await readFile(file, 'utf8')) } : {}),
  }
}

/** What a cluster records of its requests; undefined for nothing. */
export function auditOptions(cluster: ClusterConfig): AuditOptions | undefined {
  const { auditLog, auditWebhook, auditBatching } = cluster.apiServer ?? {}
  if (!auditLog && !auditWebhook) return undefined
  return {
    policyFile: clusterPaths(cluster.name).auditPolicy,
    ...(auditLog ? { log: auditLog } : {}),
    ...(auditWebhook ? { webhookConfigFile: auditWebhook } : {}),
    ...(auditBatching ? { webhook: auditBatching } : {}),
  }
}
