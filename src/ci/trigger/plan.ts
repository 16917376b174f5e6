import type { DeepReadonly, ci } from '#api'
import { asksToSkip } from '../git/push-plan.ts'
import { namesBranch } from './branch-pattern.ts'

/** A branch or tag that got a new commit, here or on another host. */
export interface RefChange {
  branch?: string
  tag?: string
  revision: string
  /** What the branch stood at before; absent for a new one. */
  baseRevision?: string
  /** The whole message of the newest commit. */
  message: string
  author?: string
  actor: string
}

/** Whether the change makes a pipeline, and if not, why: words for the one who pushed. */
export function decideTrigger(project: DeepReadonly<ci.Project>, change: RefChange): { run: true } | { run: false; why: string } {
  const { spec } = project
  const triggers = spec.triggers ?? {}
  if (spec.suspend) return no('the project is suspended')
  if (triggers.push === false) return no('the project does not run on pushes')
  if (change.tag !== undefined) return triggers.tags === false ? no('the project does not run on tags') : { run: true }
  const branch = change.branch ?? ''
  if (triggers.branches?.length) {
    if (!triggers.branches.some((pattern) => namesBranch(pattern, branch))) return no(`the project does not run on branch ${branch}`)
  } else if (triggers.ignoreBranches?.some((pattern) => namesBranch(pattern, branch))) return no(`the project ignores branch ${branch}`)
  if (asksToSkip(change.message)) return no('the commit’s message asks to skip it')
  return { run: true }
}

const no = (why: string) => ({ run: false, why }) as const
