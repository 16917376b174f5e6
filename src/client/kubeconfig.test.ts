import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  emptyKubeconfig,
  inClusterConfig,
  kubeconfigPaths,
  loadKubeconfig,
  mergeKubeconfigs,
  parseKubeconfig,
  resolveContext,
  saveKubeconfig,
  withContext,
  withoutContext,
} from './kubeconfig.ts'

let directory: string
before(async () => void (directory = await mkdtemp(join(tmpdir(), 'k8ts-kubeconfig-'))))
after(() => rm(directory, { recursive: true }))

const base64 = (text: string) => Buffer.from(text).toString('base64')
const text = `
apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: c
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${base64('CA')}}
contexts:
- name: dev
  context: {cluster: c, user: u, namespace: team}
- name: ci
  context: {cluster: c, user: robot}
users:
- name: u
  user: {client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}}
- name: robot
  user: {token: t0k, as: alice, as-groups: [dev]}
`

test('a context resolves to what the transport needs', async () => {
  const config = parseKubeconfig(text)
  const dev = await resolveContext(config)
  assert.equal(dev.namespace, 'team')
  assert.deepEqual(
    { server: dev.transport.server, ca: dev.transport.ca, clientCert: dev.transport.clientCert, clientKey: dev.transport.clientKey },
    { server: 'https://127.0.0.1:6443', ca: 'CA', clientCert: 'CERT', clientKey: 'KEY' },
  )
  const ci = await resolveContext(config, 'ci')
  assert.equal(ci.namespace, 'default')
  assert.equal(ci.transport.token, 't0k')
  assert.deepEqual(ci.transport.impersonate, { user: 'alice', uid: undefined, groups: ['dev'], extra: undefined })
})

test('what does not resolve says why', async () => {
  await assert.rejects(resolveContext(emptyKubeconfig()), /no context is set/)
  await assert.rejects(resolveContext(parseKubeconfig(text), 'prod'), /context "prod" does not exist/)
  await assert.rejects(resolveContext({ ...parseKubeconfig(text), clusters: [] }), /cluster "c" of context "dev"/)
  assert.throws(() => parseKubeconfig('- a'), /mapping is expected/)
})

test('the first file that names something wins, and files that are missing count as empty', async () => {
  const first = join(directory, 'first')
  const second = join(directory, 'second')
  await writeFile(first, 'clusters: [{name: c, cluster: {server: "https://first"}}]\ncontexts: null')
  await writeFile(second, text)
  const config = await loadKubeconfig([first, join(directory, 'missing'), second])
  assert.equal(config.clusters[0]!.cluster.server, 'https://first')
  assert.equal(config['current-context'], 'dev')
  assert.equal(config.users.length, 2)
  assert.deepEqual(mergeKubeconfigs([]), emptyKubeconfig())
  await writeFile(first, 'a: [')
  await assert.rejects(loadKubeconfig([first]), /error loading config file/)
})

test('file names count from the file that names them', () => {
  const config = parseKubeconfig('users: [{name: u, user: {tokenFile: tok, exec: {apiVersion: v1, command: ./login}}}]', '/etc/kube')
  assert.equal(config.users[0]!.user.tokenFile, '/etc/kube/tok')
  assert.equal(config.users[0]!.user.exec!.command, '/etc/kube/login')
})

test('KUBECONFIG lists files; without it the home directory is asked', () => {
  assert.deepEqual(kubeconfigPaths({ KUBECONFIG: '/a::/b:/a' }), ['/a', '/b'])
  assert.deepEqual(kubeconfigPaths({ HOME: '/home/x' }), ['/home/x/.kube/config'])
})

test('a context is set and taken out with its cluster and user, and nothing else is touched', async () => {
  const config = parseKubeconfig(text)
  const withOurs = withContext(config, 'k8ts-a', { cluster: { server: 'https://x' }, user: { token: 't' } })
  assert.deepEqual(withContext(withOurs, 'k8ts-a', { cluster: { server: 'https://x' }, user: { token: 't' } }), withOurs)
  const path = join(directory, 'deep', 'config')
  await saveKubeconfig(path, { ...withOurs, 'current-context': 'k8ts-a' })
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const loaded = await loadKubeconfig([path])
  assert.equal((await resolveContext(loaded)).transport.token, 't')
  assert.deepEqual(withoutContext(loaded, 'k8ts-a'), { ...config, 'current-context': '' })
  assert.deepEqual(withoutContext(config, 'ci').clusters, config.clusters)
})

test('an exec plugin is asked once, until its answer expires or is refused', async () => {
  const plugin = join(directory, 'login')
  await writeFile(
    plugin,
    `#!/bin/sh\necho x >>"${directory}/calls"\nprintf '{"kind":"ExecCredential","status":{"token":"%s-%s"}}' "$WHO" "$(wc -l <"${directory}/calls" | tr -d ' ')"`,
  )
  await chmod(plugin, 0o755)
  const config = withContext(emptyKubeconfig(), 'x', {
    cluster: { server: 'https://x' },
    user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, env: [{ name: 'WHO', value: 'me' }] } },
  })
  const source = (await resolveContext(config, 'x')).transport.credentials!
  assert.equal((await source.get()).token, 'me-1')
  assert.equal((await source.get()).token, 'me-1')
  source.invalidate()
  assert.equal((await source.get()).token, 'me-2')
})

test('a pod finds its cluster by the environment and the mounted service account', async () => {
  assert.equal(await inClusterConfig({ env: {} }), undefined)
  await writeFile(join(directory, 'ca.crt'), 'CA')
  await writeFile(join(directory, 'namespace'), 'team\n')
  const found = await inClusterConfig({ env: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, directory })
  assert.deepEqual(found, { namespace: 'team', transport: { server: 'https://[fd00::1]:443', ca: 'CA', tokenFile: join(directory, 'token') } })
})
