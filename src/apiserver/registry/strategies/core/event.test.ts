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
  ['counts are of older ones', 'events.k8s.io/v1', event({ count: 2 }), undefined, ['count: Invalid value: "": needs to be unset']],
  ['they go on as a series', 'events.k8s.io/v1', event({ series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' } }), event(), []],
  ['their reason stays', 'events.k8s.io/v1', event({ reason: 'S' }), event(), ['reason: Invalid value: "S": field is immutable']],
  [
    'their object stays',
    'events.k8s.io/v1',
    event({ involvedObject: { namespace: 'default', name: 'q' } }),
    event(),
    [
      'involvedObject: Invalid value: {"Kind":"","Namespace":"default","Name":"q","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}: field is immutable',
    ],
  ],
  [
    'their reporter stays',
    'events.k8s.io/v1',
    event({ reportingInstance: 'j' }),
    event(),
    ['reportingInstance: Invalid value: "j": field is immutable'],
  ],
  ['those of the core may change', 'v1', event({ reason: 'S' }), event(), []],
  ['series that stay may be what they were', 'events.k8s.io/v1', event({ series: { count: 1 } }), event({ series: { count: 1 } }), []],
]

for (const [title, apiVersion, object, before, causes] of rows)
  test(`events: ${title}`, () => {
    const made = object as unknown as KubeObject as never
    const more = before ? eventStrategy.validateUpdate!(made, before as never, apiVersion) : eventStrategy.validateCreate!(made, apiVersion)
    const found = [...eventStrategy.validate!(made, apiVersion, before as never), ...more].map(({ field, message }) => `${field}: ${message}`)
    assert.equal(found.length, causes.length, found.join('\n'))
    for (const [i, cause] of causes.entries()) assert.ok(found[i]!.startsWith(cause), `${found[i]!} does not begin with ${cause}`)
  })
