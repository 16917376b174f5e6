import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deleteFromRegistry, listRegistry, parseImage } from './listing.ts'
import type { Manifest, RegistryClient } from './registry-client.ts'

const hex = 'a'.repeat(64)

describe('names of images', () => {
  const good: [string, object][] = [
    ['app:1', { repository: 'app', tag: '1' }],
    ['localhost:5000/app:1', { repository: 'app', tag: '1' }],
    ['localhost:5000/team/my_app-x.y:v1.2_3', { repository: 'team/my_app-x.y', tag: 'v1.2_3' }],
    [`app@sha256:${hex}`, { repository: 'app', digest: `sha256:${hex}` }],
  ]
  for (const [text, parsed] of good) test(`${text} is understood`, () => assert.deepEqual(parseImage(text, 'localhost:5000'), parsed))
  for (const text of ['app', 'app:', 'App:1', '../app:1', 'app:1/..', 'a//b:1', 'other:5000/app:1', `app@sha256:00`, 'app:1 x', ''])
    test(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseImage(text, 'localhost:5000'), /names no image: write REPOSITORY:TAG/))
})

/** A registry in memory: repositories of tags that lead to digests. */
function registry(content: Record<string, Record<string, string>>, manifests: Record<string, Partial<Manifest>> = {}) {
  const calls: string[] = []
  const client = {
    repositories: async () => Object.keys(content),
    tags: async (repository: string) => Object.keys(content[repository] ?? {}),
    digest: async (repository: string, reference: string) =>
      content[repository]?.[reference] ?? Object.values(content[repository] ?? {}).find((each) => each === reference),
    manifest: async (_: string, reference: string) => ({ manifests: [], size: 0, ...manifests[reference] }) as unknown as Manifest,
    deleteTag: async (repository: string, tag: string) => void calls.push(`tag ${repository}:${tag}`),
    deleteManifest: async (repository: string, digest: string) => void calls.push(`manifest ${repository}@${digest}`),
  } as Partial<RegistryClient> as RegistryClient
  return { client, calls }
}

test('images are listed with the size of all their platforms', async () => {
  const { client } = registry(
    { b: { '2': 'y', '1': 'index' }, a: { latest: 'x' }, empty: {} },
    { x: { size: 5 }, y: { size: 7 }, index: { manifests: [{ digest: 'x' }, { digest: 'y' }] } },
  )
  assert.deepEqual(await listRegistry(client), [
    { repository: 'a', tag: 'latest', digest: 'x', size: 5 },
    { repository: 'b', tag: '1', digest: 'index', size: 12 },
    { repository: 'b', tag: '2', digest: 'y', size: 7 },
  ])
})

test('a tag is deleted alone, although another leads to the same image', async () => {
  const { client, calls } = registry({ app: { '1': 'x', latest: 'x' } })
  assert.deepEqual(await deleteFromRegistry(client, { repository: 'app', tag: 'latest' }), { kind: 'tag', tag: 'latest', digest: 'x' })
  assert.deepEqual(calls, ['tag app:latest'])
})

test('an image is deleted with all its tags', async () => {
  const { client, calls } = registry({ app: { '1': 'x', '2': 'y', latest: 'x' } })
  assert.deepEqual(await deleteFromRegistry(client, { repository: 'app', digest: 'x' }), { kind: 'manifest', digest: 'x', tags: ['1', 'latest'] })
  assert.deepEqual(calls, ['manifest app@x'])
})

test('what is not there is told', async () => {
  const { client, calls } = registry({ app: { '1': 'x' } })
  assert.deepEqual(await deleteFromRegistry(client, { repository: 'app', tag: '2' }), { kind: 'absent' })
  assert.deepEqual(calls, [])
})
