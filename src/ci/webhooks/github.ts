import { isObjectId, isRefName } from '../git/git.ts'
import { isZero } from '../git/receive-pack.ts'
import type { RefChange } from '../trigger/plan.ts'

/** What a delivery says: an answer to a ping, a change that may be built, nothing to do, or no payload of this kind. */
export type Delivery = { type: 'ping' } | { type: 'push'; change: RefChange } | { type: 'ignored'; why: string } | { type: 'malformed'; why: string }

/** Reads a payload of GitHub's webhooks (documented under "Webhook events and payloads"); Gitea, Forgejo and Gogs send pushes in the same shape. */
export function parseDelivery(event: string | undefined, payload: unknown): Delivery {
  if (event === 'ping') return { type: 'ping' }
  if (event !== 'push') return { type: 'ignored', why: `events of type ${printable(event)} start nothing` }
  if (!isRecord(payload)) return malformed('the payload is not an object')
  const { ref, before, after } = payload
  if (typeof ref !== 'string' || typeof after !== 'string' || !isObjectId(after)) return malformed('a push has `ref` and `after`')
  if (payload['deleted'] === true || isZero(after)) return { type: 'ignored', why: `${printable(ref)} was deleted` }
  const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/s.exec(ref) ?? []
  if (!kind || !name || !isRefName(name)) return { type: 'ignored', why: `${printable(ref)} is neither a branch nor a tag` }
  const head = isRecord(payload['head_commit']) ? payload['head_commit'] : {}
  const author = isRecord(head['author']) ? head['author'] : {}
  const sender = isRecord(payload['sender']) ? payload['sender']['login'] : undefined
  const pusher = isRecord(payload['pusher']) ? payload['pusher']['name'] : undefined
  // an annotated tag's `after` is the tag; its commit stands beside it
  const revision = typeof head['id'] === 'string' && isObjectId(head['id']) ? head['id'] : after
  return {
    type: 'push',
    change: {
      ...(kind === 'heads' ? { branch: name } : { tag: name }),
      revision,
      ...(kind === 'heads' && typeof before === 'string' && isObjectId(before) && !isZero(before) ? { baseRevision: before } : {}),
      message: typeof head['message'] === 'string' ? head['message'] : '',
      ...(typeof author['name'] === 'string' ? { author: `${author['name']} <${typeof author['email'] === 'string' ? author['email'] : ''}>` } : {}),
      actor: [sender, pusher].find((each): each is string => typeof each === 'string' && each !== '') ?? 'webhook',
    },
  }
}

const malformed = (why: string): Delivery => ({ type: 'malformed', why })

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const printable = (text: unknown): string => JSON.stringify(String(text).slice(0, 100))
