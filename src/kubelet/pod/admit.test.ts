import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import type { AdmitInput } from './admit.ts'
import { admitPod } from './admit.ts'

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

const rows: { name: string; pod: core.Pod; others?: core.Pod[]; pressure?: Partial<AdmitInput['pressure']>; want: string | undefined }[] = [
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
]

for (const row of rows)
  test(row.name, () => {
    const pressure = { memory: false, disk: false, pids: false, ...row.pressure }
    const input = { pod: row.pod, others: row.others ?? [], allocatable: { cpu: '2', memory: '4Gi', pods: '10' }, allowedUnsafeSysctls: [], pressure }
    assert.equal(admitPod(input)?.reason, row.want)
  })
