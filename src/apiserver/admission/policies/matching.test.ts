import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { KubeObject, admissionregistration } from '#api'
import { isStatus } from '#api'
import { memoryReader } from '../../memory-reader.ts'
import { attributesOf, inVersion } from './attributes.ts'
import { conversions } from '../../registry/conversions/index.ts'
import { matches } from './matching.ts'
import type { About } from './test-request.ts'
import { requestOf } from './test-request.ts'

const reader = memoryReader()
reader.set('', 'namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'prod', labels: { env: 'prod' } } })
reader.set('', 'namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'plain' } })

const rule = (more: Partial<admissionregistration.NamedRuleWithOperations> = {}): admissionregistration.NamedRuleWithOperations => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['configmaps'],
  scope: '*',
  ...more,
})

const labelled = (labels: Record<string, string>, namespace = 'prod') => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'c', namespace, labels },
})

const configMap: About = { resource: 'configmaps', namespace: 'prod', object: labelled({ app: 'web' }) }
const hpa = { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2', metadata: { name: 'h', namespace: 'prod' }, spec: {} }

type Constraints = admissionregistration.MatchResources
const rows: [name: string, about: About, constraints: Constraints, matched: string | false][] = [
  ['a rule that names the resource matches', configMap, { resourceRules: [rule()] }, 'v1 ConfigMap configmaps'],
  ['without rules everything matches', configMap, {}, 'v1 ConfigMap configmaps'],
  ['another operation does not match', { ...configMap, operation: 'DELETE' }, { resourceRules: [rule()] }, false],
  [
    'stars stand for all',
    configMap,
    { resourceRules: [rule({ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] })] },
    'v1 ConfigMap configmaps',
  ],
  [
    'a star of resources has no subresources',
    { ...configMap, resource: 'pods', subresource: 'status' },
    { resourceRules: [rule({ resources: ['*'] })] },
    false,
  ],
  [
    '*/* has subresources',
    { resource: 'pods', subresource: 'status', namespace: 'prod' },
    { resourceRules: [rule({ resources: ['*/*'] })] },
    'v1 Pod pods',
  ],
  [
    'pods/exec is its own',
    { resource: 'pods', subresource: 'exec', operation: 'CONNECT', kind: { group: '', version: 'v1', kind: 'PodExecOptions' } },
    { resourceRules: [rule({ resources: ['pods/exec'], operations: ['CONNECT'] })] },
    'v1 PodExecOptions pods',
  ],
  ['names are those of the object', configMap, { resourceRules: [rule({ resourceNames: ['c', 'd'] })] }, 'v1 ConfigMap configmaps'],
  ['other names do not match', configMap, { resourceRules: [rule({ resourceNames: ['d'] })] }, false],
  ['what is excluded does not match', configMap, { resourceRules: [rule()], excludeResourceRules: [rule({ resourceNames: ['c'] })] }, false],
  ['the scope Cluster leaves out what is in a namespace', configMap, { resourceRules: [rule({ scope: 'Cluster' })] }, false],
  ['the scope Namespaced takes it', configMap, { resourceRules: [rule({ scope: 'Namespaced' })] }, 'v1 ConfigMap configmaps'],
  [
    'a namespace is in none',
    { resource: 'namespaces', name: 'prod' },
    { resourceRules: [rule({ resources: ['namespaces'], scope: 'Namespaced' })] },
    false,
  ],
  [
    'a namespace belongs to the cluster',
    { resource: 'namespaces', name: 'prod' },
    { resourceRules: [rule({ resources: ['namespaces'], scope: 'Cluster' })] },
    'v1 Namespace namespaces',
  ],
  ['labels of the namespace are asked', configMap, { namespaceSelector: { matchLabels: { env: 'prod' } } }, 'v1 ConfigMap configmaps'],
  ['a namespace without them does not match', { ...configMap, namespace: 'plain' }, { namespaceSelector: { matchLabels: { env: 'prod' } } }, false],
  [
    'a namespace that is made has its own labels',
    { resource: 'namespaces', object: { metadata: { name: 'new', labels: { env: 'prod' } } } },
    { namespaceSelector: { matchLabels: { env: 'prod' } } },
    'v1 Namespace namespaces',
  ],
  [
    'what is in no namespace is not left out by one',
    { resource: 'nodes', name: 'n' },
    { namespaceSelector: { matchLabels: { env: 'prod' } } },
    'v1 Node nodes',
  ],
  ['labels of the object are asked', configMap, { objectSelector: { matchLabels: { app: 'web' } } }, 'v1 ConfigMap configmaps'],
  [
    'those of the old object count, too',
    { ...configMap, operation: 'UPDATE', object: labelled({}), old: labelled({ app: 'web' }) },
    { objectSelector: { matchLabels: { app: 'web' } } },
    'v1 ConfigMap configmaps',
  ],
  ['an object without them does not match', { ...configMap, object: labelled({}) }, { objectSelector: { matchLabels: { app: 'web' } } }, false],
  [
    'Equivalent finds another version',
    { group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers', namespace: 'prod', object: hpa },
    {
      matchPolicy: 'Equivalent',
      resourceRules: [rule({ apiGroups: ['autoscaling'], apiVersions: ['v2'], resources: ['horizontalpodautoscalers'] })],
    },
    'autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers',
  ],
  [
    'Exact does not',
    { group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers', namespace: 'prod', object: hpa },
    { matchPolicy: 'Exact', resourceRules: [rule({ apiGroups: ['autoscaling'], apiVersions: ['v2'], resources: ['horizontalpodautoscalers'] })] },
    false,
  ],
  [
    'the version of the request comes first',
    { group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers', namespace: 'prod', object: hpa },
    { matchPolicy: 'Equivalent', resourceRules: [rule({ apiGroups: ['autoscaling'], apiVersions: ['*'], resources: ['horizontalpodautoscalers'] })] },
    'autoscaling/v1 HorizontalPodAutoscaler horizontalpodautoscalers',
  ],
]

describe('which requests policies are about', () => {
  for (const [name, about, constraints, matched] of rows)
    test(name, () => {
      const match = matches(attributesOf(requestOf(about))!, constraints, reader)
      const text = match && `${match.kind.group ? `${match.kind.group}/` : ''}${match.kind.version} ${match.kind.kind} ${match.resource.resource}`
      assert.equal(text ?? false, matched)
    })

  test('a namespace that is not there is told of when the rules match', () => {
    const selecting = { namespaceSelector: { matchLabels: { env: 'prod' } }, resourceRules: [rule()] }
    const about = attributesOf(requestOf({ ...configMap, namespace: 'gone' }))!
    assert.throws(
      () => matches(about, selecting, reader),
      (error) => isStatus(error, 'NotFound'),
    )
    assert.equal(matches(about, { ...selecting, resourceRules: [rule({ resources: ['secrets'] })] }, reader), undefined)
  })

  test('objects are shown in the version that was matched', () => {
    const stored = {
      ...hpa,
      spec: {
        minReplicas: 2,
        maxReplicas: 3,
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
      },
    }
    const request = requestOf({ group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers', namespace: 'prod', object: stored })
    const { kind } = attributesOf(request)!
    const { object, toRequest } = inVersion(attributesOf(request)!, kind, conversions)
    assert.equal(object!.apiVersion, 'autoscaling/v1')
    assert.equal((object as unknown as { spec: { targetCPUUtilizationPercentage: number } }).spec.targetCPUUtilizationPercentage, 70)
    assert.equal(toRequest(object as KubeObject).apiVersion, 'autoscaling/v2')
  })
})
