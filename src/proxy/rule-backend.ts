import type { Rules } from './plan.ts'

/** Programs the node's packet filter. */
export interface RuleBackend {
  /** Makes the programmed rules these, completely; all or nothing. Calls do not overlap. */
  apply(rules: Rules): Promise<void>
  /** Removes everything this backend programmed. */
  cleanUp(): Promise<void>
}
