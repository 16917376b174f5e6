import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { core } from '#api'
import type { Kubectl } from './clients.ts'
import { kubectlIn } from './clients.ts'
import type { TestCluster } from './cluster.ts'
import { output, testCluster } from './cluster.ts'
import { request } from './requests.ts'
import { buildWebImages } from './web-image.ts'

const [two, one] = await Promise.all([testCluster('two', '--nodes', '2'), testCluster('one')])
after(() => Promise.all([two, one].map((cluster) => cluster[Symbol.asyncDispose]())))
const kubectl = kubectlIn(two, 'default')

interface Status {
  state: string
  endpoints: { internal: string }
  components: { name: string; pid: number }[]
  nodes: { name: string; address: string }[]
}
const statusOf = async (cluster: TestCluster) => JSON.parse(await cluster.k8ts('status', '--name', cluster.name, '-o', 'json')) as Status

const pod = (name: string, node: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'web' } },
  spec: {
    nodeSelector: { 'kubernetes.io/hostname': node },
    hostname: name,
    subdomain: 'peers',
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'web', image: 'localhost/web:1', readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 } }],
  },
})
const service = (name: string, spec: Partial<core.ServiceSpec> = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'web' }, ports: [{ port: 8080, targetPort: 80 }], ...spec },
})
const podIP = (of: Kubectl, name: string) => of('get', 'pod', name, '-o', 'jsonpath={.status.podIP}')
const clusterIP = (of: Kubectl, name: string) => of('get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}')

/** Asks each URL from a pod; an answer is its body, a failure the error's code or name. */
async function ask(of: Kubectl, from: string, urls: string[]): Promise<string[]> {
  const script = `
    const ask = (url) => fetch(url, { signal: AbortSignal.timeout(3000), headers: { connection: 'close' } }).then(async (r) => (await r.text()).trim(), (e) => 'failed: ' + (e.cause?.code ?? e.name))
    // connections that were given up would keep the program alive for longer
    Promise.all(process.argv.slice(1).map(ask)).then((answers) => { console.log(JSON.stringify(answers)); process.exit() })`
  return JSON.parse(
    await of('exec', from, '--', 'env', 'NODE_TLS_REJECT_UNAUTHORIZED=0', 'NODE_NO_WARNINGS=1', 'node', '-e', script, ...urls),
  ) as string[]
}

describe('a cluster of two nodes beside another cluster', () => {
  before(async () => {
    await Promise.all([two, one].map((cluster) => buildWebImages(cluster)))
    await two.apply({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        pod('first', 'node-1'),
        pod('second', 'node-2'),
        service('web'),
        service('peers', { clusterIP: 'None' }),
        service('open', { type: 'NodePort' }),
      ],
    })
    await one.apply({ apiVersion: 'v1', kind: 'List', items: [pod('alone', 'node-1'), service('web')] })
    for (const cluster of [two, one]) await cluster.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=120s')
  })

  test('both nodes are Ready, and an image that was built is on both', async () => {
    assert.equal(await kubectl('get', 'nodes', '-o', 'name'), 'node/node-1\nnode/node-2\n')
    await kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=120s')
    const { state, nodes } = await statusOf(two)
    assert.deepEqual([state, nodes.length], ['running', 2])
    const images = JSON.parse(await two.k8ts('image', 'list', '--name', two.name, '-o', 'json')) as { node: string; images: string[] }[]
    assert.deepEqual(
      images.map(({ node, images: names }) => [node, names.includes('localhost/web:1')]),
      [
        ['node-1', true],
        ['node-2', true],
      ],
    )
  })

  for (const [from, other] of [
    ['first', 'second'],
    ['second', 'first'],
  ] as const)
    test(`from the ${from} node: the other node's pod, services by address and by every name`, async () => {
      const [ip, web] = [await podIP(kubectl, other), await clusterIP(kubectl, 'web')]
      assert.deepEqual(
        await ask(kubectl, from, [`http://${ip}/`, `http://${other}.peers.default.svc.cluster.local/`, `http://${other}.peers/`]),
        Array(3).fill(`1 ${other}`),
      )
      const names = [web, 'web', 'web.default', 'web.default.svc', 'web.default.svc.cluster.local', 'web.default.svc.cluster.local.']
      const answers = await ask(
        kubectl,
        from,
        names.flatMap((name) => Array<string>(4).fill(`http://${name}:8080/`)),
      )
      assert.deepEqual(new Set(answers), new Set(['1 first', '1 second']), 'requests reach the pods of both nodes and nothing else')
      assert.deepEqual(await ask(kubectl, from, ['http://nobody.default.svc.cluster.local/']), ['failed: ENOTFOUND'])
      const lookup = `require('dns').promises.resolve4('peers.default.svc.cluster.local').then((all) => console.log(all.sort().join()))`
      const all = [await podIP(kubectl, 'first'), await podIP(kubectl, 'second')].toSorted().join()
      assert.equal((await kubectl('exec', from, '--', 'node', '-e', lookup)).trim(), all, 'a headless service is its pods')
    })

  test('a node port answers on every node, and a service on this machine, from all pods', async () => {
    const port = await kubectl('get', 'service', 'open', '-o', 'jsonpath={.spec.ports[0].nodePort}')
    const { nodes } = await statusOf(two)
    const urls = [...nodes.map(({ address }) => `http://${address}:${port}/`), `http://${await clusterIP(kubectl, 'web')}:8080/`]
    for (const url of urls) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => request(url)))
      assert.deepEqual(new Set(answers), new Set(['1 first\n', '1 second\n']), url)
    }
    assert.deepEqual(
      new Set(
        await ask(
          kubectl,
          'first',
          urls.flatMap((url) => [url, url, url, url, url, url]),
        ),
      ),
      new Set(['1 first', '1 second']),
    )
  })

  test('a policy for traffic from outside does not concern pods; who prefers its own node is answered there', async () => {
    const only = { selector: { 'e2e/only': 'second' }, type: 'NodePort', externalTrafficPolicy: 'Local' } as const
    await kubectl('label', 'pod', 'second', 'e2e/only=second')
    await two.apply({ apiVersion: 'v1', kind: 'List', items: [service('kept', only), service('near', { trafficDistribution: 'PreferSameNode' })] })
    const port = await kubectl('get', 'service', 'kept', '-o', 'jsonpath={.spec.ports[0].nodePort}')
    const { nodes } = await statusOf(two)
    const [here, there] = nodes.map(({ address }) => `http://${address}:${port}/`) as [string, string]
    await until(async () => (await ask(kubectl, 'first', [here])).includes('1 second'))
    assert.equal(await request(there), '1 second\n')
    await assert.rejects(fetch(here, { signal: AbortSignal.timeout(1000) }), 'from outside the node without a pod does not answer')
    for (const name of ['first', 'second']) {
      const sameNode = async () => (await ask(kubectl, name, Array<string>(6).fill('http://near:8080/'))).every((answer) => answer === `1 ${name}`)
      await until(sameNode)
    }
  })

  test('a range of services that is added has routes on this machine and on nodes', async () => {
    const range = `${(await clusterIP(kubectl, 'web')).split('.')[0]}.250.9.0/28`
    const address = range.replace('.0/28', '.3')
    await two.apply({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'added' }, spec: { cidrs: [range] } })
    await kubectl('wait', '--for=jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', 'servicecidr/added', '--timeout=20s')
    await two.apply(service('added', { clusterIP: address }))
    const routes = () => output('ip', ['route', 'show', range])
    await until(async () => (await routes()) !== '')
    await until(async () => (await request(`http://${address}:8080/`).catch(() => '')).startsWith('1 '))
    assert.match((await ask(kubectl, 'second', [`http://${address}:8080/`]))[0]!, /^1 /)
    await kubectl('delete', 'service', 'added')
    // that the range goes takes its controller ten seconds, and the routes go with it
    await kubectl('delete', 'servicecidr', 'added', '--wait=false')
  })

  test('logs, exec and port-forward reach the pods of both nodes', async () => {
    for (const name of ['first', 'second']) {
      assert.match(await kubectl('logs', name), /version 1 listens/)
      assert.equal(await kubectl('exec', name, '--', 'hostname'), `${name}\n`)
    }
  })

  test('no pod of one cluster reaches anything of the other', async () => {
    const beside = kubectlIn(one, 'default')
    const everything = async (cluster: TestCluster, of: Kubectl, name: string) => {
      const { endpoints, nodes } = await statusOf(cluster)
      return [
        `http://${await podIP(of, name)}/`,
        `http://${await clusterIP(of, 'web')}:8080/`,
        `https://${await clusterIP(of, 'kubernetes')}/version`,
        `${endpoints.internal}/version`,
        ...nodes.map(({ address }) => `https://${address}:10250/healthz`),
      ]
    }
    const [ofTwo, ofOne] = [await everything(two, kubectl, 'first'), await everything(one, beside, 'alone')]
    const reached = (answers: string[], urls: string[]) =>
      urls.filter((_, i) => !/^failed: (TimeoutError|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(answers[i]!))
    // what a cluster's own pods reach shows that the questions are good
    assert.deepEqual(reached(await ask(kubectl, 'first', ofTwo), ofTwo), ofTwo)
    assert.deepEqual(reached(await ask(beside, 'alone', ofOne), ofOne), ofOne)
    assert.deepEqual(reached(await ask(kubectl, 'first', ofOne), ofOne), [])
    assert.deepEqual(reached(await ask(kubectl, 'second', ofOne), ofOne), [])
    assert.deepEqual(reached(await ask(beside, 'alone', ofTwo), ofTwo), [])
  })

  test('a cluster goes without a trace in the other', async () => {
    const states = async () =>
      (JSON.parse(await kubectl('get', 'pods', '-o', 'json')) as { items: core.Pod[] }).items.map(({ status }) =>
        status!.containerStatuses!.map((c) => [c.containerID, c.restartCount, c.ready]),
      )
    const before = [await statusOf(two), await states()]
    await one.k8ts('down', '--name', one.name)
    assert.match(await request(`http://${await clusterIP(kubectl, 'web')}:8080/`), /^1 (first|second)\n$/)
    assert.equal((await ask(kubectl, 'first', ['http://second.peers/']))[0], '1 second')
    assert.deepEqual([await statusOf(two), await states()], before)
  })
})

async function until(condition: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) if (await condition()) return
  assert.fail('it did not come to that in time')
}
