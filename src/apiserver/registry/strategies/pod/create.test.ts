import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created } from '../rule-table.ts'

interface Row {
  name: string
  metadata?: object
  spec?: object
  container?: object
  /** Of the pod, or of its container. */
  expected: { spec?: object; container?: object; status?: object }
}

const appArmor = 'container.apparmor.security.beta.kubernetes.io/a'
const selector = (key: string, operator: string, value: string) => ({ matchExpressions: [{ key, operator, values: [value] }] })
const constraint = { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', matchLabelKeys: ['app', 'none'] }

const rows: Row[] = [
  {
    name: 'what a pod as a whole requests is what its containers do',
    spec: { resources: { limits: { cpu: '2', memory: '1Gi' } } },
    container: { resources: { requests: { cpu: '1' } } },
    expected: { spec: { resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } } } },
  },
  {
    name: 'what it may use is what its containers may, when all say so',
    spec: { resources: { requests: { cpu: '1' } } },
    container: { resources: { limits: { cpu: '2' }, requests: { cpu: '1' } } },
    expected: { spec: { resources: { limits: { cpu: '2' }, requests: { cpu: '1' } } } },
  },
  {
    name: 'huge pages of a pod are those of its containers',
    spec: { resources: { requests: { cpu: '1' } } },
    container: { resources: { limits: { 'hugepages-2Mi': '2Mi', memory: '1' } } },
    expected: { spec: { resources: { requests: { cpu: '1', memory: '1', 'hugepages-2Mi': '2Mi' }, limits: { 'hugepages-2Mi': '2Mi' } } } },
  },
  {
    name: 'a profile in an annotation becomes a field',
    metadata: { annotations: { [appArmor]: 'localhost/p' } },
    expected: { container: { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'p' } } } },
  },
  {
    name: 'a profile in an annotation that is the one of the pod does not',
    metadata: { annotations: { [appArmor]: 'runtime/default' } },
    spec: { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } },
    expected: { container: {}, spec: { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } } },
  },
  {
    name: 'keys of labels become part of the selector',
    metadata: { labels: { app: 'x' } },
    spec: { topologySpreadConstraints: [{ ...constraint, labelSelector: {} }] },
    expected: { spec: { topologySpreadConstraints: [{ ...constraint, labelSelector: selector('app', 'In', 'x') }] } },
  },
  {
    name: 'keys that are not to match do so, too',
    metadata: { labels: { app: 'x' } },
    spec: {
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z', labelSelector: {}, mismatchLabelKeys: ['app'] }] },
      },
    },
    expected: {
      spec: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'z', labelSelector: selector('app', 'NotIn', 'x'), mismatchLabelKeys: ['app'] },
            ],
          },
        },
      },
    },
  },
  {
    name: 'signals are dropped while their feature is an alpha',
    spec: { os: { name: 'linux' } },
    container: { lifecycle: { stopSignal: 'SIGUSR1' } },
    expected: { container: { lifecycle: {} } },
  },
  {
    name: 'a pod behind gates says so',
    spec: { schedulingGates: [{ name: 'g' }] },
    expected: {
      status: {
        phase: 'Pending',
        qosClass: 'BestEffort',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates' },
        ],
      },
    },
  },
]

for (const { name, metadata = {}, spec = {}, container = {}, expected } of rows)
  test(name, () => {
    const { object, causes } = created('/pods', { metadata, spec: { ...spec, containers: [{ name: 'a', image: 'a', ...container }] } })
    assert.deepEqual(causes, [])
    for (const [key, value] of Object.entries(expected.spec ?? {})) assert.deepEqual(object.spec[key], value)
    for (const [key, value] of Object.entries(expected.container ?? {})) assert.deepEqual(object.spec.containers[0][key], value)
    if (expected.container && Object.keys(expected.container).length === 0) assert.equal(object.spec.containers[0].securityContext, undefined)
    if (expected.status) assert.deepEqual(object.status, expected.status)
  })

test('signals are dropped from templates, too', () => {
  const { object } = created('/podtemplates', {
    template: { spec: { containers: [{ name: 'a', image: 'a', lifecycle: { stopSignal: 'SIGUSR1' } }] } },
  })
  assert.deepEqual(object['template'].spec.containers[0].lifecycle, {})
})
