import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { apps, core } from '#api'
import { failure, kubectlIn } from './clients.ts'
import { client, output, testCluster } from './cluster.ts'
import { request, steadyRequests } from './requests.ts'
import { buildWebImages } from './web-image.ts'

const cluster = await testCluster('helm')
const work = mkdtempSync(join(tmpdir(), 'k8ts-helm-'))
after(async () => {
  rmSync(work, { recursive: true })
  await cluster[Symbol.asyncDispose]()
})
await buildWebImages(cluster, '2')

const chart = join(work, 'demo')
// what helm keeps for itself stays out of the home directory
const env = {
  ...process.env,
  KUBECONFIG: cluster.kubeconfig,
  HELM_CACHE_HOME: join(work, 'cache'),
  HELM_CONFIG_HOME: join(work, 'config'),
  HELM_DATA_HOME: join(work, 'data'),
}
const helm = (...args: string[]) => output(client('helm'), args, env)
const kubectl = kubectlIn(cluster, 'shop')
const inShop = ['--namespace', 'shop', '--wait', '--timeout', '60s']
const image = (version: string) => ['--set', `image.repository=localhost/web,image.tag=${version}`]
const history = async () =>
  (JSON.parse(await helm('history', 'demo', '--namespace', 'shop', '-o', 'json')) as { revision: number; status: string }[]).map(
    ({ revision, status }) => `${revision} ${status}`,
  )
const deployed = async () => JSON.parse(await kubectl('get', 'deployment', 'demo', '-o', 'json')) as apps.Deployment
const url = async () => `http://${await kubectl('get', 'service', 'demo', '-o', 'jsonpath={.spec.clusterIP}')}/`
const version = (body: string) => body.split(' ')[0]!

test('a chart of helm create is installed, tested, upgraded under load, rolled back and uninstalled', async (t) => {
  await helm('create', chart)
  // its test asks with the wget of an image that no registry can be asked for here
  change('tests/test-connection.yaml', /image: busybox/, 'image: localhost/web:1')
  change(
    'tests/test-connection.yaml',
    /command: .*/,
    `command: [node, -e, 'fetch("http://" + process.argv[1]).then((r) => r.text()).then(console.log)']`,
  )
  // a pod that ends at once would refuse the requests that are on their way to it
  change('deployment.yaml', /^( +)ports:\n/m, '$1lifecycle: { preStop: { exec: { command: [sleep, "1"] } } }\n$&')

  await t.test('install waits until the pods are ready', async () => {
    const shown = await helm('install', 'demo', chart, ...inShop, '--create-namespace', ...image('1'), '--set', 'replicaCount=2')
    assert.match(shown, /STATUS: deployed\nREVISION: 1/)
    assert.equal((await deployed()).status?.readyReplicas, 2)
    assert.match(await request(await url()), /^1 demo-/)
    assert.deepEqual(
      JSON.parse(await helm('list', '--namespace', 'shop', '-o', 'json')).map((r: { name: string; status: string }) => `${r.name} ${r.status}`),
      ['demo deployed'],
    )
    assert.match((await failure(helm('install', 'demo', chart, ...inShop))).stderr, /cannot re-?use a name that is still in use/)
  })

  await t.test('the chart’s own test, a pod that asks the service by name, passes', async () => {
    assert.match(await helm('test', 'demo', '--namespace', 'shop', '--timeout', '60s'), /Phase: +Succeeded/)
    assert.match(await kubectl('logs', 'demo-test-connection'), /^1 demo-/)
  })

  await t.test('upgrade replaces the pods while every request is answered', async () => {
    await using asking = steadyRequests(await url(), version)
    await asking.seen('1')
    assert.match(await helm('upgrade', 'demo', chart, ...inShop, ...image('2'), '--set', 'replicaCount=3'), /STATUS: deployed\nREVISION: 2/)
    await asking.seen('2')
    const { spec, status } = await deployed()
    assert.deepEqual(
      [spec.replicas, status?.updatedReplicas, status?.readyReplicas, spec.template.spec!.containers[0]!.image],
      [3, 3, 3, 'localhost/web:2'],
    )
    assert.deepEqual(asking.failures, [])
  })

  await t.test('an upgrade to an image that is not there fails and says so; rollback brings back what worked', async () => {
    await using asking = steadyRequests(await url(), version)
    const failed = await failure(helm('upgrade', 'demo', chart, '--namespace', 'shop', '--wait', '--timeout', '5s', ...image('missing')))
    assert.match(failed.stderr, /UPGRADE FAILED/)
    await asking.more(20)
    assert.deepEqual(await history(), ['1 superseded', '2 deployed', '3 failed'])
    assert.match(await helm('rollback', 'demo', '2', ...inShop), /Rollback was a success/)
    assert.deepEqual(await history(), ['1 superseded', '2 superseded', '3 failed', '4 deployed'])
    assert.equal((await deployed()).spec.template.spec!.containers[0]!.image, 'localhost/web:2')
    assert.deepEqual([...asking.answers.keys()], ['2'])
    assert.deepEqual(asking.failures, [])
  })

  await t.test('uninstall leaves nothing of the release', async () => {
    assert.match(await helm('uninstall', 'demo', ...inShop), /release "demo" uninstalled/)
    assert.equal(
      await kubectl('get', 'deployments,replicasets,services,serviceaccounts,secrets', '-l', 'app.kubernetes.io/instance=demo', '-o', 'name'),
      '',
    )
    const { items } = JSON.parse(await kubectl('get', 'secrets', '-o', 'json')) as { items: core.Secret[] }
    assert.deepEqual(
      items.filter((secret) => secret.type === 'helm.sh/release.v1'),
      [],
      'nor of its history',
    )
  })
})

/** Changes a template of the chart. */
function change(template: string, from: RegExp, to: string): void {
  const file = join(chart, 'templates', template)
  const before = readFileSync(file, 'utf8')
  const changed = before.replace(from, to)
  assert.notEqual(changed, before)
  writeFileSync(file, changed)
}
