import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import { eventStrategy } from './event.ts'

type Rows = [title: string, apiVersion: string, event: object, old: object | undefined, causes: string[]][]

const event = (more: object = {}) => ({
  metadata: { name: 'e', namespace: 'default' },
  involvedObject: { namespace: 'default' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingComponent: 'a.io/c',
  reportingInstance: 'i',
  action: 'A',
  reason: 'R',
  type: 'Normal',
  ...more,
})
const old = event({ eventTime: null, type: 'Odd' })
const notSaid = (field: string) => [
  `${field}: Required value`,
  `${field}: Invalid value: "": name part must be non-empty`,
  `${field}: Invalid value: "": name part must consist of`,
]

const rows: Rows = [
  ['nothing is wrong', 'events.k8s.io/v1', event(), undefined, []],
  ['who reports is called a component in the core', 'v1', event({ reportingComponent: '' }), undefined, notSaid('reportingComponent')],
  ['who reports is called a controller since', 'events.k8s.io/v1', event({ reportingComponent: '' }), undefined, notSaid('reportingController')],
  [
    'new events have a time and a known type',
    'events.k8s.io/v1',
    event({ eventTime: null, type: 'Odd' }),
    undefined,
    ['eventTime: Required value', 'type: Invalid value: "": has invalid value: Odd'],
  ],
  ['older ones may be changed without', 'events.k8s.io/v1', { ...old, message: 'x' }, old, []],
  [
    'series that are new have counted twice',
    'events.k8s.io/v1',
    event({ series: { count: 1 } }),
    event(),
    ['series.count: Invalid value: "": should be at least 2', 'series.lastObservedTime: Required value'],
  ],
  ['series that stay may be what they were', 'events.k8s.io/v1', event({ series: { count: 1 } }), event({ series: { count: 1 } }), []],
]

for (const [title, apiVersion, object, before, causes] of rows)
  test(`events: ${title}`, () => {
    const found = eventStrategy.validate!(object as unknown as KubeObject as never, apiVersion, before as never).map(
      ({ field, message }) => `${field}: ${message}`,
    )
    assert.equal(found.length, causes.length, found.join('\n'))
    for (const [i, cause] of causes.entries()) assert.ok(found[i]!.startsWith(cause), `${found[i]!} does not begin with ${cause}`)
  })
