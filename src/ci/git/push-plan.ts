import { type PushReport, type RefUpdate, isZero } from './receive-pack.ts'

/** A ref that got a new commit and may get a pipeline for it. */
export interface UpdatedRef {
  ref: string
  branch?: string
  tag?: string
  from: string
  to: string
}

/** The branches and tags that a push has moved: what was refused, deleted, or is neither is left out. */
export function updatedRefs(commands: readonly RefUpdate[], report: PushReport): UpdatedRef[] {
  return commands.flatMap(({ ref, from, to }) => {
    if (isZero(to) || from === to || !report.has(ref) || report.get(ref) !== undefined) return []
    const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? []
    if (!name) return []
    return [{ ref, from, to, ...(kind === 'heads' ? { branch: name } : { tag: name }) }]
  })
}

/** CircleCI reads this much of a commit's title and of its body. */
const searched = 250

/**
 * Whether the message asks for no pipeline: `[ci skip]` or `[skip ci]` within the first 250 characters of the title or of the body, as CircleCI documents.
 * Only a branch's newest commit is asked, and tags are always built.
 */
export function asksToSkip(message: string): boolean {
  const at = message.indexOf('\n')
  const title = at < 0 ? message : message.slice(0, at)
  const body = at < 0 ? '' : message.slice(at).trimStart()
  return [title, body].some((part) => /\[(ci skip|skip ci)\]/i.test(part.slice(0, searched)))
}
