import { memoryStore } from '#store'
import { admin, startTestServer } from '../test-server.ts'

/** What a create costs apart from HTTP and the disk, in CPU time: `tools/run src/apiserver/registry/create.bench.ts`. */
const t = await startTestServer({ store: memoryStore(), freeze: false })
const transport = t.server.transport(admin)
const query = new URLSearchParams()
const headers = { 'content-type': 'application/json' }
const workers = 16

const bodies = {
  pods: (name: string) =>
    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"${name}","labels":{"app":"bench"}},"spec":{"containers":[{"name":"c","image":"nginx:1.25","ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"10m","memory":"16Mi"}},"env":[{"name":"A","value":"b"}]}]}}`,
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
  await create(resource, 5000)
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    await create(resource, 10_000)
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / 10_000)
  }
  console.log(`${resource}: ${Math.min(...rounds).toFixed(0)} µs of CPU per create`)
}
await t[Symbol.asyncDispose]()
