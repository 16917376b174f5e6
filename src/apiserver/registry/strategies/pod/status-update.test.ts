import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Rule, testUpdates, updated } from '../rule-table.ts'

const base = {
  spec: {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'a',
        image: 'a',
        resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' }, claims: [{ name: 'x', request: 'r' }] },
      },
    ],
    resourceClaims: [{ name: 'x', resourceClaimName: 'c' }],
  },
}
const status = (more: object) => (p: any) => Object.assign(p.status, structuredClone(more))
const ended = (exitCode = 1) => ({ name: 'a', state: { terminated: { exitCode } } })
const running = { name: 'a', state: { running: {} } }
const c = 'status.containerStatuses[0]'
const one = (more: object) => status({ containerStatuses: [{ name: 'a', ...more }] })

const rules: Rule[] = [
  ['addresses', status({ podIP: '1.1.1.1', podIPs: [{ ip: '1.1.1.1' }, { ip: '::1' }], hostIP: '1.1.1.2' })],
  [
    'addresses of one family',
    status({ podIP: '1.1.1.1', podIPs: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }] }),
    'status.podIPs: Invalid value: [{"IP":"1.1.1.1"},{"IP":"1.1.1.2"}]: may specify no more than one IP for each IP family',
  ],
  ['a bad address', status({ podIP: 'x', podIPs: [{ ip: 'x' }] }), 'status.podIPs[0]: Invalid value: "x": must be a valid IP address'],
  [
    'an address with zeros',
    status({ podIP: '1.1.1.01', podIPs: [{ ip: '1.1.1.01' }] }),
    'status.podIPs[0]: Invalid value: "1.1.1.01": must not have leading 0s',
  ],
  [
    'a condition without a type',
    status({ conditions: [{ status: 'True' }] }),
    'status.conditions[0].Type: Invalid value: "": name part must be non-empty',
    'status.conditions[0].Type: Invalid value: "": name part must consist',
  ],
  [
    'a condition of the past',
    status({ conditions: [{ type: 'A', status: 'True', observedGeneration: -1 }] }),
    'status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer',
  ],
  ['a generation of the past', status({ observedGeneration: -1 }), 'status.observedGeneration: Invalid value: -1: must be a non-negative integer'],
  ['a nomination', status({ nominatedNodeName: 'n' })],
  ['a bad nomination', status({ nominatedNodeName: 'N' }), 'status.nominatedNodeName: Invalid value: "N"'],
  ['another class', status({ qosClass: 'Guaranteed' }), 'status.qosClass: Invalid value: "Guaranteed": field is immutable'],
  ['claims', status({ resourceClaimStatuses: [{ name: 'x', resourceClaimName: 'c' }] })],
  [
    'claims of nobody',
    status({ resourceClaimStatuses: [{ name: 'y' }] }),
    'status.resourceClaimStatuses[0].name: Invalid value: "y": must match the name of an entry in `spec.resourceClaims`',
  ],
  ['claims twice', status({ resourceClaimStatuses: [{ name: 'x' }, { name: 'x' }] }), 'status.resourceClaimStatuses[1].name: Duplicate value: "x"'],
  [
    'a claim with a bad name',
    status({ resourceClaimStatuses: [{ name: 'x', resourceClaimName: 'C' }] }),
    'status.resourceClaimStatuses[0].resourceClaimName: Invalid value: "C"',
  ],
  [
    'devices',
    status({
      extendedResourceClaimStatus: {
        resourceClaimName: 'c',
        requestMappings: [{ containerName: 'a', resourceName: 'example.com/gpu', requestName: 'r' }],
      },
    }),
  ],
  [
    'no devices',
    status({ extendedResourceClaimStatus: { requestMappings: [] } }),
    'status.extendedResourceClaimStatus.requestMappings: Required value: at least one request mapping is required',
    'status.extendedResourceClaimStatus.resourceClaimName: Required value',
  ],
  [
    'devices of nobody',
    status({
      extendedResourceClaimStatus: { resourceClaimName: 'c', requestMappings: [{ containerName: 'b', resourceName: 'x', requestName: 'r' }] },
    }),
    'status.extendedResourceClaimStatus.requestMappings[0].containerName: Invalid value: "b": must match the name of an entry in spec.initContainers.name or spec.containers.name',
  ],
  [
    'devices that were not asked for',
    status({
      extendedResourceClaimStatus: { resourceClaimName: 'c', requestMappings: [{ containerName: 'a', resourceName: 'x', requestName: 'r' }] },
    }),
    'status.extendedResourceClaimStatus.requestMappings[0].resourceName: Invalid value: "x": must match the extended resource name',
  ],
  ['parts of the node', status({ nodeAllocatableResourceClaimStatuses: [{ resourceClaimName: 'c', containers: ['a'], resources: { cpu: '1' } }] })],
  [
    'no parts of the node',
    status({ nodeAllocatableResourceClaimStatuses: [{ resourceClaimName: 'd' }] }),
    'status.nodeAllocatableResourceClaimStatuses[0].resourceClaimName: Invalid value: "d": no mapping found in pod reference',
    'status.nodeAllocatableResourceClaimStatuses[0].containers: Required value: must not be empty',
    'status.nodeAllocatableResourceClaimStatuses[0].resources: Required value: must not be empty',
  ],
  ['a user', one({ user: { linux: { uid: 1, gid: 1, supplementalGroups: [2] } } })],
  [
    'a user below all',
    one({ user: { linux: { uid: -1, gid: 1 } } }),
    `${c}.user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive`,
  ],
  [
    'the health of devices',
    one({ allocatedResourcesStatus: [{ name: 'example.com/gpu', resources: [{ resourceID: '1', health: 'Healthy' }] }, { name: 'claim:x/r' }] }),
  ],
  [
    'the health of what was not asked for',
    one({ allocatedResourcesStatus: [{ name: 'cpu' }] }),
    `${c}.allocatedResourcesStatus[0].name: Invalid value: "cpu": must match one of the container's resource requests`,
  ],
  [
    'the health of a claim of others',
    one({ allocatedResourcesStatus: [{ name: 'claim:x' }] }),
    `${c}.allocatedResourcesStatus[0].name: Invalid value: "claim:x": must match one of the container's resource claims in a format`,
  ],
  [
    'another health',
    one({ allocatedResourcesStatus: [{ name: 'example.com/gpu', resources: [{ resourceID: '1', health: 'x' }] }] }),
    `${c}.allocatedResourcesStatus[0].resources[0].health: Unsupported value: "x": supported values: "Healthy", "Unhealthy", "Unknown"`,
  ],
  [
    'a device twice',
    one({
      allocatedResourcesStatus: [
        {
          name: 'example.com/gpu',
          resources: [
            { resourceID: '1', health: 'Unknown' },
            { resourceID: '1', health: 'Unknown' },
          ],
        },
      ],
    }),
    `${c}.allocatedResourcesStatus[0].resources[1].resourceID: Duplicate value: "1"`,
  ],
  [
    'an image of no name',
    one({ volumeMounts: [{ name: 'v', mountPath: '/v', volumeStatus: { image: { imageRef: '' } } }] }),
    `${c}.volumeMounts[0].volumeStatus.imageVolumeStatus.imageRef: Required value: imageRef must not be empty`,
  ],
]
testUpdates('/pods', base, { subresource: 'status' }, rules)

testUpdates('/pods', { ...base, spec: { ...base.spec, nodeName: 'n' } }, { subresource: 'status' }, [
  [
    'who has a node is not nominated',
    status({ nominatedNodeName: 'n' }),
    'status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node',
  ],
])

const refused = `${c}.state: Forbidden: may not be transitioned to non-terminated state`
const restarts: [title: string, pod: object, container: object, exitCode: number, refused: boolean][] = [
  ['a container that ended does not run again', { restartPolicy: 'Never' }, {}, 1, true],
  ['unless it failed and its pod says so', { restartPolicy: 'OnFailure' }, {}, 1, false],
  ['or it always does', { restartPolicy: 'Always' }, {}, 0, false],
  ['a container that did its work does not', { restartPolicy: 'OnFailure' }, {}, 0, true],
  ['its own policy counts first', { restartPolicy: 'Always' }, { restartPolicy: 'Never' }, 1, true],
  [
    'and before it its rules',
    { restartPolicy: 'Never' },
    { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [3] } }] },
    3,
    false,
  ],
  [
    'where they speak of the code',
    { restartPolicy: 'Never' },
    { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [3] } }] },
    4,
    true,
  ],
  [
    'a rule that restarts all starts any',
    { restartPolicy: 'Never' },
    { restartPolicy: 'Never', restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [3] } }] },
    4,
    false,
  ],
]
for (const [title, pod, container, exitCode, isRefused] of restarts)
  testUpdates(
    '/pods',
    { spec: { ...pod, containers: [{ name: 'a', image: 'a', ...container }] } },
    { subresource: 'status', before: (p) => (p.status.containerStatuses = [ended(exitCode)]) },
    [[title, status({ containerStatuses: [running] }), ...(isRefused ? [refused] : [])]],
  )

test('what a client of old does not know of a status stays', () => {
  const old: any = {
    metadata: {},
    spec: base.spec,
    status: { qosClass: 'Burstable', observedGeneration: 3, conditions: [{ type: 'Ready', status: 'True', observedGeneration: 2 }] },
  }
  const { object } = updated(
    '/pods',
    old,
    (p) => (p.status = { podIP: '1.1.1.1', hostIP: '1.1.1.2', conditions: [{ type: 'Ready', status: 'False' }] }),
    'status',
  )
  assert.deepEqual(object.status, {
    podIP: '1.1.1.1',
    podIPs: [{ ip: '1.1.1.1' }],
    hostIP: '1.1.1.2',
    hostIPs: [{ ip: '1.1.1.2' }],
    qosClass: 'Burstable',
    observedGeneration: 3,
    conditions: [{ type: 'Ready', status: 'False', observedGeneration: 2 }],
  })
})
