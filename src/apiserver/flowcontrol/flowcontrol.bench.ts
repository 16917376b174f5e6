import { realClock } from '#base'
import { deadlines } from '../http/deadlines.ts'
import { parseRequest } from '../parse-request.ts'
import { defaultLevels, defaultSchemas } from './defaults.ts'
import { flowControl } from './flow-control.ts'
import type { Seat } from './seat.ts'
import { estimateWork } from './work.ts'

/** What a request pays for flow control and its deadline while there is no contention: `tools/run src/apiserver/flowcontrol/flowcontrol.bench.ts`. */
const flow = flowControl({ clock: realClock })
flow.configure(defaultLevels, defaultSchemas)
const users = {
  exempt: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
  kubelet: { username: 'system:node:n', groups: ['system:nodes', 'system:authenticated'] },
  user: { username: 'alice', groups: ['system:authenticated'] },
}
const path = '/api/v1/namespaces/default/configmaps/bench'
const perTurn = 32
const turns = 2000

/** The fastest of ten rounds, nanoseconds for each of them. */
async function fastest(name: string, one: () => unknown): Promise<void> {
  let best = Infinity
  for (let round = 0; round < 10; round++) {
    let spent = 0
    for (let turn = 0; turn < turns; turn++) {
      const began = performance.now()
      for (let i = 0; i < perTurn; i++) await one()
      spent += performance.now() - began
      // as in a server, so many requests share a turn of the loop
      await new Promise((resolve) => setImmediate(resolve))
    }
    best = Math.min(best, (spent * 1e6) / (turns * perTurn))
  }
  console.log(`${name.padEnd(24)} ${best.toFixed(0)} ns`)
}

await fastest('nothing', () => {})
for (const [name, user] of Object.entries(users)) {
  const info = parseRequest('GET', path, undefined, user)
  const request = { query: new URLSearchParams() }
  await fastest(`flow control, ${name}`, () => {
    const now = performance.now()
    const seat = flow.enter({ info, work: estimateWork(info, request.query, undefined), now, request })
    const leave = (taken: Seat) => flow.leave(taken, now, performance.now())
    return seat instanceof Promise ? seat.then(leave) : leave(seat)
  })
}
using limits = deadlines({ clock: realClock })
const request = { method: 'GET' as const, path, query: new URLSearchParams(), headers: {} }
const response = { status: 200, headers: {}, body: { bytes: new Uint8Array() } }
await fastest('a promise', () => Promise.resolve(response))
await fastest('a promise with deadline', () => limits.within(request, Promise.resolve(response)))
