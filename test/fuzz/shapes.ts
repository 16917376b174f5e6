import type { Request } from '#client'
import { memoryStore } from '#store'
import { admin, startTestServer } from '../../src/apiserver/test-server.ts'
import { chooser, mulberry32 } from '../random.ts'
import type { Cost } from './cost.ts'
import { costOf } from './cost.ts'
import { cborShapes, jsonShapes, yamlShapes } from './large.ts'
import { largeBody, largePatch, post, setup } from './requests.ts'
import { mostBytes } from './run.ts'

/** One large request, what was answered and what that cost. */
export interface ShapeCost extends Cost {
  name: string
  status: number
}

const configMaps = '/api/v1/namespaces/default/configmaps'

const deployments = '/apis/apps/v1/namespaces/default/deployments'
const many = <T>(size: number, make: (n: number) => T) => Array.from({ length: size }, (_, n) => make(n))
const patch = (path: string, type: string, value: unknown, query: Record<string, string> = {}): Request => ({
  ...post(path, query, `application/${type}`, JSON.stringify(value)),
  method: 'PATCH',
})

/** Patches of large objects: what has to be there first, and what is sent then. */
function* patches(): Generator<[name: string, request: Request, before: Request]> {
  const containers = (count: number, image: string) => many(count, (n) => ({ name: `c${n}`, image }))
  const pods = (list: unknown, more = {}) => ({ spec: { template: { spec: { containers: list, ...more } } } })
  const deployment = (name: string, list: unknown) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: list } } },
  })
  const strategic = 'strategic-merge-patch+json'
  for (const [name, count] of [
    ['5,000 containers', 5000],
    ['12,000 containers', 12_000],
  ] as const) {
    const before = () => post(deployments, {}, 'application/json', JSON.stringify(deployment('wide', containers(count, 'i'))))
    const path = `${deployments}/wide`
    const names = many(count, (n) => ({ name: `c${n}` }))
    yield [`strategic: all of ${name}`, patch(path, strategic, pods(containers(count, 'j'))), before()]
    yield [`strategic: as many more as ${name}`, patch(path, strategic, pods(many(count, (n) => ({ name: `d${n}`, image: 'i' })))), before()]
    yield [`strategic: the order of ${name}`, patch(path, strategic, pods([], { '$setElementOrder/containers': names.toReversed() })), before()]
    yield [`strategic: deletion of ${name}`, patch(path, strategic, pods(names.map((item) => ({ ...item, $patch: 'delete' })))), before()]
    for (const query of [{ fieldManager: 'x', force: 'true' }, { fieldManager: 'x' }] as Record<string, string>[])
      yield [`apply: all of ${name} ${query['force'] ?? ''}`, patch(path, 'apply-patch+yaml', deployment('wide', containers(count, 'j').toReversed()), query), before()]
    yield [`merge: all of ${name}`, patch(path, 'merge-patch+json', pods(containers(count, 'j'))), before()]
  }
  const finalizers = many(60_000, (n) => `a.b/f${n}`)
  const map = (more: object, data = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'wide', ...more }, data })
  const before = () => post(configMaps, {}, 'application/json', JSON.stringify(map({ finalizers })))
  const path = `${configMaps}/wide`
  yield ['strategic: finalizers', patch(path, strategic, { metadata: { finalizers: finalizers.toReversed() } }), before()]
  yield ['strategic: deletion of finalizers', patch(path, strategic, { metadata: { '$deleteFromPrimitiveList/finalizers': finalizers } }), before()]
  yield ['strategic: the order of finalizers', patch(path, strategic, { metadata: { '$setElementOrder/finalizers': finalizers.toReversed() } }), before()]
  yield ['apply: finalizers', patch(path, 'apply-patch+yaml', map({ finalizers: finalizers.toReversed() }), { fieldManager: 'x' }), before()]
  const keys = many(60_000, (n) => `k${n}`)
  const data = Object.fromEntries(keys.map((key) => [key, '']))
  yield ['strategic: retained keys', patch(path, strategic, { data: { ...data, $retainKeys: keys } }), before()]
  yield ['merge: all keys away', patch(path, 'merge-patch+json', { data: Object.fromEntries(keys.map((key) => [key, null])) }), post(configMaps, {}, 'application/json', JSON.stringify(map({}, data)))]
  yield ['apply: other values of all keys', patch(path, 'apply-patch+yaml', map({}, Object.fromEntries(keys.map((key) => [key, 'x']))), { fieldManager: 'x' }), post(configMaps, {}, 'application/json', JSON.stringify(map({}, data)))]
} // prettier-ignore

/** The large requests that have names, and `random` more: full size, so that each costs what it can. */
export function* shapes(random: number): Generator<[name: string, request: Request, before?: Request]> {
  yield* patches()
  const strict = { fieldValidation: 'Strict' }
  for (const [name, text] of yamlShapes) yield [`yaml ${name}`, post(configMaps, strict, 'application/yaml', text(mostBytes - 100))]
  for (const [name, text] of jsonShapes)
    for (const type of ['application/json', 'application/yaml']) yield [`${type} ${name}`, post(configMaps, strict, type, text(mostBytes - 100))]
  for (const [name, bytes] of cborShapes) yield [`cbor ${name}`, post(configMaps, strict, 'application/cbor', bytes(mostBytes - 100))]
  for (let seed = 1; seed <= random; seed++) {
    const c = chooser(mulberry32(seed))
    const request = seed % 2 ? largeBody(c, mostBytes) : largePatch(c, mostBytes)
    yield [
      `${seed} ${request.method} ${request.path} ${request.query} ${request.headers['content-type']} ${Buffer.from(request.body as Uint8Array).toString('latin1', 0, 160)}`,
      request,
    ]
  }
}

/** Sends each to a server of its own age, and tells its cost. */
export async function costsOfShapes(random: number, onCost: (cost: ShapeCost) => void): Promise<void> {
  let left = 0
  let t: Awaited<ReturnType<typeof startTestServer>> | undefined
  for (const [name, request, before] of shapes(random)) {
    if ((request.body as Uint8Array).length > mostBytes) continue
    if (left-- === 0 || before) {
      await t?.[Symbol.asyncDispose]()
      t = await startTestServer({ store: memoryStore() })
      left = 30
      for (const each of setup) await t.server.transport(admin).send(each)
    }
    const transport = t!.server.transport(admin)
    if (before) await transport.send(before)
    const { value, cost } = await costOf(() => transport.send(request), true)
    onCost({ name, status: value.status, ...cost })
  }
  await t?.[Symbol.asyncDispose]()
}
