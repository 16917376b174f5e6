import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import type { Pod } from './names.ts'
import type { ContainerRecord, PodRecord, SandboxRecord } from './records.ts'
import type { StatusInput } from './status.ts'
import { podStatus, timestamp } from './status.ts'
import { statusPatch } from './status-sender.ts'

const now = Date.UTC(2026, 0, 1, 0, 0, 30)

function pod(spec: Partial<core.PodSpec> = {}, status?: core.PodStatus, metadata: object = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'd', uid: 'u', ...metadata },
    spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec },
    ...(status ? { status } : {}),
  } as Pod
}

const sandbox: SandboxRecord = { id: 's0', ready: true, attempt: 0, createdAt: now - 9000, hostNetwork: false, ips: ['10.0.0.1'] }
const container = (name: string, state: ContainerRecord['state'], more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  id: `${name}${more.attempt ?? 0}`,
  name,
  sandboxId: 's0',
  attempt: 0,
  state,
  createdAt: now - 9000 + (more.attempt ?? 0),
  startedAt: now - 8000,
  finishedAt: state === 'exited' ? now - 1000 : 0,
  exitCode: 0,
  reason: state === 'exited' ? 'Completed' : '',
  message: '',
  hash: '',
  image: `${name}:1`,
  imageID: 'sha256:1',
  logPath: '',
  ...more,
})
const record = (containers: ContainerRecord[] = [], sandboxes = [sandbox]): PodRecord => ({
  uid: 'u',
  name: 'p',
  namespace: 'd',
  sandboxes,
  containers: containers.toSorted((a, b) => b.createdAt - a.createdAt),
})

function status(input: Partial<StatusInput>): core.PodStatus {
  return podStatus({
    pod: pod(),
    record: record(),
    now,
    nodeIPs: ['192.168.0.1'],
    waiting: new Map(),
    health: () => ({ started: true, ready: true }),
    plan: { over: false, initFailed: false },
    ending: false,
    ...input,
  })
}

const condition = (s: core.PodStatus, type: string) => s.conditions?.find((c) => c.type === type)
const two = [
  { name: 'app', image: 'app:1' },
  { name: 'b', image: 'b:1' },
]

describe('phase', () => {
  const rows: { name: string; input: Partial<StatusInput>; phase: string }[] = [
    { name: 'a pod without a container is pending', input: {}, phase: 'Pending' },
    { name: 'a pod with a running container runs', input: { record: record([container('app', 'running')]) }, phase: 'Running' },
    {
      name: 'while one container waits the pod is pending',
      input: { pod: pod({ containers: two }), record: record([container('app', 'running')]) },
      phase: 'Pending',
    },
    { name: 'with Always a pod whose container ended runs on', input: { record: record([container('app', 'exited')]) }, phase: 'Running' },
    {
      name: 'with OnFailure and success it has succeeded',
      input: { pod: pod({ restartPolicy: 'OnFailure' }), record: record([container('app', 'exited')]) },
      phase: 'Succeeded',
    },
    {
      name: 'with OnFailure and failure it runs on',
      input: { pod: pod({ restartPolicy: 'OnFailure' }), record: record([container('app', 'exited', { exitCode: 1 })]) },
      phase: 'Running',
    },
    {
      name: 'with Never and failure it has failed',
      input: { pod: pod({ restartPolicy: 'Never' }), record: record([container('app', 'exited', { exitCode: 1 })]) },
      phase: 'Failed',
    },
    {
      name: 'a running sidecar keeps it running',
      input: {
        pod: pod({ restartPolicy: 'Never', initContainers: [{ name: 'side', image: 'side:1', restartPolicy: 'Always' }] }),
        record: record([container('app', 'exited'), container('side', 'running')]),
      },
      phase: 'Running',
    },
    {
      name: 'an init container that runs keeps it pending',
      input: { pod: pod({ initContainers: [{ name: 'i', image: 'i:1' }] }), record: record([container('i', 'running')]) },
      phase: 'Pending',
    },
    {
      name: 'an init container that failed for good fails it',
      input: {
        pod: pod({ restartPolicy: 'Never', initContainers: [{ name: 'i', image: 'i:1' }] }),
        record: record([container('i', 'exited', { exitCode: 1 })]),
        plan: { over: false, initFailed: true },
      },
      phase: 'Failed',
    },
    {
      name: 'a crash loop still runs',
      input: { record: record([container('app', 'exited', { exitCode: 1 })]), waiting: new Map([['app', { reason: 'CrashLoopBackOff' }]]) },
      phase: 'Running',
    },
    {
      name: 'a terminal phase never goes back',
      input: { pod: pod({}, { phase: 'Failed' }), record: record([container('app', 'running')]) },
      phase: 'Failed',
    },
    {
      name: 'a deleted pod whose containers were killed has failed',
      input: {
        pod: pod({}, undefined, { deletionTimestamp: timestamp(now) }),
        record: record([container('app', 'exited', { exitCode: 137 })]),
        plan: { over: true, initFailed: false },
        ending: true,
      },
      phase: 'Failed',
    },
    {
      name: 'a pod that the kubelet gives up on fails once nothing runs',
      input: { record: record([container('app', 'exited', { exitCode: 137 })]), failure: { reason: 'DeadlineExceeded', message: 'm' } },
      phase: 'Failed',
    },
  ]
  for (const { name, input, phase } of rows) test(name, () => assert.equal(status(input).phase, phase))
})

describe('containers', () => {
  test('a container that is not there yet waits', () => {
    assert.deepEqual(status({}).containerStatuses, [
      {
        name: 'app',
        state: { waiting: { reason: 'ContainerCreating' } },
        lastState: {},
        ready: false,
        restartCount: 0,
        image: 'app:1',
        imageID: '',
        started: false,
      },
    ])
  })
  test('behind init containers it waits for them', () => {
    const s = status({ pod: pod({ initContainers: [{ name: 'i', image: 'i:1' }] }) })
    assert.deepEqual(s.containerStatuses?.[0]?.state, { waiting: { reason: 'PodInitializing' } })
  })
  test('what keeps it from starting is its reason', () => {
    const s = status({ waiting: new Map([['app', { reason: 'ErrImagePull', message: 'no such image' }]]) })
    assert.deepEqual(s.containerStatuses?.[0]?.state, { waiting: { reason: 'ErrImagePull', message: 'no such image' } })
  })
  test('a running container has its start, ids and its readiness', () => {
    const s = status({ record: record([container('app', 'running')]), health: () => ({ started: true, ready: false }) })
    assert.deepEqual(s.containerStatuses?.[0], {
      name: 'app',
      state: { running: { startedAt: '2026-01-01T00:00:22Z' } },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: 'app:1',
      imageID: 'sha256:1',
      containerID: 'containerd://app0',
      started: true,
    })
  })
  test('in a crash loop the last end moves to lastState', () => {
    const dead = container('app', 'exited', { exitCode: 3, reason: 'Error', message: 'bye', attempt: 2 })
    const s = status({ record: record([dead]), waiting: new Map([['app', { reason: 'CrashLoopBackOff', message: 'back-off 20s' }]]) })
    const app = s.containerStatuses?.[0]
    assert.deepEqual(app?.state, { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } })
    assert.equal(app?.restartCount, 2)
    assert.deepEqual(app?.lastState?.terminated, {
      exitCode: 3,
      reason: 'Error',
      message: 'bye',
      startedAt: '2026-01-01T00:00:22Z',
      finishedAt: '2026-01-01T00:00:29Z',
      containerID: 'containerd://app2',
    })
  })
  test('a finished init container is ready', () => {
    const s = status({ pod: pod({ initContainers: [{ name: 'i', image: 'i:1' }] }), record: record([container('i', 'exited')]) })
    assert.equal(s.initContainerStatuses?.[0]?.ready, true)
  })
  test('a container whose record is gone when the pod ends is of unknown end', () => {
    const before = status({ record: record([container('app', 'running')]) })
    const s = status({ pod: pod({}, before), record: record([], []), ending: true, plan: { over: true, initFailed: false } })
    assert.equal(s.containerStatuses?.[0]?.state?.terminated?.reason, 'ContainerStatusUnknown')
    assert.equal(s.containerStatuses?.[0]?.state?.terminated?.exitCode, 137)
  })
})

describe('conditions', () => {
  const truths = (s: core.PodStatus) => Object.fromEntries((s.conditions ?? []).map((c) => [c.type, c.status]))
  test('a pod that runs is everything', () => {
    assert.deepEqual(truths(status({ record: record([container('app', 'running')]) })), {
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    })
  })
  test('containers that are not ready are named', () => {
    const c = condition(status({ pod: pod({ containers: two }) }), 'Ready')
    assert.equal(c?.reason, 'ContainersNotReady')
    assert.equal(c?.message, 'containers with unready status: [app b]')
  })
  test('init containers that have not finished are named', () => {
    const c = condition(status({ pod: pod({ initContainers: [{ name: 'i', image: 'i:1' }] }) }), 'Initialized')
    assert.equal(c?.status, 'False')
    assert.equal(c?.message, 'containers with incomplete status: [i]')
  })
  test('a succeeded pod is completed, not ready', () => {
    const s = status({ pod: pod({ restartPolicy: 'Never' }), record: record([container('app', 'exited')]) })
    assert.equal(condition(s, 'Ready')?.reason, 'PodCompleted')
    assert.equal(condition(s, 'Initialized')?.reason, 'PodCompleted')
  })
  test('a readiness gate holds the pod back', () => {
    const gated = { readinessGates: [{ conditionType: 'x/ok' }] }
    const c = condition(status({ pod: pod(gated), record: record([container('app', 'running')]) }), 'Ready')
    assert.equal(c?.reason, 'ReadinessGatesNotReady')
    assert.equal(c?.message, 'corresponding condition of pod readiness gate "x/ok" does not exist.')
    const open: core.PodStatus = { conditions: [{ type: 'x/ok', status: 'True' }] }
    assert.equal(condition(status({ pod: pod(gated, open), record: record([container('app', 'running')]) }), 'Ready')?.status, 'True')
  })
  test('the time of a condition moves only with its status', () => {
    const first = status({ record: record([container('app', 'running')]) })
    const later = status({ pod: pod({}, first), record: record([container('app', 'running')]), now: now + 60_000 })
    assert.equal(condition(later, 'Ready')?.lastTransitionTime, timestamp(now))
    const lost = status({ pod: pod({}, first), record: record([container('app', 'exited')]), now: now + 60_000 })
    assert.equal(condition(lost, 'Ready')?.lastTransitionTime, timestamp(now + 60_000))
    assert.equal(lost.startTime, timestamp(now))
  })
  test('conditions of others are kept', () => {
    const s = status({ pod: pod({}, { conditions: [{ type: 'x/ok', status: 'True' }] }) })
    assert.equal(condition(s, 'x/ok')?.status, 'True')
  })
})

describe('addresses', () => {
  test('come from the sandbox', () => assert.deepEqual(status({}).podIPs, [{ ip: '10.0.0.1' }]))
  test('are the node’s on its network', () => assert.equal(status({ pod: pod({ hostNetwork: true }) }).podIP, '192.168.0.1'))
  test('stay when the pod is over', () => {
    const s = status({ pod: pod({}, { podIPs: [{ ip: '10.0.0.9' }] }), record: record([container('app', 'exited')], [{ ...sandbox, ready: false }]) })
    assert.equal(s.podIP, '10.0.0.9')
  })
})

describe('the patch', () => {
  test('names the pod by uid, sends its own conditions alone and clears what is gone', () => {
    const patch = statusPatch(
      'u',
      {
        phase: 'Running',
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'x/ok', status: 'True' },
        ],
        podIPs: [{ ip: '10.0.0.2' }],
      },
      { phase: 'Pending', reason: 'r', podIPs: [{ ip: '10.0.0.1' }] },
    )
    assert.deepEqual(patch, {
      metadata: { uid: 'u' },
      status: {
        phase: 'Running',
        reason: null,
        conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
        podIPs: [{ ip: '10.0.0.2' }, { $patch: 'replace' }],
      },
    })
  })
})

describe('restart rules', () => {
  const rules = (action: string) => [{ action, exitCodes: { operator: 'In', values: [42] } }]
  const withRule = (action: string) =>
    pod({ restartPolicy: 'Never', containers: [{ ...two[0]!, restartPolicy: 'Never', restartPolicyRules: rules(action) }, two[1]!] })
  const rows = [
    { name: 'a pod whose container comes back by its rule runs', action: 'Restart', exitCode: 42, phase: 'Running' },
    { name: 'a pod whose container does not come back failed', action: 'Restart', exitCode: 1, phase: 'Failed' },
    { name: 'a pod whose containers all restart runs', action: 'RestartAllContainers', exitCode: 42, phase: 'Running' },
  ]
  for (const { name, action, exitCode, phase } of rows) {
    const containers = [container('app', 'exited', { exitCode }), container('b', 'exited')]
    test(name, () => assert.equal(status({ pod: withRule(action), record: record(containers) }).phase, phase))
  }
  test('a container’s own policy counts before the pod’s', () => {
    const spec = pod({ restartPolicy: 'Always', containers: [{ ...two[0]!, restartPolicy: 'Never' }] })
    assert.equal(status({ pod: spec, record: record([container('app', 'exited', { exitCode: 0 })]) }).phase, 'Succeeded')
  })
  test('that all containers restart is a condition until the first runs anew', () => {
    const old = [container('app', 'exited', { exitCode: 42 }), container('b', 'running')]
    const restarting = (containers: ContainerRecord[]) =>
      condition(status({ pod: withRule('RestartAllContainers'), record: record(containers) }), 'AllContainersRestarting')?.status
    assert.equal(restarting([container('app', 'running'), container('b', 'running')]), 'False')
    assert.equal(restarting(old), 'True')
    assert.equal(restarting([...old, container('b', 'running', { createdAt: now - 500, attempt: 1 })]), 'False')
    assert.equal(condition(status({}), 'AllContainersRestarting'), undefined)
  })
})

test('a pod that the node rejected failed, and has no containers to tell of', () => {
  const rejected = status({
    failure: { reason: 'NodeAffinity', message: 'Pod was rejected: no', rejected: true },
    plan: { over: true, initFailed: false },
  })
  assert.deepEqual([rejected.phase, rejected.reason, rejected.containerStatuses], ['Failed', 'NodeAffinity', undefined])
})

describe('a resize', () => {
  const resources = { requests: { cpu: '1' }, limits: { cpu: '1' } }
  const spec = pod({ containers: [{ ...two[0]!, resources }] })
  const running = (cpuQuota: number) => record([container('app', 'running', { resources: { cpuShares: 1024, cpuQuota, memory: 0 } })])
  const of = (input: Partial<StatusInput>) =>
    (status({ pod: spec, ...input }).conditions ?? []).filter((c) => c.type.startsWith('PodResize')).map((c) => [c.type, c.reason, c.message])
  const pending = { reason: 'Deferred' as const, message: 'no room' }

  test('that is done has no condition', () => assert.deepEqual(of({ record: running(100_000) }), []))
  test('that is under way says so', () => assert.deepEqual(of({ record: running(50_000) }), [['PodResizeInProgress', undefined, undefined]]))
  test('that fails says why', () =>
    assert.deepEqual(of({ record: running(50_000), resize: { error: 'busy' } }), [['PodResizeInProgress', 'Error', 'busy']]))
  test('that is put off says why', () =>
    assert.deepEqual(of({ record: running(100_000), resize: { pending } }), [['PodResizePending', 'Deferred', 'no room']]))
  test('that is over leaves no condition behind', () => {
    const before: core.PodStatus = { conditions: [{ type: 'PodResizePending', status: 'True', ...pending }] }
    const now = status({ pod: { ...spec, status: before }, record: running(100_000) })
    assert.equal(condition(now, 'PodResizePending'), undefined)
    const { status: patch } = statusPatch('u', now, before) as { status: { conditions: object[] } }
    assert.deepEqual(patch.conditions.at(-1), { $patch: 'delete', type: 'PodResizePending' })
  })
})

test('mounts are told, with how deep they are read-only', () => {
  const volumeMounts = [
    { name: 'a', mountPath: '/a' },
    { name: 'b', mountPath: '/b', readOnly: true, recursiveReadOnly: 'IfPossible' },
  ]
  const input = { pod: pod({ containers: [{ ...two[0]!, volumeMounts }] }), record: record([container('app', 'running')]) }
  const told = (recursiveReadOnly: boolean) => status({ ...input, recursiveReadOnly }).containerStatuses?.[0]?.volumeMounts
  assert.deepEqual(told(false), [volumeMounts[0], { ...volumeMounts[1], recursiveReadOnly: 'Disabled' }])
  assert.equal(told(true)?.[1]?.recursiveReadOnly, 'Enabled')
})
