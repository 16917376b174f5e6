import type { Request } from '#client'
import { memoryStore } from '#store'
import { admin, startTestServer } from '../../src/apiserver/test-server.ts'
import { chooser, mulberry32 } from '../random.ts'
import type { Cost } from './cost.ts'
import { costOf } from './cost.ts'
import { jsonShapes, yamlShapes } from './large.ts'
import { largeBody, largePatch, post, setup } from './requests.ts'
import { mostBytes } from './run.ts'

/** One large request, what was answered and what that cost. */
export interface ShapeCost extends Cost {
  name: string
  status: number
}

const configMaps = '/api/v1/namespaces/default/configmaps'

/** The large requests that have names, and `random` more: full size, so that each costs what it can. */
export function* shapes(random: number): Generator<[name: string, request: Request]> {
  const strict = { fieldValidation: 'Strict' }
  for (const [name, text] of yamlShapes) yield [`yaml ${name}`, post(configMaps, strict, 'application/yaml', text(mostBytes - 100))]
  for (const [name, text] of jsonShapes)
    for (const type of ['application/json', 'application/yaml']) yield [`${type} ${name}`, post(configMaps, strict, type, text(mostBytes - 100))]
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
  for (const [name, request] of shapes(random)) {
    if ((request.body as Uint8Array).length > mostBytes) continue
    if (left-- === 0) {
      await t?.[Symbol.asyncDispose]()
      t = await startTestServer({ store: memoryStore() })
      left = 30
      for (const each of setup) await t.server.transport(admin).send(each)
    }
    const transport = t!.server.transport(admin)
    const { value, cost } = await costOf(() => transport.send(request), true)
    onCost({ name, status: value.status, ...cost })
  }
  await t?.[Symbol.asyncDispose]()
}
