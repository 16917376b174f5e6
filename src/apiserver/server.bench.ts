import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, openSqliteStore } from '#store'
import type { core } from '#api'
import { resources } from '#api'
import { startBenchServer } from './bench-server.ts'
import { loopbackUser } from './standard.ts'

/**
 * An API server to put load on: `tools/run src/apiserver/server.bench.ts [memory|sqlite] [port]` listens until it is interrupted; the token is `admintoken` (exempt from flow
 * control) or `usertoken`. It holds a ConfigMap `default/bench` and 500 pods in the namespace `full`.
 */
const [, , kind = 'sqlite', port = '26443'] = process.argv
const directory = mkdtempSync(join(tmpdir(), 'k8ts-bench-'))
const store = kind === 'memory' ? memoryStore() : await openSqliteStore({ path: join(directory, 'state.db') })
const server = await startBenchServer(store, Number(port))
console.log(`ready after ${performance.now().toFixed(0)} ms at ${server.url}`)
const client = server.client(loopbackUser, 'kube-apiserver')
await client
  .resource<core.ConfigMap>(resources.configMaps)
  .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bench', namespace: 'default' }, data: { k: 'x'.repeat(512) } })
const pods = client.resource<core.Pod>(resources.pods)
const container = {
  name: 'c',
  image: 'nginx:1.25',
  ports: [{ containerPort: 80 }],
  resources: { requests: { cpu: '10m', memory: '16Mi' } },
  env: [{ name: 'A', value: 'b' }],
}
await Promise.all(
  Array.from({ length: 500 }, (_, i) =>
    pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${i}`, namespace: 'full', labels: { app: 'bench' } },
      spec: { automountServiceAccountToken: false, containers: [container] },
    }),
  ),
)
console.log('filled')
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    void server[Symbol.asyncDispose]()
      .then(() => store[Symbol.asyncDispose]())
      .then(() => {
        rmSync(directory, { recursive: true })
        process.exit(0)
      })
  })
