import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Rule, type WarningRow, created, testCreates, testUpdates, testWarnings, updated } from '../rule-table.ts'

const beta = 'volume.beta.kubernetes.io/storage-class'
const oldClass = `metadata.annotations[${beta}]: deprecated since v1.8; use "storageClassName" attribute instead`

const volume = { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi: { driver: 'd.example.com', volumeHandle: 'h' } } }
const term = (key: string) => ({ required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] } })

testCreates('/persistentvolumes', volume, [
  ['one that is fine', () => {}],
  [
    'one pod alone, and others',
    ({ spec }) => (spec.accessModes = ['ReadWriteOncePod', 'ReadWriteOnce']),
    'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
  ],
  ['one pod alone, and no mode', ({ spec }) => (spec.accessModes = ['ReadWriteOncePod', 'Foo']), 'spec.accessModes: Unsupported value: "Foo"'],
  ['one pod alone, twice', ({ spec }) => (spec.accessModes = ['ReadWriteOncePod', 'ReadWriteOncePod'])],
  [
    'no capacity',
    ({ spec }) => delete spec.capacity,
    'spec.capacity: Required value',
    'spec.capacity: Unsupported value: null: supported values: "storage"',
  ],
  [
    'capacity of something else',
    ({ spec }) => (spec.capacity.cpu = '0'),
    /^spec\.capacity: Unsupported value: \{.*\}: supported values: "storage"$/,
    'spec.capacity[cpu]: Invalid value: "0": must be greater than zero',
  ],
  [
    'negative capacity',
    ({ spec }) => (spec.capacity.storage = '-1'),
    'spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
    'spec.capacity[storage]: Invalid value: "-1": must be greater than zero',
  ],
  ['no source', ({ spec }) => delete spec.csi, 'spec: Required value: must specify a volume type'],
  ['two sources', ({ spec }) => (spec.nfs = { server: 'a', path: '/b' }), 'spec.csi: Forbidden: may not specify more than 1 volume type'],
  [
    'two sources, of which one has an odd name',
    ({ spec }) => Object.assign(spec, { csi: undefined, nfs: { server: 'a', path: '/b' }, cephfs: { monitors: ['a'] } }),
    'spec.cephFS: Forbidden: may not specify more than 1 volume type',
  ],
  [
    'a local volume anywhere',
    ({ spec }) => Object.assign(spec, { csi: undefined, local: { path: '/a' } }),
    'spec.nodeAffinity: Required value: Local volume requires node affinity',
  ],
  [
    'a local volume above its path',
    ({ spec }) => Object.assign(spec, { csi: undefined, local: { path: '/a/../b' }, nodeAffinity: term('a') }),
    `spec.local.path: Invalid value: "/a/../b": must not contain '..'`,
  ],
  [
    'all of a host, recycled',
    ({ spec }) => Object.assign(spec, { csi: undefined, hostPath: { path: '/./' }, persistentVolumeReclaimPolicy: 'Recycle' }),
    "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
  ],
  [
    'an affinity without a node',
    ({ spec }) => (spec.nodeAffinity = {}),
    'spec.nodeAffinity.required: Required value: must specify required node constraints',
  ],
  [
    'a secret without its namespace',
    ({ spec }) => (spec.csi.nodeExpandSecretRef = { name: 'a' }),
    'spec.csi.nodeExpandSecretRef.namespace: Required value',
  ],
  [
    'a secret with bad names',
    ({ spec }) => (spec.csi.controllerPublishSecretRef = { name: 'A', namespace: 'a.b' }),
    'spec.csi.controllerPublishSecretRef.name: Invalid value: "A": a lowercase RFC 1123 subdomain',
    'spec.csi.controllerPublishSecretRef.namespace: Invalid value: "a.b": ',
  ],
  ['a class of attributes', ({ spec }) => (spec.volumeAttributesClassName = 'fast')],
  [
    'a class of attributes without a name',
    ({ spec }) => (spec.volumeAttributesClassName = ''),
    'spec.volumeAttributesClassName: Required value: an empty string is disallowed',
  ],
  ['a bad class of attributes', ({ spec }) => (spec.volumeAttributesClassName = 'A_'), 'spec.volumeAttributesClassName: Invalid value: "A_"'],
  [
    'a class of attributes without a driver',
    ({ spec }) => Object.assign(spec, { csi: undefined, nfs: { server: 'a', path: '/b' }, volumeAttributesClassName: 'fast' }),
    'spec.csi: Required value: has to be specified when using volumeAttributesClassName',
  ],
  [
    'endpoints of a namespace without a name',
    ({ spec }) => Object.assign(spec, { csi: undefined, glusterfs: { endpoints: 'a', path: 'b', endpointsNamespace: '' } }),
    'spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name',
  ],
  [
    'a data set of no name',
    ({ spec }) => Object.assign(spec, { csi: undefined, flocker: {} }),
    'spec.flocker: Required value: one of datasetName and datasetUUID is required',
  ],
  [
    'a data set of two names',
    ({ spec }) => Object.assign(spec, { csi: undefined, flocker: { datasetName: 'a/b', datasetUUID: 'c' } }),
    'spec.flocker: Invalid value: "resource": datasetName and datasetUUID can not be specified simultaneously',
    `spec.flocker.datasetName: Invalid value: "a/b": must not contain '/'`,
  ],
  [
    'a secret of storageos',
    ({ spec }) => Object.assign(spec, { csi: undefined, storageos: { volumeName: 'a', secretRef: {} } }),
    'spec.storageos.secretRef.name: Required value',
    'spec.storageos.secretRef.namespace: Required value',
  ],
] satisfies Rule[])

testUpdates('/persistentvolumes', volume, {}, [
  [
    'another source',
    ({ spec }) => (spec.csi.volumeHandle = 'i'),
    'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
  ],
  ['a secret to grow with, for the first time', ({ spec }) => (spec.csi.controllerExpandSecretRef = { name: 'a', namespace: 'b' })],
  ['a secret to mount with', ({ spec }) => (spec.csi.nodePublishSecretRef = { name: 'a', namespace: 'b' }), 'spec.persistentvolumesource: Forbidden'],
  ['nodes, for the first time', ({ spec }) => (spec.nodeAffinity = term('a'))],
  ['a class of attributes, for the first time', ({ spec }) => (spec.volumeAttributesClassName = 'fast')],
])
const placed = { spec: { ...volume.spec, nodeAffinity: term('failure-domain.beta.kubernetes.io/zone'), volumeAttributesClassName: 'fast' } }
testUpdates('/persistentvolumes', placed, {}, [
  ['the label that took the place of an old one', ({ spec }) => (spec.nodeAffinity = term('topology.kubernetes.io/zone'))],
  [
    'other nodes',
    ({ spec }) => (spec.nodeAffinity = term('b')),
    /^nodeAffinity: Invalid value: \{.*\}: field is immutable, except for updating from beta label to GA$/,
  ],
  ['nodes that go', ({ spec }) => delete spec.nodeAffinity, 'nodeAffinity: Invalid value: null: field is immutable, except for'],
  ['another class of attributes', ({ spec }) => (spec.volumeAttributesClassName = 'slow')],
  [
    'a class of attributes that goes',
    ({ spec }) => delete spec.volumeAttributesClassName,
    'spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden',
  ],
])

testWarnings('/persistentvolumes', volume, [
  ['nothing', 'create', () => {}],
  ['the class as an annotation', 'create', ({ metadata }) => (metadata.annotations = { [beta]: 'a' }), oldClass],
  [
    'recycling',
    'update',
    ({ spec }) => (spec.persistentVolumeReclaimPolicy = 'Recycle'),
    'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
  ],
  [
    'an old label of nodes',
    'create',
    ({ spec }) => (spec.nodeAffinity = term('beta.kubernetes.io/os')),
    'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
  ],
  [
    'sources that are gone',
    'create',
    ({ spec }) => Object.assign(spec, { csi: undefined, rbd: { monitors: ['a'], image: 'b' } }),
    'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
  ],
] satisfies WarningRow[])

const claim = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
const source = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'a' }

testCreates('/persistentvolumeclaims', claim, [
  ['no modes', ({ spec }) => delete spec.accessModes, 'spec.accessModes: Required value: at least 1 access mode is required'],
  [
    'a bad selector',
    ({ spec }) => (spec.selector = { matchExpressions: [{ key: 'a', operator: 'In', values: ['b c'] }] }),
    'spec.selector.matchExpressions[0].values[0]: Invalid value: "b c"',
  ],
  ['no size', ({ spec }) => (spec.resources = {}), 'spec.resources[storage]: Required value'],
  [
    'a size of nothing',
    ({ spec }) => (spec.resources.requests.storage = '0'),
    'spec.resources[storage]: Invalid value: "0": must be greater than zero',
  ],
  [
    'a source of a bad group',
    ({ spec }) => (spec.dataSourceRef = { apiGroup: 'A_', kind: 'B', name: 'c' }),
    'spec.dataSource.apiGroup: Invalid value: "A_"',
    'spec.dataSourceRef.apiGroup: Invalid value: "A_"',
  ],
  [
    'a source of a kind that has no group',
    ({ spec }) => (spec.dataSourceRef = { kind: 'B', name: 'c' }),
    `spec.dataSource: Invalid value: "B": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
    'spec.dataSourceRef: Invalid value: "B"',
  ],
  [
    'two sources',
    ({ spec }) => Object.assign(spec, { dataSource: source, dataSourceRef: { ...source, name: 'b' } }),
    'spec: Invalid value: {}: must match dataSourceRef',
  ],
  ['a bad class of attributes', ({ spec }) => (spec.volumeAttributesClassName = 'A_'), 'spec.volumeAttributesClassName: Invalid value: "A_"'],
  ['an empty class of attributes', ({ spec }) => (spec.volumeAttributesClassName = '')],
])

const sources: [title: string, spec: object, dataSource: object | undefined, dataSourceRef: object | undefined][] = [
  ['a snapshot in the old field', { dataSource: source }, source, source],
  ['a snapshot in the new field', { dataSourceRef: source }, source, source],
  ['something else in the old field', { dataSource: { apiGroup: 'a.b', kind: 'C', name: 'd' } }, undefined, undefined],
  [
    'something else in both',
    { dataSource: { apiGroup: 'a.b', kind: 'C', name: 'd' }, dataSourceRef: { apiGroup: 'a.b', kind: 'C', name: 'd' } },
    { apiGroup: 'a.b', kind: 'C', name: 'd' },
    { apiGroup: 'a.b', kind: 'C', name: 'd' },
  ],
  ['a source in another namespace', { dataSourceRef: { ...source, namespace: 'b' } }, undefined, undefined],
]
for (const [title, spec, dataSource, dataSourceRef] of sources)
  test(`sources of claims: ${title}`, () => {
    const { object } = created('/persistentvolumeclaims', claim, (made) => Object.assign(made.spec, spec))
    assert.deepEqual(object.spec.dataSource, dataSource)
    assert.deepEqual(object.spec.dataSourceRef, dataSourceRef)
  })

const fixed = 'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
testUpdates('/persistentvolumeclaims', claim, {}, [
  ['its volume, for the first time', ({ spec }) => (spec.volumeName = 'a')],
  ['a class, for the first time', ({ spec }) => (spec.storageClassName = 'a')],
  ['other modes', ({ spec }) => (spec.accessModes = ['ReadWriteMany']), fixed],
  ['a larger size, before it has a volume', ({ spec }) => (spec.resources.requests.storage = '2Gi'), fixed],
  ['a class of attributes, before it has a volume', ({ spec }) => (spec.volumeAttributesClassName = 'a'), fixed],
  ['another mode of the volume', ({ spec }) => (spec.volumeMode = 'Block'), fixed, 'volumeMode: Invalid value: "Block": field is immutable'],
  [
    'an annotation for the class',
    ({ metadata }) => (metadata.annotations = { [beta]: 'a' }),
    `metadata.annotations.${beta}: Invalid value: "a": field is immutable`,
  ],
])
const bound = {
  before: (object: any) => {
    object.status = { phase: 'Bound', capacity: { storage: '2Gi' } }
    Object.assign(object.spec, { volumeName: 'v', storageClassName: 'a', volumeAttributesClassName: 'fast' })
    object.spec.resources.requests.storage = '3Gi'
  },
}
testUpdates('/persistentvolumeclaims', claim, bound, [
  ['bound: a larger size', ({ spec }) => (spec.resources.requests.storage = '4Gi')],
  ['bound: a smaller size than was asked for, and than there is none', ({ spec }) => (spec.resources.requests.storage = '2500Mi')],
  [
    'bound: a size of what there is',
    ({ spec }) => (spec.resources.requests.storage = '2Gi'),
    'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  ],
  ['bound: another volume', ({ spec }) => (spec.volumeName = 'w'), fixed],
  ['bound: another class', ({ spec }) => (spec.storageClassName = 'b'), fixed],
  ['bound: limits', ({ spec }) => (spec.resources.limits = { storage: '9Gi' }), fixed],
  ['bound: another class of attributes', ({ spec }) => (spec.volumeAttributesClassName = 'slow')],
  [
    'bound: no class of attributes',
    ({ spec }) => delete spec.volumeAttributesClassName,
    fixed,
    'spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden',
  ],
  [
    'bound: an empty class of attributes',
    ({ spec }) => (spec.volumeAttributesClassName = ''),
    'spec.volumeAttributesClassName: Forbidden: update from non-nil value to an empty string is forbidden',
  ],
])
const annotated = { metadata: { annotations: { [beta]: 'a' } }, ...claim }
testUpdates('/persistentvolumeclaims', annotated, {}, [
  [
    'the annotated class moves into the field',
    (object) => Object.assign(object, { metadata: { ...object.metadata, annotations: {} }, spec: { ...object.spec, storageClassName: 'a' } }),
  ],
  ['the annotated class stands in the field, too', ({ spec }) => (spec.storageClassName = 'a')],
  ['another class than the annotated one', ({ spec }) => (spec.storageClassName = 'b'), fixed],
  ['no annotation', ({ metadata }) => (metadata.annotations = {}), `metadata.annotations.${beta}: Invalid value: "": field is immutable`],
])
testUpdates('/persistentvolumeclaims', claim, { subresource: 'status' }, [
  [
    'what it has',
    ({ status }) =>
      Object.assign(status, {
        capacity: { storage: '1Gi' },
        allocatedResources: { storage: '2Gi' },
        allocatedResourceStatuses: { storage: 'NodeResizePending' },
      }),
  ],
  [
    'negative capacity',
    ({ status }) => (status.capacity = { storage: '-5' }),
    'status.capacity[storage]: Invalid value: -5: must be a valid resource quantity',
  ],
  [
    'a state of resizing that is none',
    ({ status }) => (status.allocatedResourceStatuses = { storage: 'Foo' }),
    'status.allocatedResourceStatus: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
  ],
  [
    'resizing what is no storage',
    ({ status }) => (status.allocatedResourceStatuses = { cpu: 'NodeResizePending' }),
    'status.allocatedResourceStatus: Unsupported value: "cpu": supported values: "storage"',
  ],
  ['resizing what has a domain', ({ status }) => (status.allocatedResourceStatuses = { 'example.com/a': 'NodeResizePending' })],
  [
    'resizing what has a bad name',
    ({ status }) => (status.allocatedResourceStatuses = { 'a b': 'NodeResizePending' }),
    'status.allocatedResourceStatus: Invalid value: "a b"',
  ],
  [
    'what is no storage',
    ({ status }) => (status.allocatedResources = { cpu: '1' }),
    'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"',
  ],
  [
    'negative storage',
    ({ status }) => (status.allocatedResources = { storage: '-1' }),
    'status.allocatedResources[storage]: Invalid value: -1: must be a valid resource quantity',
  ],
])
testWarnings('/persistentvolumeclaims', claim, [
  ['nothing', 'create', () => {}],
  ['the class as an annotation', 'create', ({ metadata }) => (metadata.annotations = { [beta]: 'a' }), oldClass],
  [
    'half a byte',
    'create',
    ({ spec }) => (spec.resources.requests.storage = '1500m'),
    'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
  ],
  [
    'half a byte of limit',
    'create',
    ({ spec }) => (spec.resources.limits = { storage: '500m' }),
    'spec.resources.limits[storage]: fractional byte value "500m" is invalid, must be an integer',
  ],
])

const storageClass = { provisioner: 'a.example.com/b' }
testCreates('storage.k8s.io/storageclasses', storageClass, [
  ['a provisioner in capitals is shown in small letters', (object) => (object.provisioner = 'Bad Name'), 'provisioner: Invalid value: "bad name"'],
  ['no name of a parameter', (object) => (object.parameters = { '': 'a' }), 'parameters: Invalid value: "": field can not be empty.'],
  [
    'too many parameters',
    (object) => (object.parameters = Object.fromEntries(Array.from({ length: 513 }, (_, i) => [`a${i}`, '']))),
    'parameters: Too long: may not be more than 512 bytes',
  ],
  [
    'a policy that is none',
    (object) => (object.reclaimPolicy = 'Recycle'),
    'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
  ],
])
testWarnings('storage.k8s.io/storageclasses', storageClass, [
  [
    'an old label of nodes',
    'create',
    (object) => (object.allowedTopologies = [{ matchLabelExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', values: ['a'] }] }]),
    'allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  ],
])

const attributes = { driverName: 'd.example.com', parameters: { a: 'b' } }
testCreates('storage.k8s.io/volumeattributesclasses', attributes, [
  ['no driver', (object) => delete object.driverName, 'driverName: Required value'],
  ['a bad driver', (object) => (object.driverName = 'a b'), 'driverName: Invalid value: "a b"'],
  ['no parameters', (object) => delete object.parameters, 'parameters: Required value: must contain at least one key/value pair'],
])
testUpdates('storage.k8s.io/volumeattributesclasses', attributes, {}, [
  ['another driver', (object) => (object.driverName = 'e'), 'driverName: Forbidden: updates to driverName are forbidden.'],
  ['other parameters', (object) => (object.parameters = { a: 'c' }), 'parameters: Forbidden: updates to parameters are forbidden.'],
])

testCreates('storage.k8s.io/csidrivers', { spec: {} }, [
  [
    'a policy for groups',
    ({ spec }) => (spec.fsGroupPolicy = 'Foo'),
    'spec.fsGroupPolicy: Unsupported value: "Foo": supported values: "File", "None", "ReadWriteOnceWithFSType"',
  ],
  [
    'a mode of life',
    ({ spec }) => (spec.volumeLifecycleModes = ['Foo']),
    'spec.volumeLifecycleModes: Unsupported value: "Foo": supported values: "Persistent", "Ephemeral"',
  ],
  [
    'tokens for one audience',
    ({ spec }) => (spec.tokenRequests = [{ audience: 'a' }, { audience: 'a' }]),
    'spec.tokenRequests[1].audience: Duplicate value: "a"',
  ],
  ['tokens for the server, twice', ({ spec }) => (spec.tokenRequests = [{}, {}]), 'spec.tokenRequests[1].audience: Duplicate value: ""'],
  [
    'a short token',
    ({ spec }) => (spec.tokenRequests = [{ audience: 'a', expirationSeconds: 599 }]),
    'spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
  ],
  [
    'a long token',
    ({ spec }) => (spec.tokenRequests = [{ audience: 'a', expirationSeconds: 2 ** 32 + 1 }]),
    'spec.tokenRequests[0].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
  ],
  [
    'updates every moment',
    ({ spec }) => (spec.nodeAllocatableUpdatePeriodSeconds = 9),
    'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds',
  ],
])
testUpdates('storage.k8s.io/csidrivers', { spec: {} }, {}, [
  ['attaching', ({ spec }) => (spec.attachRequired = false), 'spec.attachedRequired: Invalid value: false: field is immutable'],
  [
    'modes of life',
    ({ spec }) => (spec.volumeLifecycleModes = ['Ephemeral']),
    'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
  ],
  ['capacity', ({ spec }) => (spec.storageCapacity = true)],
])
test('a driver has a generation since its settings first changed', () => {
  const { object } = created('storage.k8s.io/csidrivers', { metadata: { generation: undefined }, spec: {} })
  const change = (driver: any) => (driver.spec.requiresRepublish = true)
  assert.equal(updated('storage.k8s.io/csidrivers', object, change).object.metadata.generation, 1)
  assert.equal(updated('storage.k8s.io/csidrivers', object, () => {}).object.metadata.generation, undefined)
})

const driver = { name: 'd.example.com', nodeID: 'n' }
testCreates('storage.k8s.io/csinodes', { spec: { drivers: [driver] } }, [
  [
    'a long ID',
    ({ spec }) => (spec.drivers[0].nodeID = 'x'.repeat(257)),
    /^spec\.drivers\[0\]\.nodeID: Invalid value: "x+": must be 256 characters or less$/,
  ],
  ['one driver twice', ({ spec }) => spec.drivers.push(driver), 'spec.drivers[1].name: Duplicate value: "d.example.com"'],
  ['a key twice', ({ spec }) => (spec.drivers[0].topologyKeys = ['a', 'a']), 'spec.drivers[0]: Duplicate value: "a"'],
  ['a bad key', ({ spec }) => (spec.drivers[0].topologyKeys = ['a b']), 'spec.drivers[0]: Invalid value: "a b"'],
  [
    'less than no volumes',
    ({ spec }) => (spec.drivers[0].allocatable = { count: -1 }),
    'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
  ],
])
testUpdates('storage.k8s.io/csinodes', { spec: { drivers: [driver] } }, {}, [
  ['what it can attach', ({ spec }) => (spec.drivers[0].allocatable = { count: 5 })],
  [
    'another ID',
    ({ spec }) => (spec.drivers[0].nodeID = 'm'),
    'spec.drivers: Invalid value: {"Name":"d.example.com","NodeID":"m","TopologyKeys":null,"Allocatable":null}: field is immutable',
  ],
  ['no drivers', ({ spec }) => (spec.drivers = [])],
])

const capacity = { storageClassName: 'a', nodeTopology: { matchLabels: { a: 'b' } } }
testCreates('storage.k8s.io/csistoragecapacities', capacity, [
  ['no class', (object) => delete object.storageClassName, 'storageClassName: Invalid value: "": a lowercase RFC 1123 subdomain'],
  [
    'a bad topology',
    (object) => (object.nodeTopology = { matchExpressions: [{ key: 'a', operator: 'Foo' }] }),
    'nodeTopology.matchExpressions[0].operator: Invalid value: "Foo": not a valid selector operator',
  ],
  ['negative capacity', (object) => (object.capacity = '-1'), 'capacity: Invalid value: "-1": must be greater than or equal to 0'],
])
testUpdates('storage.k8s.io/csistoragecapacities', capacity, {}, [
  ['another class', (object) => (object.storageClassName = 'b'), 'storageClassName: Invalid value: "b": field is immutable'],
  [
    'another topology',
    (object) => (object.nodeTopology = { matchLabels: { a: 'c' } }),
    'nodeTopology: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable',
  ],
  ['another capacity', (object) => (object.capacity = '1Gi')],
])
testWarnings('storage.k8s.io/csistoragecapacities', capacity, [
  [
    'old labels of nodes',
    'create',
    (object) =>
      (object.nodeTopology = {
        matchLabels: { 'beta.kubernetes.io/arch': 'a' },
        matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }],
      }),
    'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
    'nodeTopology.matchLabels.beta.kubernetes.io/arch: deprecated since v1.14; use "kubernetes.io/arch" instead',
  ],
])

const attachment = { spec: { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } }
const inline = { accessModes: ['ReadWriteOnce'], csi: { driver: 'd.example.com', volumeHandle: 'h' } }
testCreates('storage.k8s.io/volumeattachments', attachment, [
  ['no attacher', ({ spec }) => delete spec.attacher, 'spec.attacher: Required value'],
  [
    'no source',
    ({ spec }) => (spec.source = {}),
    'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
  ],
  [
    'two sources',
    ({ spec }) => (spec.source.inlineVolumeSpec = inline),
    'spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
  ],
  ['a volume of its own', ({ spec }) => (spec.source = { inlineVolumeSpec: inline })],
  [
    'a volume of its own with what claims need',
    ({ spec }) =>
      (spec.source = {
        inlineVolumeSpec: {
          ...inline,
          capacity: { storage: '1' },
          claimRef: { name: 'a' },
          storageClassName: 'a',
          volumeMode: 'Block',
          persistentVolumeReclaimPolicy: 'Delete',
          nodeAffinity: term('a'),
        },
      }),
    'spec.source.inlineVolumeSpec.claimRef: Forbidden: may not be specified in the context of inline volumes',
    'spec.source.inlineVolumeSpec.capacity: Forbidden',
    'spec.source.inlineVolumeSpec.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes',
    'spec.source.inlineVolumeSpec.nodeAffinity: Forbidden',
    'spec.source.inlineVolumeSpec.storageClassName: Forbidden',
    'spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes',
  ],
  [
    'a volume of its own without a driver',
    ({ spec }) => (spec.source = { inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], nfs: { server: 'a', path: '/b' } } }),
    'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
  ],
])
testUpdates('storage.k8s.io/volumeattachments', attachment, { subresource: 'status' }, [
  ['an error', ({ status }) => (status.attachError = { message: 'a', errorCode: 3 })],
  [
    'a long error',
    ({ status }) => (status.attachError = { message: 'x'.repeat(1025) }),
    'status.attachError.message: Too long: may not be more than 262144 bytes',
  ],
  [
    'a negative error',
    ({ status }) => (status.detachError = { errorCode: -1 }),
    'status.detachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    'much metadata',
    ({ status }) => (status.attachmentMetadata = { a: 'x'.repeat(262144) }),
    'status.attachmentMetadata: Too long: may not be more than 262144 bytes',
  ],
])
testUpdates('storage.k8s.io/volumeattachments', attachment, {}, [
  ['another node', ({ spec }) => (spec.nodeName = 'm'), /^spec: Invalid value: \{.*\}: field is immutable$/],
])
