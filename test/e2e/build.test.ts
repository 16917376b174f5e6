import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { adminClient, ensureToolImage, loadCluster } from '#cluster'
import { builderParts, leastBuilderSecurityContext, toolImage } from '#build'
import { ensurePullSecret, findRegistry } from '#registry'
import type { TestCluster } from './cluster.ts'
import { testCluster } from './cluster.ts'

let cluster: TestCluster
let context: string
let host: string

const file = (name: string, content: string) => writeFileSync(join(context, name), content)
const build = (...args: string[]) => cluster.k8ts('image', 'build', '--name', cluster.name, ...args, context)

/** What a build printed on its way is in the error's text only when it fails: steps are looked for in a build that is told to. */
const failure = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
  } catch (error) {
    return (error as Error).message
  }
  assert.fail('it worked')
}

before(async () => {
  cluster = await testCluster('build')
  await cluster.k8ts('registry', 'up', '--name', cluster.name)
  context = mkdtempSync(join(tmpdir(), 'k8ts-e2e-build-'))
  await using admin = await adminClient(cluster.name)
  host = (await findRegistry(admin.client))!.host
})

after(async () => {
  rmSync(context, { recursive: true, force: true })
  await cluster?.[Symbol.asyncDispose]()
})

test('FROM debian works without a registry, apt-get installs in it, and nothing of the machine’s settings stays', async () => {
  file('Dockerfile', 'FROM debian:stable-slim\nRUN apt-get update -qq && apt-get install -y -qq --no-install-recommends hello\nCMD ["hello", "-t"]\n')
  await build('-t', 'localhost/hello:1')
  await cluster.kubectl('run', 'hello', '--image=localhost/hello:1', '--restart=Never')
  await cluster.kubectl('wait', 'pod/hello', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s')
  assert.equal(await cluster.kubectl('logs', 'hello'), 'hello, world\n')
  await cluster.kubectl(
    'run',
    'left',
    '--image=localhost/hello:1',
    '--restart=Never',
    '--',
    'sh',
    '-c',
    'cat /etc/apt/apt.conf; ls /etc/apt/auth.conf.d',
  )
  await cluster.kubectl('wait', 'pod/left', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s')
  assert.equal(await cluster.kubectl('logs', 'left'), '')
  assert.equal(await cluster.k8ts('image', 'load', '--name', cluster.name, 'debian:stable-slim'), 'docker.io/library/debian:stable-slim\n')
  await cluster.kubectl('run', 'base', '--image=debian:stable-slim', '--restart=Never', '--', 'true')
  await cluster.kubectl('wait', 'pod/base', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s')
})

test('layers are cached beside build arguments, and their values are never stale', async () => {
  file(
    'Dockerfile',
    'FROM debian:stable-slim\nRUN cat /proc/sys/kernel/random/uuid > /once\nARG NEXT=none\nENV NEXT=$NEXT\nRUN cat /proc/sys/kernel/random/uuid > /each\nCMD cat /once /each; echo $NEXT\n',
  )
  const printed: string[][] = []
  for (const [name, ...args] of [
    ['a', '--build-arg', 'NEXT=1'],
    ['b', '--build-arg', 'NEXT=2'],
    ['c', '--build-arg', 'NEXT=1'],
    ['d'],
    ['e', '--no-cache'],
  ] as [string, ...string[]][]) {
    await build('-t', `localhost/arg:${name}`, ...args)
    await cluster.kubectl('run', `arg-${name}`, `--image=localhost/arg:${name}`, '--restart=Never')
    await cluster.kubectl('wait', `pod/arg-${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s')
    printed.push((await cluster.kubectl('logs', `arg-${name}`)).trim().split('\n'))
  }
  const [a, b, c, d, e] = printed
  assert.deepEqual(
    printed.map((lines) => lines[2]),
    ['1', '2', '1', 'none', 'none'],
  )
  for (const other of [b, c, d]) assert.equal(other![0], a![0], 'what stands before the argument is taken from the cache')
  assert.deepEqual(c, a, 'a build with known arguments is the same image')
  assert.notEqual(b![1], a![1], 'what stands after it depends on its value')
  assert.notEqual(e![0], d![0], '--no-cache runs everything')
})

test('errors say where, what was printed, and what to do', async () => {
  file('Dockerfile', 'FROM debian:stable-slim\n\nRUN echo before && \\\n  ls /nowhere\n')
  const run = await failure(build('-t', 'localhost/x:1'))
  assert.match(run, /Dockerfile:3: RUN echo before && ls \/nowhere\n {2}before\n {2}ls: cannot access '\/nowhere'.*\nthe command ended with code 2/)
  file('Dockerfile', 'FROM debian:stable-slim\nCOPY missing.txt /\n')
  assert.match(await failure(build('-t', 'localhost/x:1')), /Dockerfile:2: COPY missing\.txt \/\nmissing\.txt is not in the build context/)
  file('Dockerfile', 'FROM nobody/has-this:1\n')
  assert.match(
    await failure(build('-t', 'localhost/x:1')),
    /Dockerfile:1: there is no image nobody\/has-this:1 here\n {2}can be had: debian:bookworm/,
  )
  file('Dockerfile', 'FROM debian:stable-slim\nRUNN x\n')
  assert.match(await failure(build('-t', 'localhost/x:1')), /Dockerfile:2: unknown instruction RUNN/)
  file('Dockerfile', 'FROM debian:stable-slim AS one\n')
  assert.match(await failure(build('-t', 'localhost/x:1', '--target', 'two')), /there is no stage two: there are one/)
  assert.match(await failure(build('-t', 'localhost/x:1', '-f', 'other')), /other: no such Dockerfile/)
  assert.match(await failure(build('-t', 'Not A Name')), /invalid image name/)
  rmSync(join(context, 'Dockerfile'))
  assert.match(await failure(build('-t', 'localhost/x:1')), /has no Dockerfile: write one/)
})

test('--push sends the image to the registry, and nodes pull it from there', async () => {
  file('Dockerfile', 'FROM debian:stable-slim\nCMD ["echo", "from the registry"]\n')
  assert.equal((await build('-t', 'team/pushed:1', '--push')).trim(), `${host}/team/pushed:1`)
  await cluster.kubectl('run', 'pushed', `--image=${host}/team/pushed:1`, '--restart=Never')
  await cluster.kubectl('wait', 'pod/pushed', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s')
  assert.equal(await cluster.kubectl('logs', 'pushed'), 'from the registry\n')
})

test('a pod of the tool image, without privileges, builds and pushes what a Deployment then runs', async () => {
  const config = (await loadCluster(cluster.name))!
  await ensureToolImage(config)
  await cluster.k8ts('image', 'mirror', '--name', cluster.name, 'debian:stable-slim')
  await using admin = await adminClient(cluster.name)
  const { cluster: address } = (await findRegistry(admin.client))!
  const secret = await ensurePullSecret(admin.client, 'default')
  const { volumes, ...container } = builderParts({ registry: { host, address, secret }, layers: { name: 'layers', emptyDir: {} } })
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'builder' },
    spec: {
      terminationGracePeriodSeconds: 0,
      volumes,
      containers: [{ name: 'builder', image: toolImage, command: ['sleep', 'infinity'], ...container, securityContext: leastBuilderSecurityContext }],
    },
  })
  await cluster.kubectl('wait', 'pod/builder', '--for=condition=Ready', '--timeout=90s')
  const sh = (script: string) => cluster.kubectl('exec', 'builder', '--', 'bash', '-eo', 'pipefail', '-c', script)
  await sh(
    `mkdir app && cd app && echo one > page && printf 'FROM debian:stable-slim\\nRUN head -c 9 /dev/urandom | base64 > /once\\nCOPY page /page\\nCMD cat /once /page; sleep infinity\\n' > Dockerfile`,
  )
  const image = `${host}/app`
  const first = await sh(`cd app && docker build -t ${image}:1 . && docker push ${image}:1`)
  assert.match(first, /\[2\/4\] RUN head[^\n]*\n {2}done in/)
  const second = await sh(`cd app && echo two > page && docker build -t app . && docker tag app ${image}:2 && docker push ${image}:2`)
  assert.match(second, /\[2\/4\] RUN head[^\n]*\n {2}cached\n\[3\/4\] COPY page \/page\n {2}done in/)
  assert.equal(await sh(`docker run --rm -e A=b ${image}:2 sh -c 'cat /page; echo $A'`), 'two\nb\n')
  assert.match(await sh('docker images'), new RegExp(`${image} +2 `))
  assert.match(await failure(sh(`docker run -d ${image}:2`)), /-d is not supported here/)
  assert.match(await failure(sh(`echo wrong | docker login -u me --password-stdin ${host}`)), /it does not accept this user and password/)
  assert.match(
    await failure(sh(`cd app && printf 'FROM nobody/has:1' > Bad && docker build -t x -f Bad .`)),
    /Bad:1: there is no image nobody\/has:1 here/,
  )

  const interrupted = `cd app && printf 'FROM debian:stable-slim\\nRUN echo begun; sleep 600\\n' > Slow && (docker build -t slow -f Slow . > log & P=$!
    until grep -q begun log; do sleep 0.1; done; kill -TERM $P; wait $P || echo code $?); buildah containers -q`
  assert.equal(await sh(interrupted), 'code 130\n', 'an interrupted build ends, and leaves no container in the store')

  await cluster.kubectl('create', 'deployment', 'app', `--image=${image}:2`)
  await cluster.kubectl('rollout', 'status', 'deployment/app', '--timeout=90s')
  assert.match(await cluster.kubectl('logs', 'deployment/app'), /^\S{12}\ntwo\n$/)

  assert.match(
    await sh('kubectl version --client && git --version && skopeo --version && node -p process.version'),
    /v1\.20[^]*git version[^]*skopeo[^]*v26/,
  )
  assert.equal(
    await sh(
      `node --input-type=module -e "process.chdir('/opt/k8ts'); const { realClock } = await import('/opt/k8ts/src/base/index.ts'); console.log(typeof realClock.now())"`,
    ),
    'number\n',
  )
})

test('a registry that is away is said, soon, and a push works again when it is back', async () => {
  const scale = async (replicas: number) => {
    await cluster.kubectl('-n', 'k8ts-registry', 'scale', 'deployment/registry', `--replicas=${replicas}`)
    if (replicas === 0) await cluster.kubectl('-n', 'k8ts-registry', 'wait', 'pod', '--all', '--for=delete', '--timeout=120s')
    else await cluster.kubectl('-n', 'k8ts-registry', 'rollout', 'status', 'deployment/registry', '--timeout=120s')
  }
  const sh = (script: string) => cluster.kubectl('exec', 'builder', '--', 'bash', '-eo', 'pipefail', '-c', script)
  await scale(0)
  file('Dockerfile', 'FROM debian:stable-slim\nCMD ["true"]\n')
  assert.match(await failure(build('-t', 'away:1', '--push')), /the registry at localhost:\d+ does not answer: see `k8ts registry status/)
  assert.match(await failure(sh(`docker push ${host}/app:2`)), /docker push .*: localhost:\d+ did not take it: it does not answer/)
  await scale(1)
  await build('-t', 'away:1', '--push')
  await sh(`docker push ${host}/app:2`)
})
