import { CelError } from '../values.ts'

/** What an evaluation ends with when it costs more than it may. */
export const tooMuch = new CelError('operation cancelled: actual cost limit exceeded')

/**
 * The most that one call can cost wherever Kubernetes evaluates expressions. Costs are counted when a call is done: what would take longer than that is
 * not begun.
 */
export const mostPerCall = 1_000_000

/** Texts that are longer cannot be read within any limit, and would fill the memory. */
export const longestText = 1 << 26
