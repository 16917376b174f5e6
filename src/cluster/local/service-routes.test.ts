import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { networking } from '#api'
import type { Route } from './service-routes.ts'
import { furtherRanges, planRoutes } from './service-routes.ts'

const own = '10.65.0.0/16'
const cidrs = (...ranges: string[]): networking.ServiceCIDR[] =>
  ranges.map((range, i) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: `r${i}` }, spec: { cidrs: [range] } }))

describe('ranges beside the cluster’s own', () => {
  const rows: [string, string[], string[]][] = [
    ['are none where only the own one is', [own], []],
    ['are those that were added', [own, '10.9.0.0/24', '10.8.0.0/24'], ['10.8.0.0/24', '10.9.0.0/24']],
    ['leave out what lies in the own one', [own, '10.65.7.0/24'], []],
    ['leave out what lies in another', ['10.9.0.0/24', '10.9.0.128/25', '10.9.0.0/24'], ['10.9.0.0/24']],
    ['are of IPv4', ['fd00::/112'], []],
  ]
  for (const [name, all, want] of rows) test(name, () => assert.deepEqual(furtherRanges(cidrs(...all), own), want))
})

describe('routes to ranges', () => {
  const machine: Route[] = [
    { dst: 'default', dev: 'eth0' },
    { dst: '192.168.1.0/24', dev: 'eth0', protocol: 'kernel' },
    { dst: own, dev: 'br' },
  ]
  const ours = (dst: string): Route => ({ dst, dev: 'br', protocol: '107' })
  const plan = (ranges: string[], routes: Route[]) => {
    const { add, remove, refused } = planRoutes(ranges, [...machine, ...routes], 'br')
    return { add, remove, refused: refused.map((r) => r.range) }
  }
  const rows: { name: string; ranges: string[]; routes?: Route[]; add?: string[]; remove?: string[]; refused?: string[] }[] = [
    { name: 'come with the range', ranges: ['10.9.0.0/24'], add: ['10.9.0.0/24'] },
    { name: 'stay as they are', ranges: ['10.9.0.0/24'], routes: [ours('10.9.0.0/24')] },
    { name: 'go with the range', ranges: [], routes: [ours('10.9.0.0/24')], remove: ['10.9.0.0/24'] },
    { name: 'to a single address are the same', ranges: ['10.9.0.1/32'], routes: [ours('10.9.0.1')] },
    { name: 'never cover a network of the machine', ranges: ['192.168.0.0/16'], refused: ['192.168.0.0/16'] },
    { name: 'never cut a piece out of a network of the machine', ranges: ['192.168.1.64/26'], refused: ['192.168.1.64/26'] },
    { name: 'of others are left alone', ranges: [], routes: [{ dst: '10.9.0.0/24', dev: 'br2', protocol: '107' }] },
  ]
  for (const { name, ranges, routes = [], add = [], remove = [], refused = [] } of rows)
    test(name, () => assert.deepEqual(plan(ranges, routes), { add, remove, refused }))
})
