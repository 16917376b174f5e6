import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core, discovery } from '#api'
import { addressPool } from './pool.ts'
import { entryNodes } from './routes.ts'

const pool = addressPool('10.67.0.0/16')
const service = (spec: Partial<core.ServiceSpec>, ip = '10.67.0.1') =>
  ({
    metadata: { name: 's', namespace: 'ns' },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: { ingress: [{ ip }] } },
  }) as core.Service
const slice = (...endpoints: [node: string, conditions?: discovery.EndpointConditions][]) =>
  ({
    endpoints: endpoints.map(([nodeName, conditions]) => ({ addresses: ['10.64.0.1'], nodeName, conditions })),
  }) as unknown as discovery.EndpointSlice
const gone = { ready: false, serving: false, terminating: true }
const leaving = { ready: false, serving: true, terminating: true }

const rows: [name: string, service: core.Service, slices: discovery.EndpointSlice[], node: string | undefined][] = [
  ['a service that every node answers for enters anywhere', service({}), [slice(['node-2'])], undefined],
  ['with policy Local it enters where an endpoint is', service({ externalTrafficPolicy: 'Local' }), [slice(['node-2'])], 'node-2'],
  ['at the first of several', service({ externalTrafficPolicy: 'Local' }), [slice(['node-3'], ['node-1'])], 'node-1'],
  ['not where none is ready', service({ externalTrafficPolicy: 'Local' }), [slice(['node-1', leaving], ['node-2'])], 'node-2'],
  ['unless nothing else serves', service({ externalTrafficPolicy: 'Local' }), [slice(['node-1', gone], ['node-2', leaving])], 'node-2'],
  ['without endpoints it is left', service({ externalTrafficPolicy: 'Local' }), [], undefined],
  ['addresses of others are left', service({ externalTrafficPolicy: 'Local' }, '8.8.8.8'), [slice(['node-2'])], undefined],
]
for (const [name, given, slices, node] of rows)
  test(name, () => assert.deepEqual([...entryNodes([given], () => slices, pool).values()], node ? [node] : []))
