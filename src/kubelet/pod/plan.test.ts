import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import type { Pod } from './names.ts'
import { containerHash } from './names.ts'
import type { Action, PlanInput } from './plan.ts'
import { planPod } from './plan.ts'
import type { ContainerRecord, PodRecord, SandboxRecord } from './records.ts'

const now = 1_000_000

function pod(spec: Partial<core.PodSpec> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'd', uid: 'u' },
    spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec },
  }
}

const sandbox = (more: Partial<SandboxRecord> = {}): SandboxRecord => ({
  id: 's0',
  ready: true,
  attempt: 0,
  createdAt: now - 1000,
  hostNetwork: false,
  ips: ['10.0.0.1'],
  ...more,
})

const container = (name: string, state: ContainerRecord['state'], more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  id: `${name}-${more.attempt ?? 0}`,
  name,
  sandboxId: 's0',
  attempt: 0,
  state,
  createdAt: now - 900 + (more.attempt ?? 0),
  startedAt: now - 800,
  finishedAt: state === 'exited' ? now - 100 : 0,
  exitCode: 0,
  reason: '',
  message: '',
  hash: containerHash({ name, image: `${name}:1` }),
  image: `${name}:1`,
  imageID: 'sha256:1',
  logPath: '',
  ...more,
})

const record = (containers: ContainerRecord[] = [], sandboxes: SandboxRecord[] = [sandbox()]): PodRecord => ({
  uid: 'u',
  name: 'p',
  namespace: 'd',
  sandboxes,
  containers: containers.toSorted((a, b) => b.createdAt - a.createdAt),
})

function plan(input: Partial<PlanInput>) {
  return planPod({
    pod: pod(),
    record: record(),
    now,
    prepared: true,
    busy: new Set(),
    health: () => ({ started: true }),
    restartAllowedAt: (_, failedAt) => failedAt,
    retryStartAt: () => 0,
    retrySandboxAt: 0,
    ...input,
  })
}

/** Actions in short: `start app`, `kill side ending 30`. */
function brief(action: Action): string {
  switch (action.type) {
    case 'startContainer':
      return `start ${action.container.spec.name}${action.attempt > 0 ? ` #${action.attempt}` : ''}`
    case 'killContainer':
      return `kill ${action.record.name} ${action.reason} ${action.graceSeconds}${action.until ? ` until ${action.until}` : ''}`
    case 'createSandbox':
      return `create sandbox #${action.attempt}`
    case 'stopSandbox':
    case 'removeSandbox':
      return `${action.type} ${action.sandbox.id}`
    case 'removeContainer':
      return `remove ${action.record.id}`
    case 'holdRestart':
      return `hold ${action.container.spec.name}`
    case 'resizeContainer':
      return `resize ${action.record.name}`
    case 'prepare':
      return 'prepare'
  }
}

const init = (name: string, more: Partial<core.Container> = {}): core.Container => ({ name, image: `${name}:1`, ...more })
const sidecar = (name: string, more: Partial<core.Container> = {}) => init(name, { restartPolicy: 'Always', ...more })
const app = init('app')

interface Row {
  name: string
  input: Partial<PlanInput>
  actions: string[]
  over?: boolean
  again?: number
}

function table(rows: Row[]): void {
  for (const { name, input, actions, over = false, again } of rows) {
    test(name, () => {
      const result = plan(input)
      assert.deepEqual(result.actions.map(brief), actions)
      assert.equal(result.over, over)
      assert.equal(result.again, again)
    })
  }
}

describe('sandbox', () => {
  table([
    {
      name: 'a new pod gets its sandbox and its volumes at the same time',
      input: { record: record([], []), prepared: false },
      actions: ['prepare', 'create sandbox #0'],
    },
    { name: 'without volumes no container starts', input: { prepared: false }, actions: ['prepare'] },
    { name: 'a ready sandbox gets its container', input: {}, actions: ['start app'] },
    { name: 'a sandbox without an address is replaced', input: { record: record([], [sandbox({ ips: [] })]) }, actions: ['stopSandbox s0'] },
    {
      name: 'on the host network no address is needed',
      input: { record: record([], [sandbox({ ips: [], hostNetwork: true })]) },
      actions: ['start app'],
    },
    {
      name: 'when the sandbox died, what still runs in it is killed first',
      input: { record: record([container('app', 'running')], [sandbox({ ready: false })]) },
      actions: ['kill app sandboxGone 30'],
    },
    {
      name: 'then the next sandbox is made',
      input: { record: record([container('app', 'exited', { exitCode: 137 })], [sandbox({ ready: false })]) },
      actions: ['create sandbox #1'],
    },
    {
      name: 'in a new sandbox the container starts as a restart',
      input: { record: record([container('app', 'exited', { exitCode: 137 })], [sandbox({ id: 's1', attempt: 1 }), sandbox({ ready: false })]) },
      actions: ['start app #1'],
    },
    {
      name: 'a dead sandbox that holds nothing any more is removed',
      input: {
        record: record([container('app', 'running', { sandboxId: 's1' })], [sandbox({ id: 's1', attempt: 1 }), sandbox({ ready: false })]),
      },
      actions: ['removeSandbox s0'],
    },
    {
      name: 'a sandbox that failed waits for its back-off',
      input: { record: record([], []), retrySandboxAt: now + 500 },
      actions: [],
      again: now + 500,
    },
    {
      name: 'a pod whose containers all succeeded gets no new sandbox',
      input: { pod: pod({ restartPolicy: 'OnFailure' }), record: record([container('app', 'exited')], [sandbox({ ready: false })]) },
      actions: [],
      over: true,
    },
  ])
})

describe('restart policy', () => {
  const exited = (exitCode: number) => record([container('app', 'exited', { exitCode })])
  table([
    { name: 'Always restarts after success', input: { record: exited(0) }, actions: ['start app #1'] },
    { name: 'OnFailure restarts after failure', input: { pod: pod({ restartPolicy: 'OnFailure' }), record: exited(1) }, actions: ['start app #1'] },
    { name: 'OnFailure ends after success', input: { pod: pod({ restartPolicy: 'OnFailure' }), record: exited(0) }, actions: ['stopSandbox s0'] },
    { name: 'Never ends after failure', input: { pod: pod({ restartPolicy: 'Never' }), record: exited(1) }, actions: ['stopSandbox s0'] },
    {
      name: 'Never waits for the other containers',
      input: {
        pod: pod({ restartPolicy: 'Never', containers: [app, init('b')] }),
        record: record([container('app', 'exited', { exitCode: 1 }), container('b', 'running')]),
      },
      actions: [],
    },
    {
      name: 'a restart within its back-off is held, and looked at again when that is over',
      input: { record: exited(1), restartAllowedAt: (_, failedAt) => failedAt + 10_000 },
      actions: ['hold app'],
      again: now + 9900,
    },
    { name: 'a container that is being started is left alone', input: { busy: new Set(['app']) }, actions: [] },
    { name: 'a start that failed waits for its retry', input: { retryStartAt: () => now + 10_000 }, actions: [], again: now + 10_000 },
    {
      name: 'a container that was created and never started is made anew',
      input: { record: record([container('app', 'created')]) },
      actions: ['start app #1'],
    },
    {
      name: 'two dead attempts are kept, older ones removed',
      input: {
        record: record([0, 1, 2].map((attempt) => container('app', 'exited', { attempt, exitCode: 1 }))),
        restartAllowedAt: () => now + 1,
      },
      actions: ['hold app', 'remove app-0'],
      again: now + 1,
    },
  ])
})

describe('init containers', () => {
  const two = pod({ initContainers: [init('i1'), init('i2')] })
  table([
    { name: 'the first one goes first', input: { pod: two }, actions: ['start i1'] },
    { name: 'the next waits while it runs', input: { pod: two, record: record([container('i1', 'running')]) }, actions: [] },
    { name: 'the next starts when it succeeded', input: { pod: two, record: record([container('i1', 'exited')]) }, actions: ['start i2'] },
    {
      name: 'the app starts when all succeeded',
      input: { pod: two, record: record([container('i1', 'exited'), container('i2', 'exited')]) },
      actions: ['start app'],
    },
    { name: 'a failed one runs again', input: { pod: two, record: record([container('i1', 'exited', { exitCode: 1 })]) }, actions: ['start i1 #1'] },
    {
      name: 'with Never a failed one ends the pod',
      input: { pod: pod({ initContainers: [init('i1')], restartPolicy: 'Never' }), record: record([container('i1', 'exited', { exitCode: 1 })]) },
      actions: ['stopSandbox s0'],
    },
    {
      name: 'they do not run again when the app has started, even if their records are gone',
      input: { pod: two, record: record([container('app', 'running')]) },
      actions: [],
    },
    {
      name: 'in a new sandbox they run again',
      input: {
        pod: pod({ initContainers: [init('i1')] }),
        record: record(
          [container('i1', 'exited'), container('app', 'exited', { exitCode: 137 })],
          [sandbox({ id: 's1', attempt: 1 }), sandbox({ ready: false })],
        ),
      },
      actions: ['start i1 #1'],
    },
  ])
})

describe('sidecars', () => {
  const withSidecar = pod({ initContainers: [sidecar('side'), init('i1')] })
  const notStarted = (c: ContainerRecord) => ({ started: c.name !== 'side' })
  table([
    { name: 'a sidecar starts in its place among the init containers', input: { pod: withSidecar }, actions: ['start side'] },
    {
      name: 'what follows waits until the sidecar is started',
      input: { pod: withSidecar, record: record([container('side', 'running')]), health: notStarted },
      actions: [],
    },
    {
      name: 'then it goes on beside the running sidecar',
      input: { pod: withSidecar, record: record([container('side', 'running')]) },
      actions: ['start i1'],
    },
    {
      name: 'a sidecar that crashes is restarted while a later init container runs',
      input: { pod: withSidecar, record: record([container('side', 'exited', { exitCode: 1 }), container('i1', 'running')]) },
      actions: ['start side #1'],
    },
    {
      name: 'a sidecar that ends is restarted whatever the policy',
      input: {
        pod: pod({ initContainers: [sidecar('side')], restartPolicy: 'Never' }),
        record: record([container('side', 'exited'), container('app', 'running')]),
      },
      actions: ['start side #1'],
    },
    {
      name: 'a sidecar does not keep a finished pod alive',
      input: {
        pod: pod({ initContainers: [sidecar('side')], restartPolicy: 'Never' }),
        record: record([container('side', 'running'), container('app', 'exited')]),
      },
      actions: ['kill side podDone 30'],
    },
  ])
})

describe('health', () => {
  const failing = (failedProbe: 'liveness' | 'startup') => () => ({ started: true, failedProbe })
  table([
    { name: 'a healthy container is left alone', input: { record: record([container('app', 'running')]) }, actions: [] },
    {
      name: 'a failed liveness probe kills with the pod’s grace',
      input: { record: record([container('app', 'running')]), health: failing('liveness') },
      actions: ['kill app liveness 30'],
    },
    {
      name: 'a probe’s own grace period wins',
      input: {
        pod: pod({ containers: [{ ...app, livenessProbe: { terminationGracePeriodSeconds: 3 } }] }),
        record: record([container('app', 'running')]),
        health: failing('liveness'),
      },
      actions: ['kill app liveness 3'],
    },
    {
      name: 'a container whose image changed is replaced',
      input: { pod: pod({ containers: [{ name: 'app', image: 'app:2' }] }), record: record([container('app', 'running')]) },
      actions: ['kill app changed 30'],
    },
    {
      name: 'a container of unknown state is killed first',
      input: { record: record([container('app', 'unknown')]) },
      actions: ['kill app sandboxGone 30'],
    },
  ])
})

describe('resources that change', () => {
  const limited = (more: Partial<core.Container> = {}) =>
    pod({ containers: [{ ...app, resources: { limits: { cpu: '200m', memory: '64Mi' } }, ...more }] })
  const running = (cpuQuota: number) => record([container('app', 'running', { resources: { cpuShares: 204, cpuQuota, memory: 64 * 2 ** 20 } })])
  table([
    { name: 'limits that hold are left alone', input: { pod: limited(), record: running(20_000) }, actions: [] },
    { name: 'others are applied in place', input: { pod: limited(), record: running(10_000) }, actions: ['resize app'] },
    {
      name: 'unless the container asks for a restart',
      input: { pod: limited({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }), record: running(10_000) },
      actions: ['kill app resized 30'],
    },
  ])
})

describe('the end', () => {
  const sidecars = pod({ initContainers: [sidecar('s1'), sidecar('s2')] })
  const ending = { graceSeconds: 7 }
  table([
    {
      name: 'containers are stopped with the grace asked for',
      input: { ending, record: record([container('app', 'running')]) },
      actions: ['kill app ending 7'],
    },
    {
      name: 'sidecars outlive the containers they serve',
      input: { pod: sidecars, ending, record: record([container('s1', 'running'), container('s2', 'running'), container('app', 'running')]) },
      actions: ['kill app ending 7'],
    },
    {
      name: 'then the last sidecar ends first',
      input: { pod: sidecars, ending, record: record([container('s1', 'running'), container('s2', 'running'), container('app', 'exited')]) },
      actions: ['kill s2 ending 7'],
    },
    {
      name: 'and the first one last',
      input: { pod: sidecars, ending, record: record([container('s1', 'running'), container('s2', 'exited'), container('app', 'exited')]) },
      actions: ['kill s1 ending 7'],
    },
    {
      name: 'sidecars get what is left of the pod’s time, the others all of it',
      input: {
        pod: sidecars,
        ending: { ...ending, until: 1_002_000 },
        record: record([container('s1', 'running'), container('s2', 'exited'), container('app', 'exited')]),
      },
      actions: ['kill s1 ending 7 until 1002000'],
    },
    { name: 'the sandbox goes when nothing runs', input: { ending, record: record([container('app', 'exited')]) }, actions: ['stopSandbox s0'] },
    { name: 'nothing is stopped under a start that is under way', input: { ending, busy: new Set(['app']) }, actions: [] },
    { name: 'a pod that never ran is over at once', input: { ending, record: record([], []) }, actions: [], over: true },
    { name: 'nothing is prepared for a pod that ends', input: { ending, record: record([], []), prepared: false }, actions: [], over: true },
  ])
})

describe('order among regular containers', () => {
  const hooked = pod({ containers: [{ ...app, lifecycle: { postStart: { exec: { command: ['x'] } } } }, init('b')] })
  table([
    { name: 'all start together', input: { pod: pod({ containers: [app, init('b')] }) }, actions: ['start app', 'start b'] },
    { name: 'a postStart hook holds back what follows', input: { pod: hooked }, actions: ['start app'] },
    {
      name: 'until it is over',
      input: { pod: hooked, record: record([container('app', 'running')]), busy: new Set(['app']) },
      actions: [],
    },
    { name: 'then the rest starts', input: { pod: hooked, record: record([container('app', 'running')]) }, actions: ['start b'] },
    {
      name: 'an ephemeral container starts whatever the others do',
      input: {
        pod: pod({ ephemeralContainers: [{ name: 'dbg', image: 'dbg:1' }] }),
        record: record([container('app', 'running')]),
      },
      actions: ['start dbg'],
    },
    {
      name: 'an ephemeral container is never restarted',
      input: {
        pod: pod({ ephemeralContainers: [{ name: 'dbg', image: 'dbg:1' }] }),
        record: record([container('app', 'running'), container('dbg', 'exited')]),
      },
      actions: [],
    },
  ])
})

const rule = (action: string, operator: string, ...values: number[]): Partial<core.Container> => ({
  restartPolicyRules: [{ action, exitCodes: { operator, values } }],
})

describe('containers with a restart policy of their own', () => {
  const ended = (exitCode: number) => record([container('app', 'exited', { exitCode })])
  const own = (restartPolicy: string, more: Partial<core.Container> = {}) => [init('app', { restartPolicy, ...more }), init('b')]
  const running = container('b', 'running')
  const withB = (exitCode: number) => record([container('app', 'exited', { exitCode }), running])
  table([
    {
      name: 'Never holds although the pod’s is Always',
      input: { pod: pod({ containers: own('Never') }), record: withB(1) },
      actions: [],
    },
    {
      name: 'Always holds although the pod’s is Never',
      input: { pod: pod({ restartPolicy: 'Never', containers: own('Always') }), record: withB(0) },
      actions: ['start app #1'],
    },
    {
      name: 'OnFailure leaves a success alone',
      input: { pod: pod({ restartPolicy: 'Always', containers: own('OnFailure') }), record: withB(0) },
      actions: [],
    },
    {
      name: 'a rule that names the exit code restarts it',
      input: { pod: pod({ restartPolicy: 'Never', containers: own('Never', rule('Restart', 'In', 42)) }), record: withB(42) },
      actions: ['start app #1'],
    },
    {
      name: 'a rule for all but the exit code does not speak of it',
      input: { pod: pod({ restartPolicy: 'Never', containers: own('Never', rule('Restart', 'NotIn', 42)) }), record: withB(42) },
      actions: [],
    },
    {
      name: 'a pod whose only container does not come back is over',
      input: { pod: pod({ containers: [init('app', { restartPolicy: 'Never' })] }), record: ended(1) },
      actions: ['stopSandbox s0'],
    },
    {
      name: 'an init container that never restarts fails the pod, whatever the pod’s policy is',
      input: {
        pod: pod({ initContainers: [init('first', { restartPolicy: 'Never' })] }),
        record: record([container('first', 'exited', { exitCode: 3 })]),
      },
      actions: ['stopSandbox s0'],
    },
    {
      name: 'an init container is tried again by its rule in a pod that never restarts',
      input: {
        pod: pod({ restartPolicy: 'Never', initContainers: [init('first', { restartPolicy: 'Never', ...rule('Restart', 'In', 3) })] }),
        record: record([container('first', 'exited', { exitCode: 3 })]),
      },
      actions: ['start first #1'],
    },
  ])
})

describe('an exit that restarts all containers', () => {
  const spec = pod({
    restartPolicy: 'Never',
    initContainers: [init('first')],
    containers: [init('app', { restartPolicy: 'Never', ...rule('RestartAllContainers', 'In', 42) }), init('b')],
  })
  const first = container('first', 'exited', { finishedAt: now - 850 })
  const trigger = container('app', 'exited', { exitCode: 42 })
  const later = { createdAt: now - 50, attempt: 1 }
  table([
    {
      name: 'first ends what still runs, without hooks',
      input: { pod: spec, record: record([first, trigger, container('b', 'running')]) },
      actions: ['kill b restartAll 0'],
    },
    {
      name: 'begins again with the init containers',
      input: { pod: spec, record: record([first, trigger, container('b', 'exited', { exitCode: 143 })]) },
      actions: ['start first #1'],
    },
    {
      name: 'goes on to the regular containers, each an attempt further',
      input: {
        pod: spec,
        record: record([first, trigger, container('b', 'exited', { exitCode: 0 }), container('first', 'exited', { ...later, finishedAt: now - 10 })]),
      },
      actions: ['start app #1', 'start b #1'],
    },
    {
      name: 'is over when everything runs anew',
      input: {
        pod: spec,
        record: record([
          first,
          trigger,
          container('b', 'exited'),
          container('first', 'exited', { ...later, finishedAt: now - 10 }),
          container('app', 'running', later),
          container('b', 'running', later),
        ]),
      },
      actions: [],
    },
    {
      name: 'another exit code ends the container for good',
      input: { pod: spec, record: record([first, container('app', 'exited', { exitCode: 1 }), container('b', 'exited')]) },
      actions: ['stopSandbox s0'],
    },
  ])
})
