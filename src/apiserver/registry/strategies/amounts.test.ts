import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultAmounts } from './amounts.ts'
import { strategies } from './index.ts'

test('amounts are rounded up to thousandths', async (t) => {
  const rows: [given: string, kept: string][] = [
    ['100u', '1m'],
    ['1500u', '2m'],
    ['1n', '1m'],
    ['-1500u', '-2m'],
    ['999999u', '1'],
    ['1e-6', '1e-3'],
    ['1m', '1m'],
    ['1e-3', '1e-3'],
    ['128Mi', '128Mi'],
    ['0', '0'],
  ]
  for (const [given, kept] of rows)
    await t.test(given, () => {
      const list = { cpu: given }
      defaultAmounts(list)
      assert.equal(list.cpu, kept)
    })
})

test('every list of amounts of a kind is rounded', async (t) => {
  const fine = () => ({ cpu: '100u' })
  const both = () => ({ limits: fine(), requests: fine() })
  const container = () => ({ name: 'c', image: 'i', resources: both() })
  const rows: [key: string, make: () => object][] = [
    ['/nodes', () => ({ status: { capacity: fine(), allocatable: fine() } })],
    ['/resourcequotas', () => ({ spec: { hard: fine() }, status: { hard: fine(), used: fine() } })],
    ['/persistentvolumes', () => ({ spec: { capacity: fine() } })],
    ['/persistentvolumeclaims', () => ({ spec: { resources: both() }, status: { capacity: fine(), allocatedResources: fine() } })],
    [
      '/limitranges',
      () => ({
        spec: {
          limits: [{ type: 'Pod', max: fine(), min: fine(), default: fine(), defaultRequest: fine(), maxLimitRequestRatio: fine() }],
        },
      }),
    ],
    ['apps/statefulsets', () => ({ spec: { template: {}, volumeClaimTemplates: [{ spec: { resources: both() } }] } })],
    [
      '/pods',
      () => ({
        spec: {
          overhead: fine(),
          resources: both(),
          containers: [container()],
          initContainers: [container()],
          ephemeralContainers: [container()],
          volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: { resources: both() } } } }],
        },
      }),
    ],
  ]
  for (const [key, make] of rows)
    await t.test(key, () => {
      const strategy = strategies[key]!
      const object = make() as never
      strategy.default!(object)
      assert.doesNotMatch(JSON.stringify(object), /100u/)
      assert.match(JSON.stringify(object), /"cpu":"1m"/)
    })
})
