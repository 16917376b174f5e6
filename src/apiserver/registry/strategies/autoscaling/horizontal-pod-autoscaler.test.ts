import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, testCreates, testUpdates } from '../rule-table.ts'

const key = 'autoscaling/horizontalpodautoscalers'
const base = { spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' } } }
const spec = (more: object) => (hpa: any) => Object.assign(hpa.spec, more)
const metric = (more: object) => spec({ metrics: [more] })
const target = (more: object) => ({ type: 'AverageValue', averageValue: '1', ...more })
const at = 'spec.metrics[0]'
const external = { metric: { name: 'm' }, target: target({}) }
const scaleUp = (more: object) => spec({ behavior: { scaleUp: more } })
const up = 'spec.behavior.scaleUp'

test('autoscalers: what is left out of a behavior is filled in', () => {
  const { behavior, metrics, minReplicas } = created(key, base, spec({ behavior: { scaleDown: { tolerance: '0.2' } } })).object.spec
  assert.deepEqual(behavior, {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
    },
    scaleDown: { tolerance: '0.2', selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
  })
  assert.equal(minReplicas, 1)
  assert.deepEqual(metrics, [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }])
})

testCreates(key, base, [
  ['nothing is wrong', () => {}],
  [
    'a target without a group',
    spec({ scaleTargetRef: { kind: 'Deployment', name: 'd' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
  ],
  [
    'a target of the core group',
    spec({ scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'v1' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
  ],
  [
    'a target of three parts',
    spec({ scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'a/b/c' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
  ],
  ['a replication controller needs no group', spec({ scaleTargetRef: { kind: 'ReplicationController', name: 'd' } })],
  [
    'no replicas',
    spec({ minReplicas: 0 }),
    'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
    'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
  ],
  [
    'no replicas with a metric that exists without pods',
    spec({ minReplicas: 0, metrics: [{ type: 'External', external }] }),
    'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
  ],
  [
    'no type',
    metric({ type: '' }),
    `${at}.type: Required value: must specify a metric source type`,
    `${at}.type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"`,
    `${at}.type: Unsupported value: ""`,
  ],
  ['no source', metric({ type: 'Pods' }), `${at}.pods: Required value: must populate information for the given metric source`],
  [
    'a source of another type',
    metric({ type: 'Pods', external }),
    `${at}.pods: Required value: must populate information for the given metric source`,
  ],
  [
    'two sources',
    metric({ type: 'External', external, pods: { metric: { name: 'm' }, target: target({}) } }),
    `${at}.pods: Forbidden: must populate the given metric source only`,
  ],
  [
    'an external metric without a value',
    metric({ type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value' } } }),
    `${at}.external.target.averageValue: Required value: must set either a target value for metric or a per-pod target`,
  ],
  [
    'an external metric with both values',
    metric({ type: 'External', external: { metric: { name: 'a/b' }, target: target({ value: '1' }) } }),
    `${at}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`,
    `${at}.external.metric.name: Invalid value: "a/b": may not contain '/'`,
  ],
  [
    'an object that is not said',
    metric({
      type: 'Object',
      object: { describedObject: { kind: '', name: '', apiVersion: 'a/b/c' }, metric: { name: '' }, target: { type: 'Value' } },
    }),
    `${at}.object.describedObject.kind: Required value`,
    `${at}.object.describedObject.name: Required value`,
    `${at}.object.describedObject.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c`,
    `${at}.object.metric.name: Required value: must specify a metric name`,
    `${at}.object.target.averageValue: Required value: must set either a target value or averageValue`,
  ],
  [
    'an object of the core group',
    metric({ type: 'Object', object: { describedObject: { kind: 'Service', name: 's' }, metric: { name: 'm' }, target: target({}) } }),
  ],
  [
    'a pod metric without a value',
    metric({ type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue' } } }),
    `${at}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
  ],
  [
    'a container that is not said',
    metric({ type: 'ContainerResource', containerResource: { name: '', container: '', target: target({}) } }),
    `${at}.containerResource.name: Required value: must specify a resource name`,
    `${at}.containerResource.container: Required value: must specify a container`,
  ],
  [
    'a container and a resource that are none',
    metric({ type: 'ContainerResource', containerResource: { name: 'pods', container: 'A_b', target: target({}) } }),
    `${at}.containerResource.name: Invalid value: "pods": must be a standard resource for containers`,
    `${at}.containerResource.container: Invalid value: "A_b": a lowercase RFC 1123 label must`,
  ],
  [
    'a target of no kind',
    metric({ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 0 } } }),
    `${at}.resource.target.type: Required value: must specify a metric target type`,
    `${at}.resource.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue`,
    `${at}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
  ],
  [
    'values of nothing',
    metric({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Value', value: '0', averageValue: '-1', averageUtilization: 5 } } }),
    `${at}.resource.target.value: Invalid value: "0": must be positive`,
    `${at}.resource.target.averageValue: Invalid value: "-1": must be positive`,
    `${at}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
  ],
  [
    'a negative window',
    scaleUp({ stabilizationWindowSeconds: -1 }),
    `${up}.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero`,
  ],
  [
    'a window of more than an hour',
    scaleUp({ stabilizationWindowSeconds: 3601 }),
    `${up}.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600`,
  ],
  [
    'a choice that is none',
    scaleUp({ selectPolicy: 'Any' }),
    `${up}.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"`,
  ],
  ['no policies', scaleUp({ policies: [] }), `${up}.policies: Required value: must specify at least one Policy`],
  [
    'a policy of nothing',
    scaleUp({ policies: [{}] }),
    `${up}.policies[0].type: Unsupported value: "": supported values: "Percent", "Pods"`,
    `${up}.policies[0].value: Invalid value: 0: must be greater than zero`,
    `${up}.policies[0].periodSeconds: Invalid value: 0: must be greater than zero`,
  ],
  [
    'a period of more than half an hour',
    scaleUp({ policies: [{ type: 'Pods', value: 1, periodSeconds: 1801 }] }),
    `${up}.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800`,
  ],
  ['a tolerance', scaleUp({ tolerance: '0.05' })],
  ['a negative tolerance', scaleUp({ tolerance: '-0.05' }), `${up}.tolerance: Invalid value: "-50m": must be greater than or equal to 0`],
])

testUpdates(key, base, { before: spec({ minReplicas: 0, metrics: [{ type: 'External', external }] }) }, [
  ['one that scaled to zero before', spec({ maxReplicas: 5 })],
])
testUpdates(key, base, { before: spec({ scaleTargetRef: { kind: 'Deployment', name: 'd' } }) }, [
  ['one whose target had no group', spec({ maxReplicas: 5 })],
  [
    'another target without a group',
    spec({ scaleTargetRef: { kind: 'StatefulSet', name: 'd' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
  ],
])
testUpdates(key, base, { subresource: 'status' }, [
  [
    'negative replicas',
    (hpa) => (hpa.status = { currentReplicas: -1, desiredReplicas: -1 }),
    'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
    'status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0',
  ],
])
