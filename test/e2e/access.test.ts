import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { kubectlIn } from './clients.ts'
import { output, testCluster } from './cluster.ts'
import { buildWebImages } from './web-image.ts'

const cluster = await testCluster('access')
after(() => cluster[Symbol.asyncDispose]())
const kubectl = kubectlIn(cluster, 'default')
const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
}
const { server, 'certificate-authority-data': ca } = config.clusters[0]!.cluster
const status = JSON.parse(await cluster.k8ts('status', '--name', cluster.name, '-o', 'json')) as {
  dataDirectory: string
  nodes: { address: string }[]
}

interface Answer {
  code: number
  message: string
  text: string
}

/** Asks the API server, or another server of the cluster, with its certificate checked; `token` is the only credential. */
function ask(path: string, token?: string, at = server): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = token ? { authorization: `Bearer ${token}` } : {}
    const sent = httpsRequest(new URL(path, at), { ca: Buffer.from(ca, 'base64'), headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        const message = text.startsWith('{') ? ((JSON.parse(text) as { message?: string }).message ?? '') : ''
        resolve({ code: response.statusCode!, message, text })
      })
    })
    sent.on('error', reject).end()
  })
}

const secretValues = { password: `pass-${randomBytes(12).toString('hex')}`, later: `later-${randomBytes(12).toString('hex')}` }

describe('access', () => {
  before(async () => {
    await buildWebImages(cluster)
    await kubectl('create', 'secret', 'generic', 'credentials', `--from-literal=password=${secretValues.password}`)
    const container = {
      name: 'main',
      image: 'localhost/web:1',
      env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'credentials', key: 'password' } } }],
      volumeMounts: [{ name: 'credentials', mountPath: '/credentials' }],
    }
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'client' },
      spec: { containers: [container], volumes: [{ name: 'credentials', secret: { secretName: 'credentials' } }] },
    })
    await kubectl('wait', '--for=condition=Ready', 'pod/client', '--timeout=120s')
  })

  test('nobody in particular may see the version and nothing of what the cluster holds', async () => {
    assert.deepEqual(await ask('/healthz'), { code: 200, message: '', text: 'ok' })
    assert.equal((await ask('/version')).code, 200)
    const message = 'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" in the namespace "default"'
    const { text, ...answer } = await ask('/api/v1/namespaces/default/secrets')
    assert.deepEqual(answer, { code: 403, message })
    const { reason, details } = JSON.parse(text) as { reason: string; details: unknown }
    assert.deepEqual([reason, details], ['Forbidden', { kind: 'secrets' }])
    const named = await ask('/api/v1/namespaces/default/secrets/credentials')
    assert.equal(
      named.message,
      'secrets "credentials" is forbidden: User "system:anonymous" cannot get resource "secrets" in API group "" in the namespace "default"',
    )
    assert.equal((await ask('/metrics')).message, 'forbidden: User "system:anonymous" cannot get path "/metrics"')
    assert.deepEqual(await ask('/api/v1/pods', 'no-such-token').then(({ code, message: m }) => [code, m]), [401, 'Unauthorized'])
  })

  test('a service account may do what it was allowed, and no more', async () => {
    await kubectl('create', 'serviceaccount', 'robot')
    const token = (await kubectl('create', 'token', 'robot')).trim()
    const list = '/api/v1/namespaces/default/pods'
    const refused = await ask(list, token)
    assert.deepEqual(
      [refused.code, refused.message],
      [403, 'pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" in API group "" in the namespace "default"'],
    )
    await kubectl('create', 'role', 'pod-reader', '--verb=get,list,watch', '--resource=pods')
    await kubectl('create', 'rolebinding', 'robot', '--role=pod-reader', '--serviceaccount=default:robot')
    assert.equal((await ask(list, token)).code, 200)
    assert.equal((await ask('/api/v1/namespaces/kube-system/pods', token)).code, 403, 'only in its namespace')
    assert.equal((await ask('/api/v1/namespaces/default/secrets', token)).code, 403)
    const asRobot = ['--as=system:serviceaccount:default:robot']
    await kubectl('create', 'rolebinding', 'robot-admin', '--clusterrole=edit', '--serviceaccount=default:robot')
    await kubectl('create', 'role', 'role-maker', '--verb=create', '--resource=roles.rbac.authorization.k8s.io')
    await kubectl('create', 'rolebinding', 'robot-maker', '--role=role-maker', '--serviceaccount=default:robot')
    const grown = await kubectl.fails('create', 'role', 'more', '--verb=create', '--resource=rolebindings.rbac.authorization.k8s.io', ...asRobot)
    assert.match(grown.stderr, /is attempting to grant RBAC permissions not currently held/)
    await kubectl('delete', 'rolebinding', 'robot')
    await kubectl('delete', 'rolebinding', 'robot-admin')
    assert.equal((await ask(list, token)).code, 403, 'a right that was taken back is gone at once')
    await kubectl('delete', 'serviceaccount', 'robot')
    assert.equal((await ask(list, token)).code, 401, 'so is the account')
  })

  test('a pod reaches https://kubernetes.default.svc with the token and the authority that are mounted', async () => {
    const script = `
      const { readFileSync } = require('fs')
      const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8')
      const get = (path) => fetch('https://kubernetes.default.svc' + path, { headers: { authorization: 'Bearer ' + token } }).then(async (r) => [r.status, (await r.json()).message ?? null])
      Promise.all(['/api', '/api/v1/namespaces/default/pods'].map(get)).then((answers) => console.log(JSON.stringify(answers)))`
    const authority = 'NODE_EXTRA_CA_CERTS=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'
    const run = async () => JSON.parse(await kubectl('exec', 'client', '--', 'env', authority, 'node', '-e', script)) as [number, string | null][]
    const message =
      'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"'
    assert.deepEqual(await run(), [
      [200, null],
      [403, message],
    ])
    await kubectl('create', 'rolebinding', 'viewer', '--clusterrole=view', '--serviceaccount=default:default')
    assert.deepEqual(await run(), [
      [200, null],
      [200, null],
    ])
    await kubectl('delete', 'rolebinding', 'viewer')
  })

  test('the kubelet answers only who may ask it', async () => {
    const kubelet = `https://${status.nodes[0]!.address}:10250`
    assert.equal((await ask('/pods', undefined, kubelet)).code, 401)
    const token = (await kubectl('create', 'token', 'default')).trim()
    assert.equal((await ask('/pods', token, kubelet)).code, 403)
    assert.equal((await ask('/run/default/client/main?cmd=id', token, kubelet)).code, 403)
    assert.equal((await ask('/pods', 'no-such-token', kubelet)).code, 401)
  })

  test('a node may read what its pods mount, and nothing else that is secret', async () => {
    await kubectl('create', 'secret', 'generic', 'of-nobody', '--from-literal=key=value')
    const asNode = (...args: string[]) => kubectl(...args, '--as=system:node:node-1', '--as-group=system:nodes')
    const failsAsNode = (...args: string[]) => kubectl.fails(...args, '--as=system:node:node-1', '--as-group=system:nodes')
    assert.equal(await asNode('get', 'secret', 'credentials', '-o', 'name'), 'secret/credentials\n')
    assert.match((await failsAsNode('get', 'secret', 'of-nobody')).stderr, /Forbidden/)
    assert.match((await failsAsNode('get', 'secrets')).stderr, /Forbidden/)
    assert.match((await failsAsNode('label', 'node', 'node-1', 'node-restriction.kubernetes.io/x=y')).stderr, /is not allowed to modify labels/)
    assert.match((await kubectl.fails('get', 'secret', 'credentials', '--as=system:node:node-9', '--as-group=system:nodes')).stderr, /Forbidden/)
  })

  test('values of secrets stand in no log of the cluster, and its files are for their owner alone', async () => {
    // written by all verbs, read, refused, used in an environment and a volume
    const encoded = Object.fromEntries(Object.entries(secretValues).map(([name, value]) => [name, Buffer.from(value).toString('base64')]))
    await kubectl('patch', 'secret', 'credentials', '-p', JSON.stringify({ stringData: { later: secretValues.later } }))
    await kubectl.fails('patch', 'secret', 'credentials', '-p', JSON.stringify({ data: { later: `${secretValues.later}!` } }))
    await kubectl.fails('create', 'secret', 'generic', 'credentials', `--from-literal=password=${secretValues.password}`)
    assert.equal(
      await kubectl('exec', 'client', '--', 'sh', '-c', 'echo $PASSWORD; cat /credentials/password'),
      `${secretValues.password}\n${secretValues.password}`,
    )
    const token = (await kubectl('create', 'token', 'default')).trim()
    await ask('/api/v1/secrets', token)

    const logs = await cluster.k8ts('logs', '--name', cluster.name, '--lines', '100000')
    assert.match(logs, /control plane is running/)
    assert.match(logs, /agent is running/)
    const searched = [...Object.values(secretValues), ...Object.values(encoded), token, token.split('.')[2]!]
    for (const value of searched) {
      assert.ok(!logs.includes(value), `${value} stands in what \`k8ts logs\` prints`)
      const found = await output('grep', [
        '-rlF',
        value,
        join(status.dataDirectory, 'logs'),
        join(status.dataDirectory, 'nodes', 'node-1', 'pods'),
      ]).catch((error: Error & { code: number }) => {
        assert.equal(error.code, 1, error.message)
        return ''
      })
      assert.equal(found, '')
    }
    for (const file of ['.', 'pki/ca.key', 'pki/sa.key', 'admin.kubeconfig'])
      assert.equal(statSync(join(status.dataDirectory, file)).mode & 0o077, 0, file)
    assert.equal(statSync(cluster.kubeconfig).mode & 0o077, 0)
  })
})
