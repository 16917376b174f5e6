import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { apps, core } from '#api'
import type { ClusterConfig } from '#cluster'
import { adminClient, loadCluster } from '#cluster'
import { appDirectory, applyFile, buildApp, buildBaseImage, createSecrets, jobComplete, rolledOut, startDatabase } from '../../tools/sample-app.ts'
import { failure, kubectlIn } from './clients.ts'
import { output, testCluster } from './cluster.ts'
import { request, steadyRequests } from './requests.ts'

// The story of examples/app, and what happens to it when parts of the cluster are killed.
const cluster = await testCluster('app')
after(() => cluster[Symbol.asyncDispose]())
const kubectl = kubectlIn(cluster, 'default')

interface Status {
  state: string
  components: { name: string; pid: number | null }[]
  nodes: { containerd: string; ready: boolean | null }[]
}
const status = async () => JSON.parse(await cluster.k8ts('status', '--name', cluster.name, '-o', 'json')) as Status
const pidOf = async (component: string) => (await status()).components.find(({ name }) => name === component)!.pid!

const list = async (selector: string) => (JSON.parse(await kubectl('get', 'pods', '-l', selector, '-o', 'json')) as { items: core.Pod[] }).items
/** Containers that serve, each with its id and how often it was started again. */
const containers = async (selector = 'app=app') =>
  (await list(selector))
    .filter((pod) => !pod.metadata.deletionTimestamp)
    .flatMap((pod) =>
      pod.status!.containerStatuses!.map((c) => `${pod.metadata.name} ${c.name} ${c.containerID} ready=${c.ready} restarts=${c.restartCount}`),
    )
    .toSorted()
const replicas = async () => (JSON.parse(await kubectl('get', 'deployment', 'app', '-o', 'json')) as apps.Deployment).status?.readyReplicas

const bounds = (maxReplicas: number) => {
  const behavior = { scaleUp: { stabilizationWindowSeconds: 0 }, scaleDown: { stabilizationWindowSeconds: 0 } }
  return kubectl('patch', 'hpa', 'app', '-p', JSON.stringify({ spec: { maxReplicas, behavior } }))
}

const release = (body: string) => (JSON.parse(body) as { release: string }).release
let url = ''
let containerd = ''
/** Asks the app's page, which asks the database, without pause. */
const asking = () => steadyRequests(url, release)

before(async () => {
  const config = (await loadCluster(cluster.name)) as ClusterConfig
  await using admin = await adminClient(cluster.name)
  await buildBaseImage()
  await buildApp(config)
  await createSecrets(admin.client, await startDatabase(config, admin.client))
  await applyFile(admin.client, join(appDirectory, 'migrate-job.yaml'))
  await jobComplete(admin.client, 'migrate', 120_000)
  await applyFile(admin.client, join(appDirectory, 'deployment.yaml'))
  await rolledOut(admin.client, 'app', 120_000)
  // more pods under load are wanted in the last test alone
  await bounds(3)
  containerd = (await status()).nodes[0]!.containerd
  url = `http://${await kubectl('get', 'service', 'app', '-o', 'jsonpath={.spec.clusterIP}')}/`
})

describe('the sample app', () => {
  test('three pods of two containers serve a page from the database', async () => {
    assert.match(await kubectl('get', 'pods', '-l', 'app=app'), /^NAME.*\n(app-\w+-\w+ +2\/2 +Running +0 +\w+ *\n){3}$/)
    assert.match(await kubectl('get', 'jobs', 'migrate'), /migrate +Complete +1\/1/)
    const pages = await Promise.all(
      Array.from({ length: 24 }, async () => JSON.parse(await request(url)) as { pod: string; articles: { title: string }[] }),
    )
    assert.equal(new Set(pages.map((page) => page.pod)).size, 3)
    for (const page of pages) assert.equal(page.articles[0]!.title, 'Hello')
  })

  test('a rollout under load: no request fails', async () => {
    await using client = asking()
    await client.seen('1')
    await kubectl('set', 'env', 'deployment/app', '-c', 'app', 'RELEASE=2')
    assert.match(await kubectl('rollout', 'status', 'deployment/app', '--timeout=90s'), /successfully rolled out/)
    await client.seen('2')
    await kubectl('wait', '--for=jsonpath={.status.replicas}=3', 'deployment/app', '--timeout=120s')
    await client.more(50)
    assert.deepEqual(client.failures, [])
    assert.equal(release(await request(url)), '2')
  })

  const broken: [what: string, change: object, sign: RegExp][] = [
    ['an image that is not there', { image: 'localhost/app:missing' }, /ErrImagePull|ImagePullBackOff/],
    ['a program that fails', { command: ['node', 'missing.ts'] }, /CrashLoopBackOff|Error/],
    ['a probe that never succeeds', { readinessProbe: { httpGet: { path: '/missing', port: 'http' } } }, /1\/2 +Running/],
  ]
  for (const [what, change, sign] of broken)
    test(`a rollout to ${what}, under load: reported as failed, taken back, and no request fails`, async () => {
      const served = await containers()
      await using client = asking()
      await using watching = kubectl.start('get', 'pods', '-l', 'app=app', '-w')
      await client.seen('2')
      await kubectl(
        'patch',
        'deployment',
        'app',
        '-p',
        JSON.stringify({ spec: { template: { spec: { containers: [{ name: 'app', ...change }] } } } }),
      )
      const failed = await kubectl.fails('rollout', 'status', 'deployment/app', '--timeout=4s')
      assert.match(failed.stderr, /timed out waiting for the condition/)
      await watching.until(sign)
      await client.more(50)
      assert.deepEqual(
        served.filter((container) => !container.includes('ready=true')),
        [],
      )
      await kubectl('rollout', 'undo', 'deployment/app')
      await kubectl('rollout', 'status', 'deployment/app', '--timeout=120s')
      await client.more(20)
      assert.deepEqual(await containers(), served, 'the containers that served all the time')
      assert.deepEqual([...client.answers.keys()], ['2'])
      assert.deepEqual(client.failures, [])
    })
})

describe('kill -9', () => {
  /** A pod whose only program can be killed without anybody missing it. */
  const victim = async (name: string) => {
    await kubectl('run', name, '--image=localhost/app:1', '--command', '--', 'node', '-e', 'setInterval(() => {}, 1e6)')
    await kubectl('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=120s')
  }
  const killContainer = async (id: string) => {
    const tasks = await output('ctr', ['-a', containerd, '-n', 'k8s.io', 'tasks', 'ls'])
    const pid = Number(new RegExp(`^${id} +(\\d+) +RUNNING`, 'm').exec(tasks)?.[1])
    assert.ok(pid > 1, `${id} runs: ${tasks}`)
    process.kill(pid, 'SIGKILL')
  }
  const containerOf = async (name: string) =>
    (await kubectl('get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].containerID}')).replace('containerd://', '')
  const restarted = (name: string, times: number) =>
    kubectl('wait', `--for=jsonpath={.status.containerStatuses[0].restartCount}=${times}`, `pod/${name}`, '--timeout=120s')

  test('of a container: it is restarted, RESTARTS counts it, and repetition backs off', async () => {
    await victim('victim')
    await using watching = kubectl.start('get', 'pods', 'victim', '-w')
    await killContainer(await containerOf('victim'))
    await restarted('victim', 1)
    await watching.until(/^victim +1\/1 +Running +1 \(\w+ ago\)/m)
    const { items } = JSON.parse(await kubectl('get', 'pods', '--field-selector', 'metadata.name=victim', '-o', 'json')) as { items: core.Pod[] }
    const { exitCode, reason } = items[0]!.status!.containerStatuses![0]!.lastState!.terminated!
    assert.deepEqual([exitCode, reason], [137, 'Error'])
    await killContainer(await containerOf('victim'))
    await watching.until(/^victim +0\/1 +CrashLoopBackOff +1 /m)
    assert.match(await kubectl('describe', 'pod', 'victim'), /Warning +BackOff .*Back-off restarting failed container/)
    await watching.until(/^victim +1\/1 +Running +2 \(/m)
    await kubectl('delete', 'pod', 'victim', '--now')
  })

  test('of the whole control plane: requests are answered, containers are restarted, and after `k8ts up` nothing else has changed', async () => {
    await victim('orphan')
    const before = await containers()
    const killed = await pidOf('control-plane')
    await using client = asking()
    await client.more(20)
    process.kill(killed, 'SIGKILL')
    await failure(cluster.kubectl('get', 'nodes', '--request-timeout=2s'))
    assert.deepEqual((await failure(cluster.k8ts('status', '--name', cluster.name))).code, 1)
    const id = await output('ctr', [
      '-a',
      containerd,
      '-n',
      'k8s.io',
      'containers',
      'ls',
      '-q',
      'labels."io.kubernetes.pod.name"==orphan,labels."io.cri-containerd.kind"==container',
    ])
    await killContainer(id.trim())
    await client.more(200)

    await cluster.k8ts('up', '--name', cluster.name)
    assert.notEqual(await pidOf('control-plane'), killed)
    await kubectl('wait', '--for=condition=Ready', 'node/node-1', '--timeout=120s')
    await restarted('orphan', 1)
    await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=120s', '-l', 'app=app')
    assert.deepEqual(await containers(), before)
    assert.deepEqual(client.failures, [])
    // a node learns within two seconds that the API server is back: a rollout at once may outrun its service proxy
    await kubectl('set', 'env', 'deployment/app', '-c', 'app', 'RELEASE=3')
    await kubectl('rollout', 'status', 'deployment/app', '--timeout=90s')
    await client.seen('3')
    await kubectl('delete', 'pod', 'orphan', '--now')
  })

  for (const component of ['agent-node-1', 'containerd-node-1'])
    test(`of ${component}: requests are answered, and after \`k8ts up\` the node works on with the same containers`, async () => {
      const before = await containers()
      const killed = await pidOf(component)
      await using client = asking()
      await client.more(20)
      process.kill(killed, 'SIGKILL')
      await client.more(100)
      assert.equal((JSON.parse((await failure(cluster.k8ts('status', '--name', cluster.name, '-o', 'json'))).stdout) as Status).state, 'degraded')
      await cluster.k8ts('up', '--name', cluster.name)
      assert.notEqual(await pidOf(component), killed)
      await kubectl('wait', '--for=condition=Ready', 'node/node-1', '--timeout=120s')
      const [pod] = await list('app=app')
      assert.match(await kubectl('exec', pod!.metadata.name, '-c', 'app', '--', 'node', '-p', '6 * 7'), /^42$/m)
      assert.match(await kubectl('logs', pod!.metadata.name, '-c', 'app'), /listening on :3000/)
      await victim('after')
      await kubectl('delete', 'pod', 'after', '--now')
      await client.more(20)
      assert.deepEqual(await containers(), before)
      assert.deepEqual(client.failures, [])
    })
})

test('load drives the autoscaler from three pods up, and its end down again', async () => {
  await bounds(6)
  assert.equal(await replicas(), 3)
  await using watching = kubectl.start('get', 'hpa', 'app', '-w')
  {
    await using _load = steadyRequests(`${url}work?ms=50`)
    await kubectl('wait', '--for=jsonpath={.status.readyReplicas}=6', 'deployment/app', '--timeout=120s')
    await watching.until(/cpu: \d{3,}%\/80% +3 +6 +3 /)
    await watching.until(/ 3 +6 +6 /)
  }
  await kubectl('wait', '--for=jsonpath={.status.replicas}=3', 'deployment/app', '--timeout=120s')
  assert.match(await kubectl('describe', 'hpa', 'app'), /SuccessfulRescale[^]*New size: 3; reason: All metrics below target/)
})
