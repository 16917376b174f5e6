import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apiVersionOf, groups, kindOf, kindOfResource, kinds, parseApiVersion, storageKind } from './kinds.ts'
import { resources } from './resources.ts'

interface Facts {
  group: string
  version: string
  types: Record<
    string,
    {
      kind?: string
      client?: { namespaced: boolean; status: boolean; onlyVerbs?: string[] }
      introduced?: string
      deprecated?: string
      removed?: string
    }
  >
}
const dir = join(import.meta.dirname, 'facts')
const facts = readdirSync(dir).map((f) => JSON.parse(readFileSync(join(dir, f), 'utf8')) as Facts)

test('the table agrees with the facts on scope, status and releases', () => {
  for (const kind of kinds) {
    const name = `${apiVersionOf(kind)} ${kind.kind}`
    const type = facts.find((f) => f.group === kind.group && f.version === kind.version)?.types[kind.kind]
    assert.equal(type?.kind, 'object', name)
    if (type?.client) assert.equal(kind.namespaced, type.client.namespaced, name)
    assert.deepEqual(
      { introduced: kind.introduced, deprecated: kind.deprecated, removed: kind.removed },
      { introduced: type?.introduced, deprecated: type?.deprecated, removed: type?.removed },
      name,
    )
    // Upstream's storage.k8s.io/v1beta1 never served volumeattachments/status.
    const status = type?.client?.status && !type.client.onlyVerbs && name !== 'storage.k8s.io/v1beta1 VolumeAttachment'
    assert.equal(
      kind.subresources.some((s) => s.name === 'status'),
      Boolean(status),
      `${name} status`,
    )
  }
})

test('every GA kind of the facts that has a client is served', () => {
  const notServed = new Set(['policy/v1 Eviction', 'metrics.k8s.io/v1 PodMetrics'])
  for (const f of facts.filter((x) => /^v\d+$/.test(x.version)))
    for (const [kind, type] of Object.entries(f.types)) {
      const name = `${apiVersionOf(f)} ${kind}`
      if (type.client && !notServed.has(name)) assert.ok(kindOf(apiVersionOf(f), kind), name)
    }
})

test('lookups find a kind by resource and by kind, and what stores it', () => {
  assert.equal(kindOfResource('apps', 'v1', 'deployments'), resources.deployments)
  assert.equal(kindOf('v1', 'Pod'), resources.pods)
  assert.equal(kindOf('apps/v1', 'Pod'), undefined)
  assert.equal(storageKind(kindOf('autoscaling/v1', 'HorizontalPodAutoscaler')!), resources.horizontalPodAutoscalers)
  assert.equal(storageKind(kindOf('events.k8s.io/v1beta1', 'Event')!), resources.events)
  assert.equal(storageKind(kindOf('policy/v1beta1', 'PodDisruptionBudget')!), resources.podDisruptionBudgets)
  assert.equal(storageKind(resources.pods), resources.pods)
  assert.deepEqual(parseApiVersion('v1'), { group: '', version: 'v1' })
  assert.deepEqual(parseApiVersion('apps/v1'), { group: 'apps', version: 'v1' })
})

test('no two kinds of a version share a plural, a kind or a short name', () => {
  for (const group of groups())
    for (const { version, kinds } of group.versions) {
      const names = kinds.flatMap((k) => [k.resource, k.kind, ...k.shortNames])
      assert.equal(new Set(names).size, names.length, `${group.name}/${version}`)
    }
})

test('subresources name the kind of their body', () => {
  const sub = (resource: string, name: string) => kindOfResource('', 'v1', resource)?.subresources.find((s) => s.name === name)
  assert.deepEqual(sub('pods', 'eviction'), { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] })
  assert.equal(sub('nodes', 'proxy')?.kind, 'NodeProxyOptions')
  assert.equal(sub('pods', 'proxy')?.kind, 'PodProxyOptions')
})
