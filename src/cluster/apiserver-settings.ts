import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { checkAuditPolicy, checkTracingConfig } from '#apiserver'
import type { AuditOptions } from '#apiserver'
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
  auditWebhookConfigFile?: string
  /** A Go duration. */
  shutdownDelayDuration?: string
  tracingConfigFile?: string
}

/** Writes down what was asked for, and copies of the files; answers whether it differs from what the cluster has. Throws Error that says what is wrong, and changes nothing then. */
export async function setApiServer(cluster: ClusterConfig, flags: ApiServerFlags): Promise<boolean> {
  const paths = clusterPaths(cluster.name)
  const files: { from: string; to: string; text: string }[] = []
  const take = async (from: string | undefined, to: string, check: (text: string) => unknown) => {
    if (from === undefined) return
    const text = await readFile(from, 'utf8')
    await check(text)
    files.push({ from, to, text })
  }
  await take(flags.auditPolicyFile, paths.auditPolicy, checkAuditPolicy)
  await take(flags.tracingConfigFile, paths.tracing, checkTracingConfig)
  const settings: ApiServerSettings = { ...cluster.apiServer }
  if (flags.auditLogPath !== undefined)
    settings.auditLog = { ...settings.auditLog, path: flags.auditLogPath === '-' ? '-' : resolve(flags.auditLogPath) }
  const sizes = { maxSize: flags.auditLogMaxsize, maxBackup: flags.auditLogMaxbackup, maxAge: flags.auditLogMaxage }
  for (const [name, value] of Object.entries(sizes)) {
    if (value === undefined) continue
    if (!settings.auditLog) throw new Error('--audit-log-maxsize, -maxbackup and -maxage are about the file of --audit-log-path: give that, too')
    settings.auditLog = { ...settings.auditLog, [name]: value }
  }
  if (flags.auditWebhookConfigFile !== undefined) {
    // it may name files beside it: it stays where it is
    settings.auditWebhook = resolve(flags.auditWebhookConfigFile)
    parseKubeconfig(await readFile(settings.auditWebhook, 'utf8'))
  }
  if (flags.shutdownDelayDuration !== undefined) settings.shutdownDelay = parseDuration(flags.shutdownDelayDuration)
  if ((settings.auditLog || settings.auditWebhook) && !flags.auditPolicyFile && !existsSync(paths.auditPolicy))
    throw new Error('an audit needs to know what to record: give --audit-policy-file, too')
  if (flags.auditPolicyFile && !settings.auditLog && !settings.auditWebhook)
    throw new Error('an audit needs somewhere to go: give --audit-log-path or --audit-webhook-config-file, too')
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

/** What a cluster records of its requests; undefined for nothing. */
export function auditOptions(cluster: ClusterConfig): AuditOptions | undefined {
  const { auditLog, auditWebhook } = cluster.apiServer ?? {}
  if (!auditLog && !auditWebhook) return undefined
  return {
    policyFile: clusterPaths(cluster.name).auditPolicy,
    ...(auditLog ? { log: auditLog } : {}),
    ...(auditWebhook ? { webhookConfigFile: auditWebhook } : {}),
  }
}
