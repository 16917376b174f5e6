import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '#base'
import { memoryStore, openSqliteStore } from '#store'
import { resources } from '#api'
import { flowControl } from './flowcontrol/index.ts'
import { admin, startTestServer } from './test-server.ts'

/**
 * An API server to put load on: `tools/run src/apiserver/server.bench.ts [memory|sqlite] [port]` listens until it is interrupted; the token is
 * `admintoken` (exempt from flow control) or `usertoken`. `BENCH_WITHOUT_FLOW=1` leaves flow control out, to see what it costs. It holds a ConfigMap `default/bench` and 500 pods in the namespace `full`.
 */
const [, , kind = 'sqlite', port = '26443'] = process.argv
const directory = mkdtempSync(join(tmpdir(), 'k8ts-bench-'))
const started = performance.now()
const store = kind === 'memory' ? memoryStore() : await openSqliteStore({ path: join(directory, 'state.db') })
const user = Object.freeze({ username: 'alice', groups: ['system:authenticated'] })
const t = await startTestServer({
  store,
  port: Number(port),
  freeze: false,
  authenticators: [
    { authenticate: ({ bearerToken }) => Promise.resolve(bearerToken === 'usertoken' ? user : bearerToken === 'admintoken' ? admin : 'invalid') },
  ],
  ...(process.env['BENCH_WITHOUT_FLOW'] ? {} : { flow: flowControl({ clock: realClock }) }),
})
console.log(`ready after ${(performance.now() - started).toFixed(0)} ms (process: ${performance.now().toFixed(0)} ms) at ${t.url}`)
await t.client
  .resource(resources.configMaps)
  .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bench', namespace: 'default' }, data: { k: 'x'.repeat(512) } })
const pods = t.client.resource(resources.pods)
await Promise.all(
  Array.from({ length: 500 }, (_, i) =>
    pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${i}`, namespace: 'full', labels: { app: 'bench' } },
      spec: {
        containers: [
          {
            name: 'c',
            image: 'nginx:1.25',
            ports: [{ containerPort: 80 }],
            resources: { requests: { cpu: '10m', memory: '16Mi' } },
            env: [{ name: 'A', value: 'b' }],
          },
        ],
      },
    } as never),
  ),
)
console.log('filled')
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    void t[Symbol.asyncDispose]().then(() => {
      rmSync(directory, { recursive: true })
      process.exit(0)
    })
  })
