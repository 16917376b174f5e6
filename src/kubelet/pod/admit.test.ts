import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import type { AdmitInput } from './admit.ts'
import { admitPod, placementFailure } from './admit.ts'

const pod = (name: string, spec: Partial<core.PodSpec> & { port?: core.ContainerPort; cpu?: string }, phase?: core.PodPhase): core.Pod => {
  const { port, cpu, ...rest } = spec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', uid: name },
    spec: { containers: [{ name: 'c', ...(port ? { ports: [port] } : {}), ...(cpu ? { resources: { requests: { cpu } } } : {}) }], ...rest },
    ...(phase ? { status: { phase } } : {}),
  }
}
const port = (hostPort: number, hostIP?: string): core.ContainerPort => ({
  containerPort: 80,
  hostPort,
  protocol: 'TCP',
  ...(hostIP ? { hostIP } : {}),
})

const rows: {
  name: string
  pod: core.Pod
  others?: core.Pod[]
  pressure?: Partial<AdmitInput['pressure']>
  supports?: Partial<AdmitInput['supports']>
  want: string | undefined
}[] = [
  { name: 'a pod that fits is admitted', pod: pod('a', { cpu: '1', port: port(80) }), want: undefined },
  {
    name: 'a host port that another pod has is refused',
    pod: pod('a', { port: port(80) }),
    others: [pod('b', { port: port(80) })],
    want: 'NodePorts',
  },
  {
    name: 'all addresses conflict with any one',
    pod: pod('a', { port: port(80) }),
    others: [pod('b', { port: port(80, '127.0.0.1') })],
    want: 'NodePorts',
  },
  {
    name: 'two addresses do not conflict',
    pod: pod('a', { port: port(80, '127.0.0.2') }),
    others: [pod('b', { port: port(80, '127.0.0.1') })],
    want: undefined,
  },
  {
    name: 'a pod that has ended holds no port',
    pod: pod('a', { port: port(80) }),
    others: [pod('b', { port: port(80) }, 'Failed')],
    want: undefined,
  },
  { name: 'cpu that the node does not have left is refused', pod: pod('a', { cpu: '1500m' }), others: [pod('b', { cpu: '1' })], want: 'OutOfcpu' },
  {
    name: 'an extended resource that only the node’s status has is left to the scheduler',
    pod: { ...pod('a', {}), spec: { containers: [{ name: 'c', resources: { requests: { 'example.com/thing': '2' } } }] } },
    want: undefined,
  },
  {
    name: 'an unsafe sysctl is refused',
    pod: pod('a', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
    want: 'SysctlForbidden',
  },
  { name: 'under memory pressure a pod that asks for nothing is refused', pod: pod('a', {}), pressure: { memory: true }, want: 'Evicted' },
  {
    name: 'under memory pressure a pod that tolerates it is admitted',
    pod: pod('a', { tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }] }),
    pressure: { memory: true },
    want: undefined,
  },
  { name: 'a pod for another system is refused', pod: pod('a', { os: { name: 'windows' } }), want: 'PodOSNotSupported' },
  { name: 'a pod for this system is admitted', pod: pod('a', { os: { name: 'linux' } }), want: undefined },
  {
    name: 'strict groups are refused where the runtime does not know them',
    pod: pod('a', { securityContext: { supplementalGroupsPolicy: 'Strict' } }),
    want: 'SupplementalGroupsPolicyNotSupported',
  },
  {
    name: 'strict groups are admitted where it does',
    pod: pod('a', { securityContext: { supplementalGroupsPolicy: 'Strict' } }),
    supports: { strictGroups: true },
    want: undefined,
  },
  {
    name: 'an AppArmor profile is refused where the kernel has none',
    pod: pod('a', { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
    want: 'AppArmor',
  },
  {
    name: 'no AppArmor profile is needed to be unconfined',
    pod: pod('a', { securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
    want: undefined,
  },
]

for (const row of rows)
  test(row.name, () => {
    const pressure = { memory: false, disk: false, pids: false, ...row.pressure }
    const allocatable = { cpu: '2', memory: '4Gi', pods: '10' }
    const supports = { strictGroups: false, appArmor: false, ...row.supports }
    assert.equal(admitPod({ pod: row.pod, others: row.others ?? [], allocatable, allowedUnsafeSysctls: [], pressure, supports })?.reason, row.want)
  })

describe('a pod that came past the scheduler', () => {
  const node = (labels: Record<string, string>, taints: core.Taint[] = []): core.Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels },
    spec: { taints },
  })
  const noExecute = [{ key: 'k', value: 'v', effect: 'NoExecute' }] as core.Taint[]
  const tolerations = [{ key: 'k', operator: 'Exists' }] as core.Toleration[]
  const disk = { nodeSelector: { disk: 'fast' } }
  const placements: { name: string; spec: Partial<core.PodSpec>; node: core.Node; want: string | undefined }[] = [
    { name: 'stays where its selector matches', spec: disk, node: node({ disk: 'fast' }), want: undefined },
    { name: 'is refused where it does not', spec: disk, node: node({ disk: 'slow' }), want: 'NodeAffinity' },
    { name: 'is refused by a NoExecute taint', spec: {}, node: node({}, noExecute), want: 'TaintToleration' },
    { name: 'stays where it tolerates the taint', spec: { tolerations }, node: node({}, noExecute), want: undefined },
    { name: 'stays where the taint is for the scheduler alone', spec: {}, node: node({}, [{ key: 'k', effect: 'NoSchedule' }]), want: undefined },
  ]
  for (const { name, spec, node: at, want } of placements) test(name, () => assert.equal(placementFailure(pod('a', spec), at)?.reason, want))
})
