import { after, before, test } from 'node:test'
import { resources } from '#api'
import type { TestCluster } from '../controllers/cluster.ts'
import { startTestCluster } from '../controllers/cluster.ts'
import type { Loose, Operations } from './operations.ts'
import { supportsOperations } from './operations.ts'

// Kubernetes' conformance tests since 1.21 that are about what clients may do with the objects of a kind; each has upstream's name.

let c: TestCluster
// only those who let go of volumes: nobody else writes to these objects
before(async () => void (c = await startTestCluster({ only: ['pvc-protection', 'pv-protection'] })))
after(() => c[Symbol.asyncDispose]())

const labels = { app: 'x' }
const podSpec = { containers: [{ name: 'c', image: 'pending' }] }
const template = { metadata: { labels }, spec: podSpec }
const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'set by a test' }
const meta = { ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }
const provisioner = 'example.com/none'
const device = { exactly: { deviceClassName: 'example-class' }, name: 'req-0' }

const rows: Record<string, Operations> = {
  '[sig-api-machinery] API priority and fairness should support FlowSchema API operations': {
    ref: resources.flowSchemas,
    object: {
      spec: {
        matchingPrecedence: 9000,
        priorityLevelConfiguration: { name: 'global-default' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'nobody' } }],
            resourceRules: [{ verbs: ['list'], apiGroups: [''], resources: ['pods'], clusterScope: true, namespaces: ['*'] }],
          },
        ],
      },
    },
    change: (o: Loose) => (o.spec.matchingPrecedence = 9001),
    status: { conditions: [meta] },
  },
  '[sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations': {
    ref: resources.priorityLevelConfigurations,
    object: { spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } } },
    patch: { spec: { limited: { nominalConcurrencyShares: 4 } } },
    status: { conditions: [meta] },
  },
  '[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota': {
    ref: resources.resourceQuotas,
    object: { spec: { hard: { pods: '50' } } },
    patch: { spec: { hard: { pods: '40' } } },
    status: { hard: { pods: '40' }, used: { pods: '3' } },
  },
  '[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations': {
    ref: resources.validatingAdmissionPolicies,
    object: {
      spec: {
        matchConstraints: {
          resourceRules: [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }],
          namespaceSelector: { matchLabels: { nowhere: 'yes' } },
        },
        validations: [{ expression: 'object.spec.replicas <= 100' }],
      },
    },
    patch: { spec: { failurePolicy: 'Ignore' } },
    status: { conditions: [meta] },
  },
  '[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations': {
    ref: resources.validatingAdmissionPolicyBindings,
    object: { spec: { policyName: 'none.example.com', validationActions: ['Deny'] } },
    change: (o: Loose) => (o.spec.validationActions = ['Warn', 'Audit']),
  },
  '[sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision': {
    ref: resources.controllerRevisions,
    object: { revision: 1, data: { spec: { a: 1 } } },
    patch: { revision: 2 },
  },
  '[sig-apps] CronJob should support CronJob API operations': {
    ref: resources.cronJobs,
    object: {
      spec: { schedule: '* * 29 2 *', jobTemplate: { spec: { template: { ...template, spec: { ...podSpec, restartPolicy: 'OnFailure' } } } } },
    },
    patch: { spec: { suspend: true } },
    status: { lastScheduleTime: '2026-01-01T00:00:00Z' },
  },
  '[sig-apps] DisruptionController should create a PodDisruptionBudget': {
    ref: resources.podDisruptionBudgets,
    object: { spec: { minAvailable: 1, selector: { matchLabels: labels } } },
    patch: { spec: { minAvailable: '50%' } },
    change: (o: Loose) => (o.spec.unhealthyPodEvictionPolicy = 'AlwaysAllow'),
    status: {
      observedGeneration: 1,
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 1,
      expectedPods: 0,
      conditions: [{ ...meta, type: 'DisruptionAllowed' }],
    },
  },
  '[sig-apps] Job should manage the lifecycle of a job': {
    ref: resources.jobs,
    object: { spec: { suspend: true, template: { ...template, spec: { ...podSpec, restartPolicy: 'Never' } } } },
    patch: { spec: { parallelism: 2 } },
    status: { conditions: [{ type: 'Suspended', status: 'True', reason: 'JobSuspended', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  },
  '[sig-network] EndpointSlice should support creating EndpointSlice API operations': {
    ref: resources.endpointSlices,
    object: { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
    change: (o: Loose) => (o.endpoints[0].conditions = { ready: false }),
  },
  '[sig-network] Services should delete a collection of services': {
    ref: resources.services,
    object: { spec: { type: 'LoadBalancer', selector: labels, ports: [{ port: 80 }] } },
    patch: { spec: { sessionAffinity: 'ClientIP' } },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
  },
  '[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations': {
    ref: resources.serviceCIDRs,
    object: { spec: { cidrs: ['203.0.113.0/24'] } },
    status: { conditions: [{ ...meta, type: 'Ready' }] },
    open: true,
  },
  '[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations': {
    ref: resources.ipAddresses,
    names: ['203.0.113.7', '203.0.113.8'],
    object: { spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'none' } } },
  },
  '[sig-node] PodTemplates should replace a pod template': {
    ref: resources.podTemplates,
    object: { template },
    change: (o: Loose) => (o.template.spec.containers[0].image = 'other'),
  },
  '[sig-node] RuntimeClass should support RuntimeClasses API operations': {
    ref: resources.runtimeClasses,
    object: { handler: 'runc', overhead: { podFixed: { cpu: '10m' } } },
  },
  '[sig-node] ConfigMap should update ConfigMap successfully [NodeConformance]': {
    ref: resources.configMaps,
    object: { data: { a: '1' } },
    patch: { data: { b: '2' } },
    change: (o: Loose) => (o.data = { c: '3' }),
  },
  '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass': {
    ref: resources.deviceClasses,
    object: { spec: { selectors: [{ cel: { expression: 'device.driver == "example.com"' } }] } },
    change: (o: Loose) => (o.spec = {}),
  },
  '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim': {
    ref: resources.resourceClaims,
    object: { spec: { devices: { requests: [device] } } },
    status: { allocation: { devices: { results: [{ request: 'req-0', driver: 'example.com', pool: 'p', device: 'd' }] } } },
  },
  '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate': {
    ref: resources.resourceClaimTemplates,
    object: { spec: { spec: { devices: { requests: [device] } } } },
  },
  '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice': {
    ref: resources.resourceSlices,
    object: {
      spec: { driver: 'example.com', nodeName: 'node-1', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, devices: [{ name: 'd' }] },
    },
    change: (o: Loose) => o.spec.devices.push({ name: 'e' }),
  },
  '[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection': {
    ref: resources.limitRanges,
    object: { spec: { limits: [{ type: 'Container', default: { memory: '10Mi' } }] } },
    patch: { spec: { limits: [{ type: 'Container', default: { memory: '20Mi' }, defaultRequest: { memory: '20Mi' } }] } },
  },
  '[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver': {
    ref: resources.csiDrivers,
    object: { spec: { attachRequired: false, volumeLifecycleModes: ['Ephemeral'] } },
    patch: { spec: { requiresRepublish: true } },
  },
  '[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode': {
    ref: resources.csiNodes,
    object: { spec: { drivers: [] } },
    change: (o: Loose) => (o.spec.drivers = [{ name: 'example.com', nodeID: 'n', topologyKeys: ['zone'] }]),
  },
  '[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations': {
    ref: resources.csiStorageCapacities,
    object: { storageClassName: 'slow', capacity: '1Gi' },
    patch: { capacity: '2Gi' },
  },
  '[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC (volumes)': {
    ref: resources.persistentVolumes,
    object: {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        csi: { driver: 'example.com', volumeHandle: 'h' },
      },
    },
    patch: { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
    status: { phase: 'Available', message: 'set by a test', reason: 'E2E' },
  },
  '[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC (claims)': {
    ref: resources.persistentVolumeClaims,
    object: { spec: { storageClassName: 'none', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    status: { phase: 'Pending', conditions: [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  },
  '[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass': {
    ref: resources.storageClasses,
    object: { provisioner, parameters: { a: 'b' } },
    patch: { allowVolumeExpansion: true },
  },
  '[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment': {
    ref: resources.volumeAttachments,
    object: { spec: { attacher: 'example.com', nodeName: 'node-1', source: { persistentVolumeName: 'v' } } },
    status: { attached: true, attachmentMetadata: { a: 'b' } },
  },
  '[sig-storage] VolumeAttributesClass VolumeAttributesClass API availability': {
    ref: resources.volumeAttributesClasses,
    object: { driverName: 'example.com', parameters: { a: 'b' } },
  },
}

for (const workload of ['deployments', 'replicaSets', 'daemonSets', 'statefulSets'] as const) {
  const kind = { deployments: 'Deployment', replicaSets: 'ReplicaSet', daemonSets: 'DaemonSet', statefulSets: 'StatefulSet' }[workload]
  const status: Record<typeof workload, object> = {
    deployments: { conditions: [condition] },
    replicaSets: { replicas: 0, conditions: [condition] },
    daemonSets: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0, conditions: [condition] },
    statefulSets: { replicas: 0, conditions: [condition] },
  }
  rows[`[sig-apps] ${kind}: list, patch and delete a collection, and validate the status endpoints`] = {
    ref: resources[workload],
    object: { spec: { selector: { matchLabels: labels }, template, ...(workload === 'statefulSets' ? { serviceName: 's' } : {}) } },
    change: (o: Loose) => (o.spec.template.metadata.labels.more = 'yes'),
    status: status[workload],
  }
}

for (const [name, operations] of Object.entries(rows)) test(name, () => supportsOperations(c, operations))
