import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDelivery } from './github.ts'
import { sign, signatureMatches } from './signature.ts'

test('a signature is that of GitHub’s documentation', () => {
  // the example under "Validating webhook deliveries"
  const body = Buffer.from('Hello, World!')
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  assert.equal(sign("It's a Secret to Everybody", body), signature)
  assert.ok(signatureMatches("It's a Secret to Everybody", body, signature))
})

const refusedSignatures: [string, string, string | undefined][] = [
  ['no signature', 'secret', undefined],
  ['an empty one', 'secret', ''],
  ['one of another secret', 'secret', sign('other', Buffer.from('x'))],
  ['one without its prefix', 'secret', sign('secret', Buffer.from('x')).slice(7)],
  ['one of an empty secret', '', 'sha256='],
]
for (const [name, secret, signature] of refusedSignatures)
  test(`${name} is refused`, () => assert.equal(signatureMatches(secret, Buffer.from('x'), signature), false))

const [before, after] = ['a'.repeat(40), 'b'.repeat(40)]
const push = {
  ref: 'refs/heads/feature/x',
  before,
  after,
  deleted: false,
  pusher: { name: 'ann' },
  sender: { login: 'ann-gh' },
  head_commit: { id: after, message: 'title\n\nbody', author: { name: 'Ann', email: 'ann@example.com' } },
}

test('a push of a branch is a change of it', () =>
  assert.deepEqual(parseDelivery('push', push), {
    type: 'push',
    change: {
      branch: 'feature/x',
      revision: after,
      baseRevision: before,
      message: 'title\n\nbody',
      author: 'Ann <ann@example.com>',
      actor: 'ann-gh',
    },
  }))

test('an annotated tag is built at its commit', () => {
  const tag = parseDelivery('push', { ...push, ref: 'refs/tags/v1', after: 'c'.repeat(40) })
  assert.ok(tag.type === 'push')
  assert.deepEqual([tag.change.tag, tag.change.revision, tag.change.baseRevision], ['v1', after, undefined])
})

const others: [string, string | undefined, unknown, string][] = [
  ['a ping', 'ping', {}, 'ping'],
  ['a deleted branch', 'push', { ...push, deleted: true, after: '0'.repeat(40) }, 'ignored'],
  ['another event', 'issues', push, 'ignored'],
  ['no event', undefined, push, 'ignored'],
  ['a push of something else', 'push', { ...push, ref: 'refs/pull/1/head' }, 'ignored'],
  ['a push of a name that git would refuse', 'push', { ...push, ref: 'refs/heads/a..b' }, 'ignored'],
  ['a push without its commit', 'push', { ref: 'refs/heads/main' }, 'malformed'],
  ['a push whose commit is an option', 'push', { ...push, after: '--upload-pack=x' }, 'malformed'],
  ['a list', 'push', [], 'malformed'],
]
for (const [name, event, payload, expected] of others)
  test(`${name} is ${expected}`, () => assert.equal(parseDelivery(event, payload).type, expected))
