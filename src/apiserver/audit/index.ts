import type { Clock, Logger } from '#base'
import type { AuditOptions } from './open.ts'
import type { Auditor } from './trail.ts'

export type { AuditOptions } from './open.ts'
export type { WebhookBatching } from './webhook-backend.ts'
export type { AuditTrail, Auditor, AuditedRequest } from './trail.ts'

/** Opens an audit as configured. Servers without one do not load what it takes. */
export async function openAudit(options: AuditOptions, seams: { clock: Clock; log: Logger }): Promise<Auditor> {
  const { openAudit: open } = await import('./open.ts')
  return open(options, seams)
}

/** Throws Error that says what is wrong with a Policy. */
export async function checkAuditPolicy(text: string): Promise<void> {
  const { parseAuditPolicy } = await import('./policy.ts')
  parseAuditPolicy(text)
}
