import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { apps, core } from '#api'
import type { Kubectl } from './clients.ts'
import { kubectlIn, kubectls } from './clients.ts'
import { testCluster } from './cluster.ts'
import { request, steadyRequests } from './requests.ts'
import { buildWebImages } from './web-image.ts'

const cluster = await testCluster('kubectl')
const files = mkdtempSync(join(tmpdir(), 'k8ts-kubectl-'))
after(async () => {
  rmSync(files, { recursive: true })
  await cluster[Symbol.asyncDispose]()
})
await buildWebImages(cluster, '2')

/** Three pods of localhost/web and a service; the hook lets the service forget a pod before it ends. */
const web = (image = 'localhost/web:1', replicas = 3) => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              {
                name: 'web',
                image,
                ports: [{ name: 'http', containerPort: 80 }],
                readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1 },
                resources: { requests: { cpu: '10m', memory: '32Mi' } },
                lifecycle: { preStop: { exec: { command: ['sleep', '1'] } } },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ],
})

const shellPod = (name: string, command: string, cpu = '1', requested = '1m') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      { name: 'main', image: 'localhost/web:1', command: ['sh', '-c', command], resources: { limits: { cpu }, requests: { cpu: requested } } },
    ],
  },
})

const json = async <T>(run: Promise<string>): Promise<T> => JSON.parse(await run) as T
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/** For what nothing can be watched for: figures of use, a port that a program will listen on. */
async function eventually(run: () => Promise<string>, wanted: RegExp, timeoutMs = 60_000): Promise<string> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const text = await run().catch((error: Error) => error.message)
    if (wanted.test(text)) return text
    assert.ok(performance.now() < end, `no ${wanted} within ${timeoutMs} ms: ${text}`)
    await sleep(500)
  }
}

describe('kubectl', { concurrency: 2 }, () => {
  for (const { release, program, missing } of kubectls)
    describe(`kubectl ${release}`, { skip: missing, concurrency: 1 }, () => {
      const namespace = `with-${release.replace('.', '-')}`
      const kubectl = kubectlIn(cluster, namespace, program)
      const old = release === '1.20'
      before(async () => {
        await kubectl('create', 'namespace', namespace)
        await kubectl.input(web(), 'apply', '-f', '-')
        await kubectl.input(shellPod('shell', 'echo started; exec sleep 3600'), 'create', '-f', '-')
        // figures of what it uses are there when they are asked for
        await kubectl.input(shellPod('spin', 'while :; do :; done', '100m', '100m'), 'create', '-f', '-')
        await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
        await kubectl('wait', '--for=condition=Ready', 'pod/shell', '--timeout=120s')
      })
      after(() => kubectl('delete', 'namespace', namespace))

      objects(kubectl)
      rollouts(kubectl)
      pods(kubectl, namespace, old)
      printing(kubectl, namespace, old)
    })
})

function objects(kubectl: Kubectl): void {
  test('apply says what it changed; what was applied before and is gone is removed, what others wrote stays', async () => {
    const item = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { a: '1', b: '1' } }
    const withData = (data: Record<string, string>) => ({ ...item, data })
    assert.match(await kubectl.input(item, 'apply', '-f', '-'), /^configmap\/applied created/)
    assert.match(await kubectl.input(item, 'apply', '-f', '-'), /^configmap\/applied unchanged/)
    await kubectl('patch', 'configmap', 'applied', '--type=merge', '-p', '{"data":{"c":"1"}}')
    assert.match(await kubectl.input(withData({ a: '2' }), 'apply', '-f', '-'), /^configmap\/applied configured/)
    const data = async () => (await json<core.ConfigMap>(kubectl('get', 'configmap', 'applied', '-o', 'json'))).data
    assert.deepEqual(await data(), { a: '2', c: '1' })
  })

  test('server-side apply: what another manager set is a conflict, what a manager applies no more is removed', async () => {
    const item = (entries: Record<string, string>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data: entries })
    const apply = (manager: string, ...flags: string[]) => ['apply', '--server-side', `--field-manager=${manager}`, ...flags, '-f']
    const data = async () => (await json<core.ConfigMap>(kubectl('get', 'configmap', 'shared', '-o', 'json'))).data
    assert.match(await kubectl.input(item({ a: '1', b: '1' }), ...apply('one'), '-'), /configmap\/shared serverside-applied/)
    const refused = await kubectl.fails(...apply('two'), file('conflict.json', item({ a: '2', c: '1' })))
    assert.match(refused.stderr, /Apply failed with 1 conflict: conflict with "one": \.data\.a/)
    assert.deepEqual(await data(), { a: '1', b: '1' }, 'a conflict changes nothing')
    await kubectl.input(item({ a: '2', c: '1' }), ...apply('two', '--force-conflicts'), '-')
    assert.deepEqual(await data(), { a: '2', b: '1', c: '1' })
    await kubectl.input(item({ a: '2' }), ...apply('two'), '-')
    assert.deepEqual(await data(), { a: '2', b: '1' })
  })

  test('diff shows what apply would change, and changes nothing', async () => {
    assert.equal(await kubectl('diff', '-f', file('web.json', web())), '')
    const generation = () => kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.generation}')
    const before = await generation()
    const { code, stdout } = await kubectl.fails('diff', '-f', file('web-5.json', web('localhost/web:1', 5)))
    assert.equal(code, 1)
    assert.match(stdout, /^-  replicas: 3\n\+  replicas: 5$/m)
    assert.equal(await generation(), before)
  })

  test('secrets from files and literals hold exactly the bytes', async () => {
    const bytes = randomBytes(2000)
    const path = file('blob.bin', bytes)
    await kubectl(
      'create',
      'secret',
      'generic',
      'mixed',
      `--from-file=${path}`,
      `--from-file=named=${path}`,
      '--from-literal=user=admin',
      '--from-literal=equal=a=b',
    )
    const { data, type } = await json<core.Secret>(kubectl('get', 'secret', 'mixed', '-o', 'json'))
    const decoded = Object.fromEntries(Object.entries(data!).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
    assert.equal(type, 'Opaque')
    assert.deepEqual(decoded, { 'blob.bin': bytes, named: bytes, user: Buffer.from('admin'), equal: Buffer.from('a=b') })
    assert.match((await kubectl.fails('create', 'secret', 'generic', 'mixed')).stderr, /secrets "mixed" already exists/)
  })

  test('label, annotate and edit change what they name', async () => {
    await kubectl('create', 'configmap', 'edited', '--from-literal=color=green')
    await kubectl('label', 'configmap', 'edited', 'tier=one')
    assert.match((await kubectl.fails('label', 'configmap', 'edited', 'tier=two')).stderr, /already has a value \(one\), and --overwrite is false/)
    await kubectl('label', 'configmap', 'edited', 'tier=two', '--overwrite')
    await kubectl('annotate', 'configmap', 'edited', 'why=test')
    const editor = file('editor.sh', '#!/bin/sh\nexec sed -i "s/green/blue/" "$1"\n')
    chmodSync(editor, 0o755)
    assert.match(await kubectl.env({ EDITOR: editor }, 'edit', 'configmap', 'edited'), /configmap\/edited edited/)
    const { metadata, data } = await json<core.ConfigMap>(kubectl('get', 'configmap', 'edited', '-o', 'json'))
    assert.deepEqual([metadata.labels, metadata.annotations, data], [{ tier: 'two' }, { why: 'test' }, { color: 'blue' }])
    await kubectl('label', 'configmap', 'edited', 'tier-')
    assert.equal(await kubectl('get', 'configmap', '-l', 'tier', '-o', 'name'), '')
    assert.equal(await kubectl('get', 'configmap', '-l', '!tier', '--field-selector', 'metadata.name=edited', '-o', 'name'), 'configmap/edited\n')
  })

  test('run and expose lead to a pod that answers; wait sees it come and go', async () => {
    await kubectl('run', 'lone', '--image=localhost/web:1', '--port=80', '--labels=run=lone')
    await kubectl('expose', 'pod', 'lone', '--port=8080', '--target-port=80')
    await kubectl('wait', '--for=condition=Ready', 'pod/lone', '--timeout=120s')
    const ip = await kubectl('get', 'service', 'lone', '-o', 'jsonpath={.spec.clusterIP}')
    // without a probe, Ready is a container that was started: its server may not listen yet
    await eventually(() => request(`http://${ip}:8080/`), /^1 lone\n$/)
    await kubectl('delete', 'pod', 'lone', '--wait=false', '--now')
    // a pod that is gone already is what is waited for; kubectl 1.20 calls that an error
    await kubectl('wait', '--for=delete', 'pod/lone', '--timeout=120s').catch((error: Error) =>
      assert.match(error.message, /no matching resources found/),
    )
    assert.match((await kubectl.fails('get', 'pod', 'lone')).stderr, /\(NotFound\): pods "lone" not found/)
    await kubectl('delete', 'service', 'lone')
  })

  test('delete cascades in the background, in the foreground, or leaves orphans', async () => {
    const make = async (name: string) => {
      const labels = { app: name }
      // it may be told to end before it listens for that: a program with process id 1 then never hears it
      const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image: 'localhost/web:1' }] } }
      await kubectl.input(
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { selector: { matchLabels: labels }, template } },
        'create',
        '-f',
        '-',
      )
      await kubectl('rollout', 'status', `deployment/${name}`, '--timeout=120s')
    }
    const left = (name: string) => kubectl('get', 'replicasets,pods', '-l', `app=${name}`, '-o', 'name')
    // wait reports an error where nothing is left to wait for
    const gone = (name: string) =>
      kubectl('wait', '--for=delete', 'replicaset,pod', '-l', `app=${name}`, '--timeout=120s').catch((error: Error) =>
        assert.match(error.message, /no matching resources found/),
      )
    await Promise.all(['background', 'foreground', 'orphan'].map(make))

    await kubectl('delete', 'deployment', 'background', '--cascade=background')
    await gone('background')
    assert.equal(await left('background'), '')

    await kubectl('delete', 'deployment', 'foreground', '--cascade=foreground', '--timeout=120s')
    assert.equal(await left('foreground'), '', 'the deployment went last')

    await kubectl('delete', 'deployment', 'orphan', '--cascade=orphan')
    assert.match(await left('orphan'), /^replicaset.apps\/orphan-\w+\npod\/orphan-\w+-\w+\n$/)
    const [set] = (await json<{ items: apps.ReplicaSet[] }>(kubectl('get', 'replicasets', '-l', 'app=orphan', '-o', 'json'))).items
    assert.equal(set!.metadata.ownerReferences, undefined)
    await kubectl('delete', 'replicaset', '-l', 'app=orphan')
    await gone('orphan')
    assert.equal(await left('orphan'), '')
  })

  test('auth can-i answers for ourselves and for others', async () => {
    assert.equal(await kubectl('auth', 'can-i', 'create', 'pods'), 'yes\n')
    const { code, stdout } = await kubectl.fails('auth', 'can-i', 'create', 'pods', '--as=system:serviceaccount:default:default')
    assert.deepEqual([code, stdout.trim().split(' ')[0]], [1, 'no'])
    await kubectl('create', 'role', 'reader', '--verb=get', '--resource=pods', '--resource-name=shell')
    await kubectl('create', 'rolebinding', 'reader', '--role=reader', '--user=jane')
    assert.equal(await kubectl('auth', 'can-i', 'get', 'pods/shell', '--as=jane'), 'yes\n')
    await kubectl.fails('auth', 'can-i', 'get', 'pods/other', '--as=jane')
    assert.match(await kubectl('auth', 'can-i', '--list', '--as=jane'), /^pods +\[\] +\[shell\] +\[get\]$/m)
    assert.equal(await kubectl('get', 'pod', 'shell', '-o', 'name', '--as=jane'), 'pod/shell\n')
    assert.match(
      (await kubectl.fails('get', 'pods', '--as=jane')).stderr,
      /Error from server \(Forbidden\): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "with-/,
    )
  })
}

function rollouts(kubectl: Kubectl): void {
  const serviceUrl = async () => `http://${await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')}/`
  const version = (body: string) => body.split(' ')[0]!
  // a rollout is done when new pods serve: old ones may still be ending
  const podNames = async () =>
    (await json<{ items: core.Pod[] }>(kubectl('get', 'pods', '-l', 'app=web', '-o', 'json'))).items
      .filter((pod) => !pod.metadata.deletionTimestamp)
      .map((pod) => pod.metadata.name)
      .sort()
  const image = async () => kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')

  test('a patched image rolls out while every request is answered, and undo brings the old one back', async () => {
    await using asking = steadyRequests(await serviceUrl(), version)
    await using watching = kubectl.start('get', 'pods', '-l', 'app=web', '-w')
    const old = await podNames()
    await watching.until(new RegExp(old.join('[^]*')))
    await asking.seen('1')

    const patch = {
      spec: {
        template: {
          metadata: { annotations: { 'kubernetes.io/change-cause': 'version two' } },
          spec: { containers: [{ name: 'web', image: 'localhost/web:2' }] },
        },
      },
    }
    assert.match(await kubectl('patch', 'deployment', 'web', '-p', JSON.stringify(patch)), /deployment.apps\/web patched/)
    const status = await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s')
    assert.match(status, /Waiting for deployment "web" rollout to finish: \d out of 3 new replicas have been updated/)
    assert.match(status, /deployment "web" successfully rolled out\n$/)
    const fresh = await podNames()
    await asking.seen('2')
    for (const name of old) assert.ok(!fresh.includes(name), `${name} was replaced`)
    for (const name of old) await watching.until(new RegExp(`^${name} +[01]/1 +Terminating`, 'm'))
    for (const name of fresh) await watching.until(new RegExp(`^${name} +0/1 +(Pending|ContainerCreating)[^]*^${name} +1/1 +Running`, 'm'))

    const history = lines(await kubectl('rollout', 'history', 'deployment/web'))
    assert.deepEqual(
      history.slice(2).map((line) => Number(line.split(' ')[0])),
      [1, 2],
    )
    assert.match(await kubectl('rollout', 'history', 'deployment/web', '--revision=2'), /Image:\s+localhost\/web:2/)
    assert.match(await kubectl('rollout', 'history', 'deployment/web', '--revision=1'), /Image:\s+localhost\/web:1/)

    assert.match(await kubectl('rollout', 'undo', 'deployment/web'), /deployment.apps\/web rolled back/)
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s')
    assert.equal(await image(), 'localhost/web:1')
    const revisions = lines(await kubectl('rollout', 'history', 'deployment/web')).slice(2)
    assert.deepEqual(
      revisions.map((line) => Number(line.split(' ')[0])),
      [2, 3],
      'the revision that came back is the newest',
    )
    await asking.more(20)
    assert.deepEqual(asking.failures, [])
  })

  test('a rollout to an image that is not there is reported as failed while the old pods go on serving', async () => {
    const serving = await podNames()
    await using asking = steadyRequests(await serviceUrl(), version)
    await kubectl('set', 'image', 'deployment/web', 'web=localhost/missing:1')
    const failed = await kubectl.fails('rollout', 'status', 'deployment/web', '--timeout=5s')
    assert.match(failed.stdout, /Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated/)
    assert.match(failed.stderr, /error: timed out waiting for the condition/)
    await eventually(() => kubectl('get', 'pods', '-l', 'app=web'), /ErrImagePull|ImagePullBackOff/)
    const now = await podNames()
    assert.deepEqual(
      serving.filter((name) => !now.includes(name)),
      [],
      'no old pod went',
    )
    await asking.more(50)
    assert.deepEqual([...asking.answers.keys()], ['1'])

    await kubectl('patch', 'deployment', 'web', '-p', '{"spec":{"progressDeadlineSeconds":1}}')
    await kubectl('wait', '--for=condition=Progressing=false', 'deployment/web', '--timeout=120s')
    assert.match((await kubectl.fails('rollout', 'status', 'deployment/web')).stderr, /error: deployment "web" exceeded its progress deadline/)
    await kubectl('patch', 'deployment', 'web', '-p', '{"spec":{"progressDeadlineSeconds":600}}')

    await kubectl('rollout', 'undo', 'deployment/web')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    assert.deepEqual(await podNames(), serving, 'the pods that served all the time are still the ones')
    assert.deepEqual(asking.failures, [])
  })

  test('pause holds changes back, resume rolls them out in one step, restart replaces pods', async () => {
    await kubectl('rollout', 'pause', 'deployment/web')
    await kubectl('set', 'env', 'deployment/web', 'ONE=1')
    await kubectl('set', 'env', 'deployment/web', 'TWO=2')
    const before = await podNames()
    await kubectl('rollout', 'resume', 'deployment/web')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s')
    const resumed = await podNames()
    assert.equal(resumed.filter((name) => before.includes(name)).length, 0)
    const sets = lines(
      await kubectl(
        'get',
        'replicasets',
        '-l',
        'app=web',
        '-o',
        'jsonpath={range .items[*]}{.spec.template.spec.containers[0].env[*].name}{"\\n"}{end}',
      ),
    )
    assert.deepEqual(
      sets.filter((names) => names !== ''),
      ['ONE TWO'],
      'no set has only the first change',
    )
    await kubectl('rollout', 'restart', 'deployment/web')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s')
    assert.equal((await podNames()).filter((name) => resumed.includes(name)).length, 0)
  })

  test('scale up and down, with the precondition that kubectl sends', async () => {
    await kubectl('scale', 'deployment', 'web', '--replicas=5')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    assert.equal(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.status.readyReplicas}'), '5')
    assert.match(
      (await kubectl.fails('scale', 'deployment', 'web', '--current-replicas=4', '--replicas=1')).stderr,
      /Expected replicas to be 4, was 5/,
    )
    await kubectl('scale', 'deployment', 'web', '--current-replicas=5', '--replicas=2')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    await eventually(async () => String((await podNames()).length), /^2$/)
    await kubectl('scale', 'deployment', 'web', '--replicas=3')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
  })
}

function pods(kubectl: Kubectl, namespace: string, old: boolean): void {
  test('logs: the whole, the tail, since, with times, followed, of a deployment and of the run before', async () => {
    const counter = 'i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo line $i; done; while sleep 0.2; do i=$((i+1)); echo line $i; done'
    await kubectl.input(shellPod('counter', counter), 'create', '-f', '-')
    await kubectl('wait', '--for=condition=Ready', 'pod/counter', '--timeout=120s')
    await using following = kubectl.start('logs', '-f', 'counter')
    await following.until(/^line 1\nline 2\nline 3\nline 4\nline 5\n[^]*line 15\n/)
    assert.match(await kubectl('logs', 'counter'), /^line 1\nline 2\n[^]*line 15\n/)
    const tail = lines(await kubectl('logs', 'counter', '--tail=2'))
    assert.equal(tail.length, 2)
    assert.ok(Number(tail[0]!.split(' ')[1]) >= 14, tail.join())
    assert.match(await kubectl('logs', 'counter', '--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line \d+\n$/)
    const recent = lines(await kubectl('logs', 'counter', '--since=1s'))
    assert.ok(recent.length >= 1 && recent.length <= 8, `of five lines a second, the last second has ${recent.length}`)
    assert.ok(!recent.includes('line 1'))
    assert.equal(await kubectl('logs', 'counter', '--limit-bytes=9'), 'line 1\nli')
    await kubectl('delete', 'pod', 'counter')
    await following.until(/line 15\n/)

    assert.match(await kubectl('logs', 'deployment/web', '--tail=-1'), /version \d listens\n/)
    assert.match(await kubectl('logs', '-l', 'app=web', '--tail=-1', '--prefix'), /^\[pod\/web-\w+-\w+\/web\] version \d listens$/m)

    await kubectl.input(shellPod('crash', 'echo run of $(cat /proc/sys/kernel/random/uuid); exit 7'), 'create', '-f', '-')
    await eventually(() => kubectl('get', 'pod', 'crash'), /CrashLoopBackOff +[1-9]/)
    const [last, previous] = [await kubectl('logs', 'crash'), await kubectl('logs', 'crash', '--previous')]
    assert.match(last, /^run of [\w-]{36}\n$/)
    assert.match(previous, /^run of [\w-]{36}\n$/)
    assert.equal(await kubectl('get', 'pod', 'crash', '-o', 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}'), '7')
    await kubectl('delete', 'pod', 'crash')
    assert.match((await kubectl.fails('logs', 'shell', '--previous')).stderr, /previous terminated container "main" in pod "shell" not found/)
    assert.match((await kubectl.fails('logs', 'shell', '-c', 'nobody')).stderr, /container nobody is not valid for pod shell/)
  })

  test('exec: streams, exit codes, and a terminal of the size that we have', async () => {
    const failed = await kubectl.fails('exec', 'shell', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3')
    assert.equal(failed.stdout, 'out\n')
    assert.match(failed.stderr, /^err\n[^]*command terminated with exit code 3/)
    assert.equal(failed.code, 3)
    const bytes = randomBytes(100_000).toString('base64')
    assert.equal(await kubectl.input(bytes, 'exec', '-i', 'shell', '--', 'cat'), bytes)
    // the size comes beside the command's start
    const sized = 'tty; while [ "$(stty size)" = "0 0" ]; do sleep 0.05; done; stty size; echo done'
    assert.match(await kubectl.terminal('exec', '-it', 'shell', '--', 'sh', '-c', sized), /\/dev\/pts\/\d+\r\n[^]*33 99\r\ndone\r\n$/)
    await assert.rejects(kubectl.terminal('exec', '-it', 'shell', '--', 'sh', '-c', 'exit 5'), { code: 5 })
    assert.match((await kubectl.fails('exec', 'shell', '--', 'no-such-program')).stderr, /no-such-program/)
  })

  test('cp: a file of 50 MB and a directory, both ways', async () => {
    const content = randomBytes(50 * 1024 * 1024)
    const path = file(`${namespace}.bin`, content)
    await kubectl('cp', path, `${namespace}/shell:/tmp/big.bin`)
    assert.equal(await kubectl('exec', 'shell', '--', 'sh', '-c', 'wc -c < /tmp/big.bin'), `${content.length}\n`)
    await kubectl('exec', 'shell', '--', 'sh', '-c', 'mkdir -p /tmp/dir/sub && echo one > /tmp/dir/one && echo two > /tmp/dir/sub/two')
    await kubectl('cp', `${namespace}/shell:/tmp/big.bin`, `${path}.back`)
    assert.ok(content.equals(readFileSync(`${path}.back`)), 'the file that came back is the one that was sent')
    await kubectl('cp', `${namespace}/shell:/tmp/dir`, join(files, namespace))
    assert.equal(readFileSync(join(files, namespace, 'sub/two'), 'utf8'), 'two\n')
    await kubectl('cp', join(files, namespace), `${namespace}/shell:/tmp/copied`)
    assert.equal(await kubectl('exec', 'shell', '--', 'cat', '/tmp/copied/sub/two'), 'two\n')
  })

  test('port-forward to a pod and through a service', async () => {
    const [pod] = lines(await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name'))
    for (const target of [pod!, 'service/web']) {
      await using forward = kubectl.start('port-forward', target, ':80')
      const [, port] = /Forwarding from 127\.0\.0\.1:(\d+) -> 80/.exec(await forward.until(/Forwarding from 127/))!
      const answers = await Promise.all(Array.from({ length: 10 }, () => request(`http://127.0.0.1:${port}/`)))
      for (const answer of answers) assert.match(answer, /^1 web-/)
      if (target === pod) assert.deepEqual(new Set(answers), new Set([`1 ${pod.slice(4)}\n`]))
    }
  })

  test('attach: what a container prints, and what it is told', async () => {
    await kubectl.input(shellPod('ticker', 'while sleep 0.1; do echo tick; done'), 'create', '-f', '-')
    await kubectl('wait', '--for=condition=Ready', 'pod/ticker', '--timeout=120s')
    await using attached = kubectl.start('attach', 'ticker')
    await attached.until(/tick\ntick\n/)
    await kubectl('delete', 'pod', 'ticker')
    const echoed = await kubectl.input(
      'hello from outside\n',
      'run',
      'echo',
      '-i',
      '--rm',
      '--restart=Never',
      '--image=localhost/web:1',
      '--command',
      '--',
      'cat',
    )
    assert.match(echoed, /hello from outside\n/)
    assert.match(echoed, /pod "echo" deleted/)
  })

  test('an ephemeral container joins a running pod', { skip: old && 'the API that kubectl 1.20 asks for was an alpha' }, async () => {
    const script = 'echo version $VERSION; cat /proc/1/cmdline'
    await kubectl(
      'debug',
      'shell',
      '--image=localhost/web:2',
      '--container=debugger',
      '--target=main',
      '--profile=general',
      '--attach=false',
      '--',
      'sh',
      '-c',
      script,
    )
    await kubectl('wait', '--for=jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}=0', 'pod/shell', '--timeout=120s')
    const logged = (await kubectl('logs', 'shell', '-c', 'debugger')).replaceAll('\0', ' ')
    assert.match(logged, /^version 2\nsleep 3600/, 'it has an image of its own and sees the processes of its target')
    const pod = await json<core.Pod>(kubectl('get', 'pod', 'shell', '-o', 'json'))
    assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0)
  })
}

function printing(kubectl: Kubectl, namespace: string, old: boolean): void {
  test('get prints tables, wide tables, names, JSON, YAML, JSONPath and columns', async () => {
    const table = lines(await kubectl('get', 'pods', '-l', 'app=web'))
    assert.match(table[0]!, /^NAME +READY +STATUS +RESTARTS +AGE$/)
    assert.equal(table.length, 4)
    for (const row of table.slice(1)) assert.match(row, /^web-\w+-\w+ +1\/1 +Running +0 +\d+[smh]/)
    assert.match(
      await kubectl('get', 'pods', '-o', 'wide'),
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n[^]*10\.\d+\.\d+\.\d+ +node-1 +<none> +<none>/,
    )
    assert.match(
      await kubectl('get', 'deployment', 'web', '-o', 'wide'),
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +3\/3 +3 +3 +\w+ +web +localhost\/web:1 +app=web\n$/,
    )
    assert.match(await kubectl('get', 'nodes'), /^NAME +STATUS +ROLES +AGE +VERSION\nnode-1 +Ready +\S+ +\w+ +v1\.\d+\.\d+\n$/)
    assert.equal(await kubectl('get', 'deployment', 'web', '-o', 'name'), 'deployment.apps/web\n')
    assert.equal((await json<core.Pod>(kubectl('get', 'pod', 'shell', '-o', 'json'))).spec.containers[0]!.image, 'localhost/web:1')
    assert.match(await kubectl('get', 'pod', 'shell', '-o', 'yaml'), /^apiVersion: v1\nkind: Pod\nmetadata:\n/)
    assert.equal(await kubectl('get', 'pods', '-o', 'jsonpath={.items[?(@.metadata.name=="shell")].spec.containers[*].image}'), 'localhost/web:1')
    assert.equal(
      await kubectl('get', 'pod', 'shell', '-o', 'custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image'),
      'NAME    IMAGE\nshell   localhost/web:1\n',
    )
    assert.match(await kubectl('get', 'all'), /pod\/shell[^]*service\/web[^]*deployment.apps\/web[^]*replicaset.apps\/web-/)
    const sorted = lines(await kubectl('get', 'pods', '--sort-by=.metadata.name', '-o', 'name'))
    assert.deepEqual(sorted, sorted.toSorted())
    assert.match((await kubectl.fails('get', 'nonsense')).stderr, /the server doesn't have a resource type "nonsense"/)
  })

  test('describe tells about pods, nodes, deployments, services and more', async () => {
    const described: [string[], RegExp[]][] = [
      [
        ['pod', 'shell'],
        [
          /^Node: +node-1\/10\./m,
          /Image: +localhost\/web:1/,
          /^ +Ready +True/m,
          /default-scheduler +Successfully assigned with-[\w-]+\/shell to node-1/,
          /Normal +Started +\S+ +kubelet/,
        ],
      ],
      [
        ['node', 'node-1'],
        [/Ready +True [^]*KubeletReady/, /Non-terminated Pods:[^]*shell/, /PodCIDR: +10\./, /Container Runtime Version: +containerd:/],
      ],
      [
        ['deployment', 'web'],
        [
          /Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable/,
          /NewReplicaSet: +web-\w+ \(3\/3 replicas created\)/,
          /ScalingReplicaSet[^]*Scaled up replica set web-/,
        ],
      ],
      [
        ['service', 'web'],
        [/Endpoints: +(10\.\d+\.\d+\.\d+:80,?){3}/, /TargetPort: +http\/TCP/, /Type: +ClusterIP/],
      ],
      [
        ['replicaset', '-l', 'app=web'],
        [/Controlled By: +Deployment\/web/, /Pods Status: +3 Running/],
      ],
      [['namespace', namespace], [/Status: +Active/]],
      [['configmap', 'kube-root-ca.crt'], [/BEGIN CERTIFICATE/]],
      [['serviceaccount', 'default'], [/Name: +default/]],
    ]
    for (const [what, patterns] of described) {
      const text = await kubectl('describe', ...what)
      for (const pattern of patterns) assert.match(text, pattern)
    }
  })

  test('events tell what happened to an object', async () => {
    const events = await kubectl(
      'get',
      'events',
      '--field-selector',
      'involvedObject.name=shell',
      '-o',
      'jsonpath={range .items[*]}{.reason} {.involvedObject.fieldPath}{"\\n"}{end}',
    )
    for (const event of ['Scheduled ', ...['Pulled', 'Created', 'Started'].map((reason) => `${reason} spec.containers{main}`)])
      assert.equal(events.split('\n').filter((line) => line === event).length, 1, `${event} in ${events}`)
    if (!old) assert.match(await kubectl('events', '--for', 'pod/shell'), /Normal +Scheduled +Pod\/shell/)
  })

  test('explain and api-resources know the kinds and their fields', async () => {
    assert.match(await kubectl('explain', 'pod.spec.containers.image'), /image[^]*<string>[^]*Container image name/)
    assert.match(await kubectl('explain', 'deployment.spec.strategy.rollingUpdate', '--recursive'), /maxSurge[^]*maxUnavailable/)
    assert.match((await kubectl.fails('explain', 'pod.spec.nothing')).stderr, /field "nothing" does not exist/)
    const table = await kubectl('api-resources')
    assert.match(table, /^deployments +deploy +apps\/v1 +true +Deployment$/m)
    assert.match(table, /^horizontalpodautoscalers +hpa +autoscaling\/v2 +true +HorizontalPodAutoscaler$/m)
    assert.match(table, /^nodes +no +v1 +false +Node$/m)
    assert.match(table, /^pods +metrics\.k8s\.io\/v1beta1 +true +PodMetrics$/m)
    assert.deepEqual(lines(await kubectl('api-resources', '--api-group=batch', '-o', 'name')), ['cronjobs.batch', 'jobs.batch'])
    assert.ok(lines(await kubectl('api-versions')).includes('networking.k8s.io/v1'))
  })

  test('explain describes fields of any depth, and a misspelt field is refused by name', async () => {
    assert.match(await kubectl('explain', 'pod.spec.containers.resizePolicy'), /DESCRIPTION:\s+Resources resize policy[^]*resourceName/)
    const all = lines(await kubectl('explain', 'deployments', '--recursive', '--api-version=apps/v1'))
    assert.ok(all.length > 800 && all.some((line) => line.includes('topologySpreadConstraints')), String(all.length))
    assert.match(await kubectl('explain', 'pipelines.spec.branch'), /The branch it is for/)
    assert.match((await kubectl.fails('explain', 'pods.spec.nope')).stderr, /field "nope" does not exist/)
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'misspelt' }, dta: { k: 'v' } }
    const refusal = await kubectl.fails('apply', ...(old ? [] : ['--validate=strict']), '-f', file('misspelt.json', config))
    assert.match(refusal.stderr, /unknown field "dta"/)
    await kubectl.fails('get', 'configmap', 'misspelt')
  })

  test('top shows what pods and nodes use', async () => {
    const used = await eventually(() => kubectl('top', 'pod', 'spin', '--no-headers'), /^spin +(8\d|9\d|1[01]\d)m/)
    assert.match(used, /^spin +\d+m +\d+Mi/)
    assert.match(await kubectl('top', 'pods', '--containers'), /^shell +main +\d+m +\d+Mi/m)
    assert.match(await kubectl('top', 'nodes'), /^node-1 +\d+m +\d+% +\d+Mi +\d+%/m)
  })
}

for (const { release, program, missing } of kubectls)
  test(`kubectl ${release}: cordon keeps pods away, drain moves them, uncordon lets them come`, { skip: missing }, async () => {
    const kubectl = kubectlIn(cluster, 'default', program)
    await kubectl('create', 'deployment', 'movable', '--image=localhost/web:1')
    await kubectl('rollout', 'status', 'deployment/movable', '--timeout=120s')
    await kubectl.input(shellPod('bare', 'exec sleep 3600'), 'create', '-f', '-')
    await kubectl('wait', '--for=condition=Ready', 'pod/bare', '--timeout=120s')
    const [before] = lines(await kubectl('get', 'pods', '-l', 'app=movable', '-o', 'name'))

    await kubectl('cordon', 'node-1')
    assert.match(await kubectl('get', 'nodes'), /node-1 +Ready,SchedulingDisabled/)
    assert.match((await kubectl.fails('drain', 'node-1', '--timeout=30s')).stderr, /cannot delete.*Pods.*bare/)
    await kubectl('get', before!)
    assert.match(await kubectl('drain', 'node-1', '--force', '--grace-period=1', '--timeout=120s'), /pod\/bare evicted/)
    await kubectl.fails('get', before!)
    await kubectl.fails('get', 'pod', 'bare')
    const [after] = lines(await kubectl('get', 'pods', '-l', 'app=movable', '-o', 'name'))
    await kubectl('wait', '--for=condition=PodScheduled=false', after!, '--timeout=120s')
    assert.match(await kubectl('describe', after!), /FailedScheduling[^]*node\(s\) were unschedulable/)

    await kubectl('uncordon', 'node-1')
    await kubectl('wait', '--for=condition=Ready', after!, '--timeout=120s')
    await kubectl('delete', 'deployment', 'movable')
  })

function file(name: string, content: string | Buffer | object): string {
  const path = join(files, name)
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))
  return path
}
