import { memoryStore } from '#store'
import { startBenchServer } from '../bench-server.ts'
import { admin } from '../test-server.ts'

/** What a create costs apart from HTTP and the disk, in CPU time: `tools/run src/apiserver/registry/create.bench.ts [pods|configmaps] [rounds]`. */
const [, , only, rounds = '5'] = process.argv
const store = memoryStore()
const server = await startBenchServer(store, 0)
const transport = server.transport(admin)
const query = new URLSearchParams()
const headers = { 'content-type': 'application/json' }
const workers = 16

const bodies = {
  pods: (name: string) =>
    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"${name}","labels":{"app":"bench"}},"spec":{"schedulerName":"nobody","automountServiceAccountToken":false,"containers":[{"name":"c","image":"nginx:1.25","ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"10m","memory":"16Mi"}},"env":[{"name":"A","value":"b"}]}]}}`,
  configmaps: (name: string) =>
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}","labels":{"app":"bench"}},"data":{"k":"${'x'.repeat(512)}"}}`,
}

let made = 0

async function create(resource: keyof typeof bodies, count: number): Promise<void> {
  const worker = async () => {
    for (let i = 0; i < count / workers; i++) {
      const body = Buffer.from(bodies[resource](`n-${made++}`))
      const { status } = await transport.send({ method: 'POST', path: `/api/v1/namespaces/default/${resource}`, query, headers, body })
      if (status !== 201) throw new Error(`${resource}: ${status}`)
    }
  }
  await Promise.all(Array.from({ length: workers }, worker))
}

for (const resource of ['pods', 'configmaps'] as const) {
  if (only && only !== resource) continue
  await create(resource, 10_000)
  const times: number[] = []
  for (let round = 0; round < Number(rounds); round++) {
    const before = process.cpuUsage()
    await create(resource, 10_000)
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 10_000)
  }
  times.sort((a, b) => a - b)
  console.log(`${resource}: ${times[0]!.toFixed(1)} µs of CPU per create at best, ${times[times.length >> 1]!.toFixed(1)} in the middle`)
}
await server[Symbol.asyncDispose]()
await store[Symbol.asyncDispose]()
