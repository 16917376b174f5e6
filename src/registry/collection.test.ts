import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deleteUntagged, parseCollected, parseRevisions, parseUploads, untagged } from './collection.ts'
import type { Manifest, RegistryClient } from './registry-client.ts'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`

describe('what no tag leads to', () => {
  const rows: { name: string; revisions: string[]; tagged: string[]; children?: Record<string, string[]>; expected: string[] }[] = [
    { name: 'is nothing where all have tags', revisions: ['a', 'b'], tagged: ['a', 'b'], expected: [] },
    { name: 'is what a tag led to before it moved', revisions: ['old', 'new'], tagged: ['new'], expected: ['old'] },
    { name: 'is everything where the last tag went', revisions: ['a', 'b'], tagged: [], expected: ['a', 'b'] },
    {
      name: 'is not a platform of an image that has a tag',
      revisions: ['index', 'amd64', 'arm64'],
      tagged: ['index'],
      children: { index: ['amd64', 'arm64'] },
      expected: [],
    },
    {
      name: 'is an index without a tag with its platforms',
      revisions: ['index', 'amd64'],
      tagged: [],
      children: { index: ['amd64'] },
      expected: ['index', 'amd64'],
    },
    {
      name: 'is not a platform that another index has too',
      revisions: ['i1', 'i2', 'amd64'],
      tagged: ['i2'],
      children: { i1: ['amd64'], i2: ['amd64'] },
      expected: ['i1'],
    },
    { name: 'is not what an index of an index has', revisions: ['a', 'b', 'c'], tagged: ['a'], children: { a: ['b'], b: ['c'] }, expected: [] },
    { name: 'ends where an index leads to itself', revisions: ['a'], tagged: ['a'], children: { a: ['a'] }, expected: [] },
  ]
  for (const { name, revisions, tagged, children = {}, expected } of rows)
    test(name, () => assert.deepEqual(untagged(new Set(revisions), tagged, new Map(Object.entries(children))), expected))
})

test('the manifests of all repositories are read from what the collector prints', () => {
  const printed = `app
app: marking manifest ${digest('a')} 
app: marking blob ${digest('c')}
team/app
team/app: marking manifest ${digest('a')} 
team/app: marking manifest ${digest('b')} 

4 blobs marked, 1 blobs and 0 manifests eligible for deletion
blob eligible for deletion: ${digest('d')}
`
  assert.deepEqual(
    [...parseRevisions(printed)].map(([repository, digests]) => [repository, [...digests]]),
    [
      ['app', [digest('a')]],
      ['team/app', [digest('a'), digest('b')]],
    ],
  )
  assert.deepEqual(parseCollected(printed), { kept: 4, removed: 1 })
})

test('an upload is counted once, whatever it consists of', () => {
  const at = '/var/lib/registry/docker/registry/v2/repositories/team/app/_uploads'
  assert.equal(parseUploads(`${at}/1/hashstates/sha256/0\n${at}/1/hashstates/sha256\n${at}/1/data\n${at}/1\n${at}/2/startedat\n${at}/2\n`), 2)
  assert.equal(parseUploads(''), 0)
})

test('only what no tag leads to is deleted, repository by repository', async () => {
  const deleted: string[] = []
  const manifests: Record<string, Partial<Manifest>> = { index: { manifests: [{ digest: 'amd64' }] }, amd64: {}, old: {} }
  const client = {
    tags: async (repository: string) => (repository === 'app' ? ['1', 'latest'] : []),
    digest: async () => 'index',
    manifest: async (_: string, reference: string) => ({ manifests: [], ...manifests[reference] }) as unknown as Manifest,
    deleteManifest: async (repository: string, reference: string) => void deleted.push(`${repository}@${reference}`),
  } as Partial<RegistryClient> as RegistryClient
  const revisions = new Map([
    ['app', new Set(['index', 'amd64', 'old'])],
    ['other', new Set(['old'])],
  ])
  assert.equal(await deleteUntagged(client, revisions), 2)
  assert.deepEqual(deleted, ['app@old', 'other@old'])
})
