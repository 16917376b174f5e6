import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { openapiHandler } from '../../src/apiserver/openapi/index.ts'
import { startTestServer } from '../../src/apiserver/test-server.ts'
import { client } from './cluster.ts'

/** An API server alone: what formats clients and it speak needs no nodes. */
const custom: never[] = []
const server = await startTestServer({
  documents: [(path, accept, _extensions, options) => openapiHandler(path, accept, custom, { gitVersion: 'v1.36.0', ...options })],
})
const files = mkdtempSync(join(tmpdir(), 'k8ts-formats-'))
after(async () => {
  rmSync(files, { recursive: true })
  await server[Symbol.asyncDispose]()
})
const kubeconfig = join(files, 'kubeconfig')
writeFileSync(
  kubeconfig,
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: server.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'admintoken' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
    'current-context': 'c',
  }),
)

const run = promisify(execFile)
const env = { PATH: process.env['PATH'], HOME: files, KUBECONFIG: kubeconfig }
const preferCbor = { KUBE_FEATURE_ClientsAllowCBOR: 'true', KUBE_FEATURE_ClientsPreferCBOR: 'true' }
const kubectl = (args: string[], more: NodeJS.ProcessEnv = {}) => run(client('kubectl'), args, { env: { ...env, ...more } })

/** The media types of the answers that kubectl tells of with -v=8. */
const answered = (told: string) => new Set([...told.matchAll(/Content-Type: (application\/cbor[-\w]*)/g)].map(([, type]) => type))

test('kubectl that prefers CBOR waits by a sequence of it, and asks in it whether what it deleted is gone', async () => {
  await kubectl(['create', 'configmap', 'settings', '--from-literal=mode=old'])
  const changed = kubectl(['patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"mode":"new"}}'])
  const waited = await kubectl(['wait', '--for=jsonpath={.data.mode}=new', 'configmap/settings', '--timeout=120s', '-v=8'], preferCbor)
  await changed
  assert.match(waited.stdout, /configmap\/settings condition met/)
  assert.ok(answered(waited.stderr).has('application/cbor-seq'), waited.stderr)
  const deleted = await kubectl(['delete', 'configmap', 'settings', '-v=8'], preferCbor)
  assert.match(deleted.stdout, /configmap "settings" deleted/)
  assert.ok(answered(deleted.stderr).has('application/cbor'), deleted.stderr)
})

test('documents are described, validated and compared by what the server publishes', async () => {
  const { stdout } = await kubectl(['explain', 'configmap.binaryData'])
  assert.match(stdout, /FIELD: binaryData <map\[string\]string>/)
  const file = join(files, 'map.json')
  const write = (more: object) => writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, ...more }))
  write({ dta: { k: 'v' } })
  await assert.rejects(kubectl(['create', '-f', file]), /strict decoding error: unknown field "dta"/)
  write({ data: { k: 'v' } })
  assert.match((await kubectl(['apply', '-f', file])).stdout, /configmap\/m created/)
  await kubectl(['diff', '-f', file])
  write({ data: { k: 'w' } })
  await assert.rejects(
    kubectl(['diff', '-f', file]),
    (error: { code: number; stdout: string }) => error.code === 1 && /^\+ {2}k: w$/m.test(error.stdout),
  )
})
