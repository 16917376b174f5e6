import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { core } from '#api'
import { clusterAddress, pullSecretName, registryNamespace } from '#registry'
import { processesIn } from '../../src/cluster/local/cgroup.ts'
import { tableName } from '../../src/cluster/local/interface-names.ts'
import { ensureInstalled } from '../../src/cluster/preflight.ts'
import { buildBaseImage } from '../../tools/sample-app.ts'
import { failure, kubectlIn } from './clients.ts'
import { output, testCluster } from './cluster.ts'

// What stands here are the promises of `k8ts registry`: one name for an image on the host, the nodes and in pods; nobody in without a password; nothing lost.

const work = mkdtempSync(join(tmpdir(), 'k8ts-registry-'))
// the tools of the host log in here
const dockerConfig = join(work, 'docker')
process.env['DOCKER_CONFIG'] = dockerConfig
mkdirSync(dockerConfig)
// podman and buildah want the file that is named
writeFileSync(join(dockerConfig, 'config.json'), '{}')
const loggedIn = () => readFileSync(join(dockerConfig, 'config.json'), 'utf8').includes(host)
await ensureInstalled([
  { program: 'buildah', package: 'buildah', why: 'pushes images' },
  { program: 'skopeo', package: 'skopeo', why: 'copies images' },
  { program: 'podman', package: 'podman', why: 'pushes images' },
])
const cluster = await testCluster('registry', '--nodes', '2')
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await output('buildah', ['rmi', ...versions.map((version) => `localhost/still:${version}`)])
  rmSync(work, { recursive: true })
})
/** Of an image that does nothing. */
const versions = ['1', '2', '3']
const of = ['--name', cluster.name]
const registry = (...args: string[]) => cluster.k8ts('registry', ...args, ...of)
const status = async () => JSON.parse(await registry('status', '-o', 'json')) as { state: string; host: string; nodeCredentials: boolean }
const list = async () => (JSON.parse(await registry('list', '-o', 'json')) as { name: string; digest: string }[]).map((image) => image.name)
const inRegistry = kubectlIn(cluster, registryNamespace)

/** `localhost:PORT`. */
let host = ''
let caFile = ''

before(async () => {
  await buildBaseImage()
  copyFileSync('/usr/bin/catatonit', join(work, 'catatonit'))
  for (const version of versions) {
    writeFileSync(join(work, 'Dockerfile'), `FROM scratch\nCOPY catatonit /catatonit\nLABEL version=${version}\nENTRYPOINT ["/catatonit", "-P"]\n`)
    await output('buildah', ['build', '--quiet', '--isolation', 'chroot', '--tag', `localhost/still:${version}`, work])
  }
  await registry('up')
  ;({ host } = await status())
  caFile = `/etc/docker/certs.d/${host}/ca.crt`
})

const push = (image: string, name: string) => output('buildah', ['push', '--quiet', image, `docker://${host}/${name}`])
/** Whether an image is there with all its layers. */
const pulls = (name: string) => output('skopeo', ['copy', '--quiet', `docker://${host}/${name}`, `oci:${join(work, name.replaceAll(/\W/g, '-'))}`])

describe('an image of the registry', () => {
  test('is pushed by nobody who has not logged in', async () => {
    assert.match((await failure(push('localhost/still:1', 'app:1'))).stderr, /certificate|unauthorized|authentication required/i)
    await registry('login')
    assert.match(readFileSync(caFile, 'utf8'), /BEGIN CERTIFICATE/)
  })

  test('is pushed by buildah, podman and skopeo, under the name that pods pull it by', async () => {
    await push('localhost/still:1', 'app:1')
    await output('podman', ['push', '--quiet', 'localhost/still:2', `${host}/team/app:2`])
    await output('skopeo', ['copy', '--quiet', `docker://${host}/app:1`, `docker://${host}/app:stable`])
    assert.deepEqual(await list(), [`${host}/app:1`, `${host}/app:stable`, `${host}/team/app:2`])
    const kubectl = kubectlIn(cluster, 'default')
    await cluster.apply({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'app' },
      spec: {
        selector: { matchLabels: { app: 'app' } },
        template: { metadata: { labels: { app: 'app' } }, spec: { containers: [{ name: 'app', image: `${host}/team/app:2` }] } },
      },
    })
    await kubectl('rollout', 'status', 'daemonset/app', '--timeout', '60s')
    await kubectl('delete', 'daemonset', 'app')
  })

  test('is found where tools look for a local registry', async () => {
    const data = await kubectlIn(cluster, 'kube-public')('get', 'configmap', 'local-registry-hosting', '-o', 'jsonpath={.data}')
    assert.match(data, new RegExp(`host: \\\\"${host}\\\\"`))
  })

  test('is pushed from inside a pod to the Service, and pulled by its one name', async () => {
    const kubectl = kubectlIn(cluster, 'default')
    await push('localhost/node:26', 'node:26')
    await registry('pull-secret', 'default')
    await kubectl('create', 'configmap', 'pusher', `--from-file=${join(import.meta.dirname, 'registry-pusher.mjs')}`)
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'pusher' },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'pusher',
            image: `${host}/node:26`,
            command: ['node', '/program/registry-pusher.mjs', clusterAddress, 'from/pod', '1'],
            volumeMounts: [
              { name: 'program', mountPath: '/program' },
              { name: 'credentials', mountPath: '/credentials' },
            ],
          },
        ],
        volumes: [
          { name: 'program', configMap: { name: 'pusher' } },
          { name: 'credentials', secret: { secretName: pullSecretName } },
        ],
      },
    })
    await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/pusher', '--timeout', '90s')
    assert.equal(await kubectl('logs', 'pusher'), 'pushed from/pod:1\n')
    await kubectl('delete', 'pod', 'pusher')
    await pulls('from/pod:1')
  })
})

describe('without credentials of the nodes', () => {
  const kubectl = kubectlIn(cluster, 'pulls')
  const pod = (name: string, image: string, ...imagePullSecrets: string[]) =>
    cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'pulls' },
      spec: {
        imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })),
        containers: [{ name: 'app', image, imagePullPolicy: 'Always' }],
      },
    })
  const secret = async (name: string, server: string, change = (password: string) => password) => {
    const { username, password } = JSON.parse(await registry('credentials', '-o', 'json')) as { username: string; password: string }
    await kubectl(
      'create',
      'secret',
      'docker-registry',
      name,
      '--docker-server',
      server,
      '--docker-username',
      username,
      '--docker-password',
      change(password),
    )
  }
  const ready = (name: string) => kubectl('wait', '--for=condition=Ready', `pod/${name}`, '--timeout', '60s')

  before(async () => {
    await registry('up', '--no-node-credentials')
    await cluster.kubectl('create', 'namespace', 'pulls')
    await secret('right', `${host}/app`)
    await secret('elsewhere', `${host}/other`)
    await secret('wrong', host, (password) => `${password}x`)
  })
  after(() => registry('up', '--node-credentials'))

  const refused: [what: string, name: string, secrets: string[]][] = [
    ['no secret', 'none', []],
    ['a wrong password', 'wrong', ['wrong']],
    ['a secret for another path', 'elsewhere', ['elsewhere']],
    ['a secret that does not exist', 'missing', ['missing']],
  ]
  for (const [what, name, secrets] of refused)
    test(`a pod with ${what} does not get its image, and says why`, async () => {
      await pod(name, `${host}/app:1`, ...secrets)
      await kubectl('wait', '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff', `pod/${name}`, '--timeout', '60s')
      const message = await kubectl('get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].state.waiting.message}')
      assert.match(message, /^Back-off pulling image .*: ErrImagePull: .*401 Unauthorized/)
      const events = JSON.parse(await kubectl('get', 'events', '--field-selector', `involvedObject.name=${name}`, '-o', 'json')) as core.EventList
      const messages = events.items.map((event) => `${event.reason}: ${event.message}`).join('\n')
      assert.match(messages, /Failed: Failed to pull image .*401 Unauthorized/)
      if (name === 'missing') assert.match(messages, /FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets \(missing\)/)
    })

  test('a pod gets its image by the one of its secrets that is right', async () => {
    await pod('right', `${host}/app:1`, 'wrong', 'elsewhere', 'right')
    await ready('right')
  })

  test('a pod gets its image by its service account’s secret', async () => {
    await registry('pull-secret', 'pulls', '--default')
    await pod('account', `${host}/team/app:2`)
    await ready('account')
    await registry('up')
    assert.equal((await status()).nodeCredentials, false, 'what was chosen stays')
  })
})

/** What a client that is cut off leaves. */
async function beginUpload(): Promise<void> {
  const { username, password } = JSON.parse(await registry('credentials', '-o', 'json')) as { username: string; password: string }
  const started = request(`https://${host}/v2/cut/off/blobs/uploads/`, { method: 'POST', ca: readFileSync(caFile), auth: `${username}:${password}` })
  started.end()
  const [response] = (await once(started, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 202)
  response.destroy()
}

describe('what is deleted', () => {
  test('is the tag alone, although another leads to the same image', async () => {
    await registry('delete', 'app:stable')
    const names = await list()
    assert.ok(names.includes(`${host}/app:1`) && !names.includes(`${host}/app:stable`))
    await pulls('app:1')
    assert.match((await failure(registry('delete', 'app:stable'))).stderr, /the registry has no image app:stable/)
  })

  test('goes from the disk with what tags led to before, and nothing else does', async () => {
    for (const version of versions) await push(`localhost/still:${version}`, 'moving:latest')
    await output('buildah', ['manifest', 'create', 'localhost/platforms'])
    try {
      await output('buildah', ['manifest', 'add', 'localhost/platforms', 'localhost/still:1'])
      await output('buildah', ['manifest', 'add', '--arch', 'arm64', 'localhost/platforms', 'localhost/still:3'])
      await output('buildah', ['manifest', 'push', '--all', 'localhost/platforms', `docker://${host}/platforms:1`])
    } finally {
      await output('buildah', ['manifest', 'rm', 'localhost/platforms'])
    }
    await beginUpload()
    const names = await list()
    // pushes go on meanwhile: one that is answered with success is there afterwards
    const during = Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        push('localhost/still:3', `during:${i}`).then(
          () => [`${host}/during:${i}`],
          () => [],
        ),
      ),
    )
    const collected = JSON.parse(await registry('gc', '-o', 'json')) as { uploads: number; manifests: number; blobs: number }
    assert.ok(collected.uploads >= 1, 'one that nobody ends')
    assert.equal(collected.manifests, 2, 'two images that moving:latest led to')
    const pushed = (await during).flat()
    assert.deepEqual(await list(), [...names, ...pushed].toSorted())
    await output('skopeo', ['copy', '--quiet', '--all', `docker://${host}/platforms:1`, `oci:${join(work, 'platforms')}`])
    for (const name of [...names, ...pushed]) if (!name.includes('/node:')) await pulls(name.slice(host.length + 1))
    const again = JSON.parse(await registry('gc', '-o', 'json')) as { manifests: number; blobs: number }
    assert.deepEqual([again.manifests, again.blobs], [0, 0])
    await push('localhost/still:1', 'after:gc')
  })
})

describe('the registry', () => {
  const answers = async () => {
    await inRegistry('rollout', 'status', 'deployment/registry', '--timeout', '60s')
    return list()
  }

  test('comes back with its images when its process is killed', async () => {
    const names = await list()
    const serving = processesIn(`/k8ts-${cluster.name}`).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/usr/bin/docker-registry'),
    )
    assert.equal(serving.length, 1)
    const pod = await inRegistry('get', 'pods', '-l', 'app=registry', '-o', 'name')
    process.kill(serving[0]!, 'SIGKILL')
    await inRegistry('wait', '--for=jsonpath={.status.containerStatuses[0].restartCount}=1', pod.trim(), '--timeout', '60s')
    await inRegistry('wait', '--for=condition=Ready', pod.trim(), '--timeout', '60s')
    assert.deepEqual(await answers(), names)
  })

  test('comes back with its images when its pod is killed', async () => {
    const names = await list()
    await inRegistry('delete', 'pod', '-l', 'app=registry', '--grace-period=0', '--force')
    assert.deepEqual(await answers(), names)
  })

  test('takes writes again when a collection was cut off', async () => {
    await inRegistry(
      'patch',
      'deployment',
      'registry',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/template/spec/containers/0/args/1","value":"/etc/registry/config/read-only.yml"}]',
    )
    await inRegistry('rollout', 'status', 'deployment/registry', '--timeout', '60s')
    assert.match((await failure(registry('status'))).stdout, /read-only/)
    assert.match((await failure(push('localhost/still:1', 'late:1'))).stderr, /405|not allowed/i)
    await registry('up')
    assert.equal((await status()).state, 'running')
    await push('localhost/still:1', 'late:1')
  })

  test('gets a new certificate by `k8ts up` when its own is of no use', async () => {
    await inRegistry('patch', 'secret', 'registry-tls', '-p', '{"data":{"tls.crt":"eA=="}}')
    await cluster.k8ts('up', ...of)
    await answers()
    assert.match(await inRegistry('get', 'secret', 'registry-tls', '-o', 'jsonpath={.data.tls\\.crt}'), /^LS0t/)
  })

  test('keeps its name', async () => {
    assert.match((await failure(registry('up', '--port', '4999'))).stderr, /part of its images’ names: `k8ts registry down` first/)
  })

  test('goes with everything that it wrote', async () => {
    assert.ok(existsSync(caFile))
    await registry('down')
    assert.ok(!existsSync(caFile))
    assert.ok(!loggedIn())
    assert.match((await failure(cluster.kubectl('get', 'namespace', registryNamespace))).stderr, /not found/)
    assert.ok(!(await output('nft', ['list', 'tables'])).includes(tableName(cluster.name) + '_'))
    assert.match((await failure(registry('list'))).stderr, /has no registry: make one with `k8ts registry up --name test-registry`/)
    await registry('up')
    assert.deepEqual(await list(), [])
    await registry('login')
    await cluster.k8ts('down', ...of)
    assert.ok(!existsSync(caFile))
    assert.ok(!loggedIn())
  })
})
