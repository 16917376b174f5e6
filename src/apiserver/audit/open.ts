import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock, Logger } from '#base'
import { httpsTransport, parseKubeconfig, resolveContext } from '#client'
import { logBackend } from './log-backend.ts'
import { parseAuditPolicy } from './policy.ts'
import type { AuditBackend, Auditor } from './trail.ts'
import { auditor } from './trail.ts'
import type { WebhookBatching } from './webhook-backend.ts'
import { webhookBackend } from './webhook-backend.ts'

export interface AuditOptions {
  /** A Policy of audit.k8s.io/v1. */
  policyFile: string
  /** Where events are logged; `-` is standard output. */
  log?: { path: string; maxSize?: number; maxBackup?: number; maxAge?: number; compress?: boolean }
  /** A kubeconfig whose current context is where events are sent. */
  webhookConfigFile?: string
  webhook?: WebhookBatching
}

/** Opens what an audit configuration names. Rejects with Error that names the file and the field that is wrong. */
export async function openAudit(options: AuditOptions, { clock, log }: { clock: Clock; log: Logger }): Promise<Auditor> {
  const policy = parseAuditPolicy(await readFile(options.policyFile, 'utf8'))
  const backends: AuditBackend[] = []
  if (options.log) backends.push(await logBackend({ ...options.log, clock, log }))
  if (options.webhookConfigFile) backends.push(await openWebhook(options.webhookConfigFile, options.webhook ?? {}, clock, log))
  return auditor({ policy, backends, clock })
}

async function openWebhook(file: string, batching: WebhookBatching, clock: Clock, log: Logger): Promise<AuditBackend> {
  const context = await resolveContext(parseKubeconfig(await readFile(file, 'utf8'), dirname(file)))
  // the transport puts the path of its server before that of the request
  const { pathname } = new URL(context.transport.server)
  return webhookBackend({ transport: httpsTransport(context.transport), path: pathname === '/' ? '/' : '', clock, log, ...batching })
}
