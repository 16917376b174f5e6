import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realClock } from '#base'
import { defaultAdmission } from './index.ts'
import { interestedIn } from './interested.ts'
import type { AdmissionPlugin } from './admission.ts'

const plugin = (name: string, more: Partial<AdmissionPlugin>): AdmissionPlugin => ({ name, handles: () => true, ...more })
const names = (plugins: readonly AdmissionPlugin[]) => plugins.map(({ name }) => name)

test('plugins are asked in their order about the resources that they name, and about all when they name none', () => {
  const plugins = [
    plugin('all', { mutate() {}, validate() {} }),
    plugin('pods', { resources: ['/pods'], validate() {} }),
    plugin('apps', { resources: ['apps/deployments', 'apps/pods'], mutate() {} }),
    plugin('both', { resources: ['apps/deployments', '/pods'], mutate() {}, validate() {} }),
  ]
  const interested = interestedIn(plugins)
  const rows = [
    { group: '', resource: 'pods', mutate: ['all', 'both'], validate: ['all', 'pods', 'both'] },
    { group: 'apps', resource: 'pods', mutate: ['all', 'apps'], validate: ['all'] },
    { group: 'apps', resource: 'deployments', mutate: ['all', 'apps', 'both'], validate: ['all', 'both'] },
    { group: '', resource: 'nodes', mutate: ['all'], validate: ['all'] },
  ]
  for (const { group, resource, ...expected } of [...rows, ...rows]) {
    const { mutate, validate } = interested({ group, resource })
    assert.deepEqual({ mutate: names(mutate), validate: names(validate) }, expected)
  }
  assert.deepEqual(names(interested(undefined).mutate), ['all'])
})

test('few plugins are asked about a ConfigMap', () => {
  const nothing = {} as never
  const plugins = defaultAdmission({ reader: nothing, authorizer: nothing, rules: nothing, client: () => nothing, clock: realClock })
  const asked = new Set(names(Object.values(interestedIn(plugins)({ group: '', resource: 'configmaps' })).flat()))
  assert.ok(asked.has('NamespaceLifecycle') && asked.has('ResourceQuota'))
  assert.ok(!asked.has('Priority') && !asked.has('PodSecurity') && asked.size <= 5, [...asked].join())
})
