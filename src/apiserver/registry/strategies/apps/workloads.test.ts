import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Rule, created, testCreates, testUpdates, testWarnings } from '../rule-table.ts'
import { deploymentStrategy } from './deployment.ts'

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a' }] } }
const base = { spec: { selector: { matchLabels: { app: 'a' } }, template } }
const claim = { metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
const status = (more: object) => (object: any) => (object.status = { ...object.status, ...more })
const notNegative = (...fields: string[]) => fields.map((field) => `status.${field}: Invalid value: -1: must be greater than or equal to 0`)
const minus = (...fields: string[]) => status(Object.fromEntries(fields.map((field) => [field, -1])))
const collisions: Rule[] = [
  ['collisions that go back', status({ collisionCount: 1 }), 'status.collisionCount: Invalid value: 1: cannot be decremented'],
  ['collisions that are forgotten', status({ collisionCount: undefined }), 'status.collisionCount: Invalid value: 0: cannot be decremented'],
  ['collisions that grow', status({ collisionCount: 3 })],
]

for (const kind of ['deployments', 'daemonsets', 'statefulsets'])
  testUpdates(`apps/${kind}`, base, { subresource: 'status', before: status({ collisionCount: 2 }) }, collisions)

testUpdates('apps/deployments', base, { subresource: 'status' }, [
  [
    'negative counts',
    minus('observedGeneration', 'terminatingReplicas', 'unavailableReplicas', 'collisionCount'),
    ...notNegative('observedGeneration', 'terminatingReplicas', 'unavailableReplicas', 'collisionCount'),
  ],
])
const replicas = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'terminatingReplicas', 'observedGeneration']
testUpdates('apps/replicasets', base, { subresource: 'status' }, [
  ['negative counts', minus(...replicas), ...notNegative(...replicas)],
  [
    'more than there are',
    status({ replicas: 1, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 3 }),
    'status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas',
  ],
])
testUpdates('/replicationcontrollers', { spec: { selector: { app: 'a' }, template } }, { subresource: 'status' }, [
  ['a negative generation', minus('observedGeneration'), ...notNegative('observedGeneration')],
])

test('stateful sets: all of it is updated, one after the other, and claims are kept', () => {
  const { spec } = created('apps/statefulsets', base).object
  assert.deepEqual(spec.updateStrategy, { type: 'RollingUpdate', rollingUpdate: { partition: 0 } })
  assert.deepEqual(spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: 'Retain', whenScaled: 'Retain' })
})

const rolling = (more: object) => (set: any) => (set.spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate: more })
testCreates('apps/statefulsets', base, [
  ['a name with dots', (set) => (set.metadata.name = 'a.b'), 'metadata.name: Invalid value: "a.b": must not contain dots'],
  [
    'a service name that is none',
    (set) => (set.spec.serviceName = 'Bad_Name'),
    'spec.serviceName: Invalid value: "Bad_Name": a lowercase RFC 1123 label must',
  ],
  ['a negative history limit', (set) => (set.spec.revisionHistoryLimit = -1)],
  [
    'negative numbers',
    (set) => Object.assign(set.spec, { minReadySeconds: -1, ordinals: { start: -1 } }),
    'spec.minReadySeconds: Invalid value: -1: must',
    'spec.ordinals.start: Invalid value: -1: must',
  ],
  ['nothing unavailable', rolling({ maxUnavailable: 0 }), 'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0'],
  ['no part unavailable', rolling({ maxUnavailable: '0%' }), 'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0'],
  [
    'more than all unavailable',
    rolling({ maxUnavailable: '101%' }),
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    'claims kept in no known way',
    (set) => (set.spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Burn', whenScaled: 'Hide' }),
    'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Burn": supported values: "Retain", "Delete"',
    'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Hide": supported values: "Retain", "Delete"',
  ],
  [
    'a selector that cannot be understood says nothing of the template',
    (set) => Object.assign(set.spec, { selector: { matchExpressions: [{ key: 'a', operator: 'Near' }] }, template: { spec: { containers: [] } } }),
    'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
    'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Near"}]}',
  ],
])
const forbidden =
  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
testUpdates('apps/statefulsets', { spec: { ...base.spec, volumeClaimTemplates: [claim] } }, {}, [
  [
    'what may change',
    (set) =>
      Object.assign(set.spec, {
        replicas: 3,
        ordinals: { start: 2 },
        revisionHistoryLimit: 3,
        minReadySeconds: 5,
        updateStrategy: { type: 'OnDelete' },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
      }),
  ],
  ['how pods are made', (set) => (set.spec.podManagementPolicy = 'Parallel'), forbidden],
  ['claims', (set) => (set.spec.volumeClaimTemplates[0].spec.resources.requests.storage = '2Gi'), forbidden],
])
testUpdates(
  'apps/statefulsets',
  { spec: { ...base.spec, volumeClaimTemplates: [claim] } },
  {
    before: (set) => {
      set.spec.serviceName = 'Bad_Name'
      set.spec.template.spec.containers = []
      set.spec.volumeClaimTemplates[0].spec.accessModes = []
    },
  },
  [['one whose service name, template and claims were bad before', (set) => (set.spec.replicas = 2)]],
)

const history = 'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'
testWarnings('apps/statefulsets', base, [
  ['none', 'create', () => {}],
  ['a negative history limit', 'create', (set) => (set.spec.revisionHistoryLimit = -1), history],
  [
    'half a byte',
    'create',
    (set) =>
      (set.spec.volumeClaimTemplates = [
        { metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '500m' } } } },
      ]),
    'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "500m" is invalid, must be an integer',
  ],
  ['a history limit that has become negative', 'update', (set) => (set.spec.revisionHistoryLimit = -1), history],
])

const surge = (more: object) => (set: any) => (set.spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate: more })
testCreates('apps/daemonsets', base, [
  ['a surge', surge({ maxSurge: '30%', maxUnavailable: 0 })],
  [
    'a surge and some unavailable',
    surge({ maxSurge: 1, maxUnavailable: 1 }),
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
  ],
  [
    'neither surge nor unavailable',
    surge({ maxSurge: 0, maxUnavailable: 0 }),
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
  ],
  [
    'more than all surging',
    surge({ maxSurge: '101%', maxUnavailable: 0 }),
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "101%": must not be greater than 100%',
  ],
])

test('warnings of deployments: names that are no host names, of creates alone', () => {
  const { object } = created('apps/deployments', base, (deployment) => (deployment.metadata.name = 'a.b'))
  assert.equal(deploymentStrategy.warnings!(object as never).length, 1)
  assert.equal(deploymentStrategy.warnings!(object as never, object as never).length, 0)
})
