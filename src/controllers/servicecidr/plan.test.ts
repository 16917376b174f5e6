import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { networking } from '#api'
import type { ServiceCidrPlan } from './plan.ts'
import { finalizer, planServiceCidr } from './plan.ts'

const now = Date.UTC(2026, 0, 1, 0, 1)
const at = '2026-01-01T00:01:00Z'
const ready = { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready', lastTransitionTime: at }
const blocked = {
  ...ready,
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
}

const range = (name: string, cidrs: string[], metadata: object = {}, conditions: object[] = []): networking.ServiceCIDR =>
  ({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name, ...metadata }, spec: { cidrs }, status: { conditions } }) as never
const address = (name: string, labels = { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' }): networking.IPAddress =>
  ({ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name, labels }, spec: {} }) as never
const going = (name: string, cidrs: string[], seconds = 30, conditions: object[] = [ready]) =>
  range(name, cidrs, { finalizers: [finalizer, 'x'], deletionTimestamp: new Date(now - seconds * 1000).toISOString() }, conditions)

const cidrs = ['10.0.0.0/24']
const rows: [string, networking.ServiceCIDR, networking.ServiceCIDR[], networking.IPAddress[], ServiceCidrPlan][] = [
  ['a new range is kept and ready', range('a', cidrs), [], [], { action: 'keep', finalizers: [finalizer], conditions: [ready] as never }],
  [
    'a range that was not ready becomes so',
    range('a', cidrs, { finalizers: [finalizer] }, [{ ...ready, status: 'False' }]),
    [],
    [],
    { action: 'keep', conditions: [ready] as never },
  ],
  ['a range that is as it should be is left alone', range('a', cidrs, { finalizers: [finalizer] }, [ready]), [], [], { action: 'nothing' }],
  [
    'a range that goes and that others hold is theirs',
    range('a', cidrs, { deletionTimestamp: at, finalizers: ['x'] }),
    [],
    [],
    { action: 'nothing' },
  ],
  ['a range without addresses goes', going('a', cidrs), [], [], { action: 'release', finalizers: ['x'] }],
  ['but not before all have heard of it', going('a', cidrs, 4), [], [], { action: 'wait', milliseconds: 6000 }],
  ['a range with an address stays, and says so', going('a', cidrs), [], [address('10.0.0.1')], { action: 'hold', conditions: [blocked] as never }],
  ['once', going('a', cidrs, 30, [blocked]), [], [address('10.0.0.1')], { action: 'hold' }],
  [
    'addresses of others do not hold it',
    going('a', cidrs),
    [],
    [address('10.0.1.1'), address('2001:db8::1')],
    { action: 'release', finalizers: ['x'] },
  ],
  ['nor do those that are no service’s', going('a', cidrs), [], [address('10.0.0.1', {} as never)], { action: 'release', finalizers: ['x'] }],
  [
    'nor what another range has as well',
    going('a', cidrs),
    [range('b', ['10.0.0.0/30'])],
    [address('10.0.0.1')],
    { action: 'release', finalizers: ['x'] },
  ],
  [
    'unless it is at the edge of that',
    going('a', cidrs),
    [range('b', ['10.0.0.4/30'])],
    [address('10.0.0.4')],
    { action: 'hold', conditions: [blocked] as never },
  ],
  ['a range within another goes', going('a', cidrs), [range('b', ['10.0.0.0/16'])], [address('10.0.0.1')], { action: 'release', finalizers: ['x'] }],
  [
    'unless that goes as well',
    going('a', cidrs),
    [going('b', ['10.0.0.0/16'])],
    [address('10.0.0.1')],
    { action: 'hold', conditions: [blocked] as never },
  ],
  [
    'of two families both have to be covered',
    going('a', ['10.0.0.0/24', '2001:db8::/112']),
    [range('b', ['10.0.0.0/16'])],
    [address('2001:db8::1')],
    { action: 'hold', conditions: [blocked] as never },
  ],
]
for (const [name, cidr, others, addresses, expected] of rows)
  test(name, () => assert.deepEqual(planServiceCidr({ cidr, all: [cidr, ...others], addresses, now }), expected))
