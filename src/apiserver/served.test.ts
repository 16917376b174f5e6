import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServedResource } from './registry/registry.ts'
import { findServed } from './served.ts'

test('what is served is found by group, version and resource', () => {
  const names = [
    { group: '', version: 'v1', resource: 'events' },
    { group: 'events.k8s.io', version: 'v1', resource: 'events' },
    { group: 'events.k8s.io', version: 'v1beta1', resource: 'events' },
    { group: '', version: 'v1', resource: 'pods' },
  ]
  const all = names.map((kind) => ({ kind }) as ServedResource)
  const find = findServed(all)
  for (const [i, name] of names.entries()) assert.equal(find(name), all[i])
  for (const name of [
    { group: 'events.k8s.io', version: 'v1', resource: 'pods' },
    { group: '', version: 'v1beta1', resource: 'events' },
    { group: '', version: 'v1', resource: 'constructor' },
  ])
    assert.equal(find(name), undefined)
})
