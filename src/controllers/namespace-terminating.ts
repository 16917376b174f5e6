import { isStatus } from '#api'

/** The server refused to make something in a namespace that is going away: nothing can be made there, and nothing needs to. */
export function isNamespaceTerminating(error: unknown): boolean {
  return isStatus(error, 'Forbidden') && (error.status.details?.causes ?? []).some((c) => c.reason === 'NamespaceTerminating')
}
