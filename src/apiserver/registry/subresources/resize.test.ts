import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { resizedPod, validateResizedPod } from './resize.ts'

const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } }
const pod = (own: object = resources, spec: object = {}, metadata: object = {}) =>
  ({
    metadata: { name: 'a', ...metadata },
    spec: { containers: [{ name: 'c', image: 'i', resources: own }], ...spec },
    status: {},
  }) as unknown as core.Pod

interface Row {
  name: string
  old?: core.Pod
  next: core.Pod
  causes: string[]
}

const init = (policy: object, cpu: string) => ({ initContainers: [{ name: 'i', image: 'i', ...policy, resources: { requests: { cpu } } }] })

const rows: Row[] = [
  { name: 'requests and limits may grow', next: pod({ requests: { cpu: '200m', memory: '64Mi' }, limits: { memory: '256Mi' } }), causes: [] },
  { name: 'what else is sent is not looked at', next: pod(resources, { nodeName: 'other' }), causes: [] },
  {
    name: 'a request cannot be taken away',
    next: pod({ requests: { cpu: '100m' }, limits: { memory: '128Mi' } }),
    causes: ['spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed'],
  },
  {
    name: 'a limit cannot be taken away',
    next: pod({ requests: resources.requests }),
    causes: ['spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed'],
  },
  {
    name: 'other resources stay as they are',
    next: pod({ ...resources, requests: { ...resources.requests, 'ephemeral-storage': '1Gi' } }),
    causes: ['spec: Forbidden: only cpu and memory resources are mutable\nspec.containers[0].resources.requests: ephemeral-storage'],
  },
  {
    name: 'the class of the pod stays',
    next: pod({ requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '100m', memory: '128Mi' } }),
    causes: ['spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing'],
  },
  {
    name: 'a request stays within its limit',
    next: pod({ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '128Mi' } }),
    causes: ['spec.containers[0].resources.requests: Invalid value: "256Mi": must be less than or equal to memory limit of 128Mi'],
  },
  {
    name: 'static pods are not resized',
    old: pod(resources, {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    next: pod({ requests: { cpu: '200m', memory: '64Mi' }, limits: { memory: '128Mi' } }),
    causes: [': Forbidden: static pods cannot be resized'],
  },
  {
    name: 'a sidecar may be resized',
    old: pod(resources, init({ restartPolicy: 'Always' }, '1')),
    next: pod(resources, init({}, '2')),
    causes: [],
  },
  {
    name: 'an init container may not',
    old: pod(resources, init({}, '1')),
    next: pod(resources, init({}, '2')),
    causes: ['spec.initContainers[0]: Forbidden: resources for non-sidecar init containers are immutable'],
  },
]

for (const { name, old = pod(), next, causes } of rows) {
  test(name, () => {
    const merged = resizedPod(next, old) as core.Pod
    assert.equal(merged.spec.nodeName, old.spec.nodeName)
    assert.deepEqual(
      validateResizedPod(merged, old).map(({ field, message }) => `${field}: ${message}`),
      causes,
    )
  })
}
