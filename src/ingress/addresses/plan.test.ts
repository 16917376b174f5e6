import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core, networking } from '#api'
import { ofOurClass } from '../class.ts'
import { staticAddresses } from './book.ts'
import type { AddressClaim } from './plan.ts'
import { claimsOf, planAddresses } from './plan.ts'
import { addressPool } from './pool.ts'

const pool = addressPool('10.67.0.0/16')

let count = 0
const claim = (key: string, wants: AddressClaim['wants'], more: Partial<AddressClaim> = {}): AddressClaim => ({
  kind: 'Ingress',
  key: `ns/${key}`,
  uid: `${key}-${count++}`,
  created: '2026-01-01T00:00:00Z',
  wants,
  ...more,
})
const later = { created: '2026-01-02T00:00:00Z' }

const rows: [name: string, claims: AddressClaim[], statics: Record<string, string>, answers: string[]][] = [
  ['who asks for any address gets the first free one', [claim('a', 'any'), claim('b', 'any')], {}, ['10.67.0.1', '10.67.0.2']],
  ['an address that is held is kept', [claim('a', 'any'), claim('b', 'any', { held: '10.67.0.1' })], {}, ['10.67.0.2', '10.67.0.1']],
  ['a static address is not given to others', [claim('a', 'any')], { home: '10.67.0.1' }, ['10.67.0.2']],
  ['a static address goes to who asks for it by name', [claim('a', { name: 'home' })], { home: '10.67.200.1' }, ['10.67.200.1']],
  [
    'who has another address moves to the static one',
    [claim('a', { name: 'home' }, { held: '10.67.0.9' })],
    { home: '10.67.200.1' },
    ['10.67.200.1'],
  ],
  ['a name that is not reserved gives no address', [claim('a', { name: 'none' }, { held: '10.67.0.1' })], {}, ['AddressNotFound']],
  [
    'of two who ask for one static address the older gets it',
    [claim('a', { name: 'home' }, later), claim('b', { name: 'home' })],
    { home: '10.67.200.1' },
    ['AddressInUse', '10.67.200.1'],
  ],
  [
    'who has it keeps it from an older one',
    [claim('a', { name: 'home' }, { ...later, held: '10.67.200.1' }), claim('b', { name: 'home' })],
    { home: '10.67.200.1' },
    ['10.67.200.1', 'AddressInUse'],
  ],
  ['a service may name an address itself', [claim('a', { ip: '10.67.3.4' })], {}, ['10.67.3.4']],
  ['but only one of the pool', [claim('a', { ip: '8.8.8.8' })], {}, ['AddressNotInPool']],
  [
    'and not one that another has',
    [claim('a', { ip: '10.67.0.1' }), claim('b', 'any', { ...later, held: '10.67.0.1' })],
    {},
    ['AddressInUse', '10.67.0.1'],
  ],
  ['who no longer asks has none', [claim('a', 'none', { held: '10.67.0.1' }), claim('b', 'any')], {}, ['none', '10.67.0.1']],
]
for (const [name, claims, statics, answers] of rows)
  test(name, () => {
    const decisions = planAddresses(claims, new Map(Object.entries(statics)), pool)
    assert.deepEqual(
      decisions.map((d) => d.ip ?? d.problem?.reason ?? 'none'),
      answers,
    )
  })

test('addresses are asked for by Ingresses of our class and by load balancers of no other implementation', () => {
  const isOurs = ofOurClass([{ metadata: { name: 'k8ts' }, spec: { controller: 'k8ts.dev/ingress' } } as networking.IngressClass])
  const meta = (name: string, annotations = {}) => ({ name, namespace: 'ns', uid: name, annotations })
  const ingress = (name: string, ingressClassName: string | undefined, annotations = {}) =>
    ({ metadata: meta(name, annotations), spec: { ingressClassName } }) as networking.Ingress
  const service = (name: string, spec: object, annotations = {}, status = {}) => ({ metadata: meta(name, annotations), spec, status }) as core.Service
  const claims = claimsOf(
    [
      ingress('ours', 'k8ts'),
      ingress('static', 'k8ts', { 'kubernetes.io/ingress.global-static-ip-name': 'home' }),
      ingress('old', undefined, { 'kubernetes.io/ingress.class': 'k8ts' }),
      ingress('foreign', 'nginx'),
      ingress('classless', undefined),
    ],
    [
      service('plain', { type: 'ClusterIP' }),
      service('balanced', { type: 'LoadBalancer' }),
      service('fixed', { type: 'LoadBalancer', loadBalancerIP: '10.67.0.7' }),
      service('named', { type: 'LoadBalancer' }, { 'networking.gke.io/load-balancer-ip-addresses': 'home' }),
      service('others', { type: 'LoadBalancer', loadBalancerClass: 'x/y' }),
      service('former', { type: 'ClusterIP' }, {}, { loadBalancer: { ingress: [{ ip: '10.67.0.3' }] } }),
    ],
    isOurs,
    pool,
  )
  assert.deepEqual(
    claims.map((c) => [c.key, c.wants]),
    [
      ['ns/ours', 'any'],
      ['ns/static', { name: 'home' }],
      ['ns/old', 'any'],
      ['ns/balanced', 'any'],
      ['ns/fixed', { ip: '10.67.0.7' }],
      ['ns/named', { name: 'home' }],
      ['ns/former', 'none'],
    ],
  )
})

test('a pool knows its addresses by one spelling, and fills its halves in order', () => {
  for (const ip of ['10.67.0.1', '10.67.255.254']) assert.ok(pool.contains(ip), ip)
  for (const ip of ['10.67.0.0', '10.67.0.255', '10.67.1.256', '10.67.01.1', '10.6.7.1', '10.670.0.1', '10.67.0.1/32', '10.67.0'])
    assert.ok(!pool.contains(ip), ip)
  assert.equal(pool.free(new Set(['10.67.0.1']), 'lower'), '10.67.0.2')
  assert.equal(pool.free(new Set(), 'upper'), '10.67.128.1')
  assert.equal(pool.free({ has: () => true }, 'lower'), undefined)
  assert.throws(() => addressPool('10.67.0.0/24'), RangeError)
})

test('entries of the book that are no address of the pool are left out', () => {
  const book = { data: { a: '10.67.0.1', b: '1.2.3.4', c: 'nonsense' } } as unknown as core.ConfigMap
  assert.deepEqual([...staticAddresses(book, pool)], [['a', '10.67.0.1']])
})
