import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { podStrategy } from '../strategies/pod/strategy.ts'
import { resizedPod, validateResizedPod } from './resize.ts'

type Change = (pod: any) => void

const amounts = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } }

/** A pod as it is stored; `change` comes before defaults. */
function pod(change: Change): core.Pod {
  const made = {
    metadata: { name: 'a', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i', resources: structuredClone(amounts) }] },
    status: { qosClass: 'Burstable' },
  }
  change(made)
  podStrategy.default!(made as unknown as core.Pod)
  return made as unknown as core.Pod
}

const nothing: Change = () => {}
const resources =
  (own: object): Change =>
  (p) =>
    (p.spec.containers[0].resources = own)
const init =
  (cpu: string, more: object = {}): Change =>
  (p) =>
    (p.spec.initContainers = [{ name: 'i', image: 'i', ...more, resources: { requests: { cpu } } }])
const grown = resources({ ...amounts, requests: { cpu: '200m', memory: '64Mi' } })
const both =
  (...changes: Change[]): Change =>
  (p) =>
    changes.forEach((change) => change(p))
const pods =
  (own: object | undefined): Change =>
  (p) => {
    if (own) p.spec.resources = own
    else delete p.spec.resources
  }

const onlyThese = 'Forbidden: only cpu and memory resources are mutable\n'
const onlyThoseOfInit = 'Forbidden: only cpu and memory resources for init or sidecar containers are mutable\n'

const rows: [title: string, before: Change, resize: Change, ...causes: string[]][] = [
  ['requests and limits may grow', nothing, resources({ requests: { cpu: '200m', memory: '64Mi' }, limits: { memory: '256Mi' } })],
  ['a limit of memory may shrink', nothing, resources({ requests: amounts.requests, limits: { memory: '100Mi' } })],
  ['what else is sent is not looked at', nothing, (p) => (p.spec.nodeName = 'other')],
  [
    'a request cannot be taken away',
    (p) => delete p.spec.containers[0].resources.limits,
    resources({ requests: { cpu: '100m' } }),
    'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
  ],
  [
    'a limit cannot be taken away',
    nothing,
    resources({ requests: amounts.requests }),
    'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
  ],
  [
    'other resources stay as they are',
    nothing,
    resources({ ...amounts, requests: { ...amounts.requests, 'ephemeral-storage': '1Gi' } }),
    `spec: ${onlyThese}spec.containers[0].resources.requests: ephemeral-storage`,
  ],
  [
    'so does the policy of resizing',
    nothing,
    (p) => (p.spec.containers[0].resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }]),
    `spec: ${onlyThese}spec.containers[0].resizePolicy`,
  ],
  [
    'the class of the pod stays',
    nothing,
    resources({ requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '100m', memory: '128Mi' } }),
    'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
  ],
  [
    'a request stays within its limit',
    nothing,
    resources({ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '128Mi' } }),
    'spec.containers[0].resources.requests: Invalid value: "256Mi": must be less than or equal to memory limit of 128Mi',
  ],
  [
    'static pods are not resized',
    (p) => {
      p.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }
      p.spec.nodeName = 'n'
    },
    grown,
    ': Forbidden: static pods cannot be resized',
  ],
  ['nor are pods of Windows', (p) => (p.spec.os = { name: 'windows' }), grown, ': Forbidden: windows pods cannot be resized'],
  [
    'nor pods on nodes that do not say what containers have got',
    (p) => (p.status.containerStatuses = [{ name: 'c', state: { running: {} } }]),
    grown,
    'spec: Forbidden: Pod running on node without support for resize',
  ],
  [
    'nor pods whose claims take of what the node has',
    (p) => (p.status.nodeAllocatableResourceClaimStatuses = [{ resourceClaimName: 'x' }]),
    grown,
    'spec: Forbidden: pods with node allocatable resource claims cannot be resized',
  ],
  [
    'containers are not added',
    nothing,
    (p) => p.spec.containers.push({ name: 'd', image: 'i' }),
    'spec.containers: Forbidden: containers may not be added or removed on resize',
  ],
  [
    'nor renamed',
    nothing,
    (p) => (p.spec.containers[0].name = 'd'),
    'spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize',
  ],
  [
    'nor are init containers',
    init('1'),
    (p) => (p.spec.initContainers[0].name = 'j'),
    'spec.initContainers[0].name: Forbidden: initContainers may not be renamed or reordered on resize',
  ],
  [
    'init containers are not taken away',
    init('1'),
    (p) => delete p.spec.initContainers,
    'spec.initContainers: Forbidden: initContainers may not be added or removed on resize',
  ],
  ['a sidecar may be resized', init('1', { restartPolicy: 'Always' }), init('2')],
  ['an init container may, too', init('1'), init('2')],
  [
    'but not in what else it takes',
    init('1'),
    (p) => (p.spec.initContainers[0].resources.requests['example.com/a'] = '1'),
    'spec.initContainers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
    `spec.initContainers[0]: ${onlyThoseOfInit}spec.initContainers[0].resources.requests: example.com/a`,
  ],
  [
    'and what it requests cannot be taken away',
    init('1'),
    (p) => (p.spec.initContainers[0].resources = {}),
    'spec.initContainers[0].resources.requests: Forbidden: resource requests cannot be removed',
  ],
  [
    'an init container that would have to restart may not',
    init('1', { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }),
    (p) => (p.spec.initContainers[0].resources.requests.cpu = '2'),
    'spec.initContainers[0]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized',
  ],
  ['what the pod as a whole takes may grow', pods({ requests: { cpu: '1' } }), pods({ requests: { cpu: '2' } })],
  [
    'what it takes cannot be taken away',
    pods({ requests: { cpu: '1' } }),
    pods(undefined),
    'spec.resources: Forbidden: pod-level resources cannot be removed',
  ],
  [
    'nor a part of it',
    pods({ requests: { cpu: '1', memory: '1Gi' } }),
    pods({ requests: { cpu: '1' } }),
    'spec.resources.requests: Forbidden: pod-level resource requests cannot be removed',
  ],
  [
    'huge pages of a pod stay',
    pods({ requests: { cpu: '1', 'hugepages-2Mi': '2Mi' }, limits: { 'hugepages-2Mi': '2Mi' } }),
    pods({ requests: { cpu: '1', 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } }),
    'spec: Forbidden: only cpu and memory resources are mutable at pod-level\nspec.resources.requests: hugepages-2Mi\nspec.resources.limits: hugepages-2Mi',
  ],
  ['all of it together', both(init('1'), pods({ requests: { cpu: '2' } })), both(grown, init('2'), pods({ requests: { cpu: '3' } }))],
]

for (const [title, before, resize, ...causes] of rows) {
  test(`a resize: ${title}`, () => {
    const old = pod(before)
    const next = pod(both(before, resize))
    const merged = resizedPod(next, old) as core.Pod
    assert.equal(merged.spec.nodeName, old.spec.nodeName)
    const found = validateResizedPod(merged, old).map(({ field, message }) => `${field}: ${message}`)
    assert.equal(found.length, causes.length, JSON.stringify(found, null, 1))
    for (const cause of causes)
      assert.ok(
        found.some((one) => one.startsWith(cause)),
        JSON.stringify(found, null, 1),
      )
  })
}
