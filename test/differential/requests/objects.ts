/** A kind with objects of it: the least that is accepted, one that says much, and a change that is allowed. */
export interface KindObjects {
  apiVersion: string
  kind: string
  plural: string
  cluster?: true
  minimal: Record<string, unknown>
  full: Record<string, unknown>
  /** A merge patch that an update may make. */
  change: Record<string, unknown>
  /** A merge patch of the status. */
  status?: Record<string, unknown>
  /** How `kubectl scale` is asked. */
  scale?: true
  /** Names that are allowed beside DNS subdomains, or other rules: the kind's own name for the objects. */
  name?: (short: string) => string
}

const containers = [{ name: 'a', image: 'registry.example.com/a:1' }]
const labels = { app: 'a' }
const template = { metadata: { labels }, spec: { containers } }
const selector = { matchLabels: labels }

export const fullPodSpec = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 10,
  activeDeadlineSeconds: 1000,
  dnsPolicy: 'None',
  dnsConfig: { nameservers: ['10.1.1.1'], searches: ['example.com'], options: [{ name: 'ndots', value: '2' }] },
  nodeSelector: { disk: 'ssd' },
  automountServiceAccountToken: false,
  hostname: 'h',
  subdomain: 's',
  shareProcessNamespace: true,
  priorityClassName: 'system-cluster-critical',
  hostAliases: [{ ip: '10.1.2.3', hostnames: ['x.example.com'] }],
  tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
  readinessGates: [{ conditionType: 'example.com/ready' }],
  imagePullSecrets: [{ name: 'pull' }],
  securityContext: {
    runAsUser: 1000,
    runAsGroup: 1000,
    fsGroup: 2000,
    runAsNonRoot: true,
    supplementalGroups: [5],
    sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '1024 65535' }],
  },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 5, preference: { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] } },
      ],
    },
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { x: 'y' } }, topologyKey: 'kubernetes.io/hostname', namespaces: ['other'] },
      ],
    },
  },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: labels } }],
  initContainers: [{ name: 'init', image: 'i', command: ['sh', '-c', 'true'], args: ['x'] }],
  containers: [
    {
      name: 'a',
      image: 'a:latest',
      workingDir: '/w',
      ports: [
        { name: 'http', containerPort: 80 },
        { containerPort: 53, protocol: 'UDP' },
      ],
      env: [
        { name: 'A', value: 'x' },
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
      ],
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }],
      resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '0.5', memory: '128Mi' } },
      volumeMounts: [
        { name: 'config', mountPath: '/etc/c', readOnly: true },
        { name: 'tmp', mountPath: '/tmp', subPath: 'x' },
      ],
      livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, initialDelaySeconds: 3 },
      readinessProbe: { tcpSocket: { port: 80 } },
      startupProbe: { exec: { command: ['true'] }, failureThreshold: 30 },
      lifecycle: { preStop: { exec: { command: ['sleep', '1'] } }, postStart: { httpGet: { port: 80 } } },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
      terminationMessagePolicy: 'FallbackToLogsOnError',
      stdin: true,
      tty: true,
    },
  ],
  volumes: [
    { name: 'config', configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
    { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
    { name: 'sec', secret: { secretName: 's' } },
    { name: 'down', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    { name: 'host', hostPath: { path: '/x' } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
    { name: 'all', projected: { sources: [{ secret: { name: 's' } }, { serviceAccountToken: { path: 't' } }] } },
    { name: 'iscsi', iscsi: { targetPortal: '10.0.0.1', iqn: 'iqn.2001-04.com.example:storage', lun: 0 } },
    { name: 'own', ephemeral: undefined, nfs: { server: 's', path: '/p' } },
  ],
}

export const core: KindObjects[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    plural: 'configmaps',
    minimal: {},
    full: { data: { a: 'b', 'c.txt': 'd\n' }, binaryData: { bin: 'AAEC' }, immutable: false },
    change: { data: { a: 'changed', e: 'f' } },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    minimal: {},
    full: { type: 'kubernetes.io/basic-auth', data: { username: 'dQ==' }, stringData: { password: 'p' } },
    change: { data: { password: 'eA==' } },
  },
  {
    apiVersion: 'v1',
    kind: 'Endpoints',
    plural: 'endpoints',
    minimal: {},
    full: {
      subsets: [
        {
          addresses: [
            { ip: '10.2.0.2', nodeName: 'n', targetRef: { kind: 'Pod', name: 'p', namespace: 'x' } },
            { ip: '10.2.0.1', hostname: 'h' },
          ],
          notReadyAddresses: [{ ip: '10.2.0.3' }],
          ports: [
            { name: 'http', port: 80 },
            { name: 'dns', port: 53, protocol: 'UDP' },
          ],
        },
      ],
    },
    change: { subsets: [{ addresses: [{ ip: '10.2.0.9' }], ports: [{ port: 81 }] }] },
  },
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    plural: 'limitranges',
    minimal: {},
    full: {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '2' },
            min: { cpu: '10m' },
            default: { cpu: '500m' },
            defaultRequest: { cpu: '100m' },
            maxLimitRequestRatio: { cpu: '10' },
          },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' } },
        ],
      },
    },
    change: { spec: { limits: [{ type: 'Pod', max: { memory: '1Gi' } }] } },
  },
  {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    plural: 'resourcequotas',
    minimal: {},
    full: { spec: { hard: { pods: '500', 'requests.cpu': '2000', 'count/configmaps': '5000', services: '1000' } } },
    change: { metadata: { labels: { changed: 'yes' } } },
    status: { status: { hard: { pods: '10' }, used: { pods: '1' } } },
  },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    minimal: {},
    full: { secrets: [{ name: 's' }], imagePullSecrets: [{ name: 'p' }], automountServiceAccountToken: false },
    change: { imagePullSecrets: [{ name: 'q' }] },
  },
  {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    plural: 'podtemplates',
    minimal: { template: { spec: { containers } } },
    full: { template: { metadata: { labels, annotations: { a: 'b' } }, spec: { containers, nodeSelector: { a: 'b' } } } },
    change: { template: { spec: { nodeSelector: { c: 'd' } } } },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    plural: 'services',
    minimal: { spec: { ports: [{ port: 80 }] } },
    full: {
      spec: {
        type: 'LoadBalancer',
        selector: labels,
        ports: [
          { name: 'http', port: 80, targetPort: 'http' },
          { name: 'https', port: 443, targetPort: 8443, appProtocol: 'https' },
        ],
        sessionAffinity: 'ClientIP',
        externalTrafficPolicy: 'Local',
        externalIPs: ['192.0.2.1'],
        loadBalancerSourceRanges: ['192.0.2.0/24'],
        loadBalancerIP: '192.0.2.7',
        publishNotReadyAddresses: true,
      },
    },
    change: { spec: { selector: { app: 'b' } } },
    status: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } } },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    minimal: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    full: {
      spec: {
        accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
        resources: { requests: { storage: '5Gi' }, limits: { storage: '10Gi' } },
        storageClassName: 'fast',
        volumeMode: 'Block',
        selector: { matchLabels: labels, matchExpressions: [{ key: 'k', operator: 'NotIn', values: ['v'] }] },
      },
    },
    change: { spec: { volumeName: 'diff-volume' } },
    status: {
      status: { phase: 'Bound', capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], conditions: [{ type: 'Resizing', status: 'True' }] },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    plural: 'persistentvolumes',
    cluster: true,
    minimal: { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/p' } } },
    full: {
      spec: {
        capacity: { storage: '5Gi' },
        accessModes: ['ReadWriteMany', 'ReadOnlyMany'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: 'fast',
        mountOptions: ['ro'],
        volumeMode: 'Filesystem',
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] } },
        csi: { driver: 'd.example.com', volumeHandle: 'h', fsType: 'ext4', volumeAttributes: { a: 'b' } },
        claimRef: { namespace: 'x', name: 'c' },
      },
    },
    change: { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
    status: { status: { phase: 'Failed', message: 'm', reason: 'R' } },
  },
  {
    apiVersion: 'v1',
    kind: 'Node',
    plural: 'nodes',
    cluster: true,
    minimal: {},
    full: {
      spec: {
        podCIDR: '10.5.0.0/24',
        podCIDRs: ['10.5.0.0/24'],
        providerID: 'p://1',
        unschedulable: true,
        taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }],
      },
      status: {
        capacity: { cpu: '4', memory: '8Gi', pods: '110' },
        addresses: [
          { type: 'InternalIP', address: '192.0.2.9' },
          { type: 'Hostname', address: 'h' },
        ],
        conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
        nodeInfo: {
          kubeletVersion: 'v1.20.2',
          osImage: 'o',
          kernelVersion: 'k',
          containerRuntimeVersion: 'c://1',
          architecture: 'amd64',
          bootID: 'b',
          kubeProxyVersion: 'v',
          machineID: 'm',
          operatingSystem: 'linux',
          systemUUID: 'u',
        },
      },
    },
    change: { spec: { unschedulable: false } },
    status: { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Gone' }], allocatable: { cpu: '3' } } },
  },
  {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    plural: 'replicationcontrollers',
    minimal: { spec: { template } },
    full: { spec: { replicas: 3, minReadySeconds: 5, selector: labels, template } },
    change: { spec: { replicas: 2 } },
    status: { status: { replicas: 3, readyReplicas: 1, fullyLabeledReplicas: 3 } },
    scale: true,
  },
  {
    apiVersion: 'v1',
    kind: 'Event',
    plural: 'events',
    minimal: { involvedObject: { namespace: 'diff-core' } },
    full: {
      involvedObject: { kind: 'Pod', namespace: 'diff-core', name: 'p', apiVersion: 'v1', fieldPath: 'spec.containers{a}' },
      reason: 'Pulled',
      message: 'Image is there',
      type: 'Normal',
      count: 3,
      source: { component: 'kubelet', host: 'n' },
      firstTimestamp: '2020-01-01T00:00:00Z',
      lastTimestamp: '2020-01-01T00:00:00Z',
    },
    change: { count: 4 },
  },
]

export const workloads: KindObjects[] = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    plural: 'pods',
    minimal: { spec: { containers } },
    full: { spec: fullPodSpec },
    change: { spec: { containers: undefined, activeDeadlineSeconds: 500 } },
    status: {
      status: {
        phase: 'Running',
        podIP: '10.2.0.5',
        podIPs: [{ ip: '10.2.0.5' }],
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ name: 'a', ready: true, restartCount: 2, image: 'a', imageID: 'b', state: { running: {} } }],
      },
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    plural: 'deployments',
    minimal: { spec: { selector, template } },
    full: {
      spec: {
        replicas: 3,
        selector,
        template,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '30%' } },
        minReadySeconds: 3,
        revisionHistoryLimit: 2,
        paused: true,
        progressDeadlineSeconds: 60,
      },
    },
    change: { spec: { replicas: 2 } },
    status: {
      status: {
        replicas: 2,
        readyReplicas: 1,
        updatedReplicas: 2,
        availableReplicas: 1,
        observedGeneration: 1,
        conditions: [{ type: 'Available', status: 'True' }],
      },
    },
    scale: true,
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    plural: 'replicasets',
    minimal: { spec: { selector, template } },
    full: { spec: { replicas: 3, selector, template, minReadySeconds: 3 } },
    change: { spec: { replicas: 2 } },
    status: { status: { replicas: 2, readyReplicas: 1, fullyLabeledReplicas: 2, availableReplicas: 1 } },
    scale: true,
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    plural: 'statefulsets',
    minimal: { spec: { selector, template, serviceName: 's' } },
    full: {
      spec: {
        replicas: 3,
        selector,
        template,
        serviceName: 's',
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
        revisionHistoryLimit: 3,
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
      },
    },
    change: { spec: { replicas: 2 } },
    status: { status: { replicas: 2, readyReplicas: 1, currentReplicas: 2, currentRevision: 'a', updateRevision: 'b' } },
    scale: true,
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    plural: 'daemonsets',
    minimal: { spec: { selector, template } },
    full: {
      spec: {
        selector,
        template,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '20%' } },
        minReadySeconds: 1,
        revisionHistoryLimit: 1,
      },
    },
    change: { spec: { minReadySeconds: 7 } },
    status: {
      status: {
        currentNumberScheduled: 2,
        desiredNumberScheduled: 3,
        numberReady: 1,
        numberMisscheduled: 0,
        updatedNumberScheduled: 1,
        numberAvailable: 1,
      },
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    plural: 'controllerrevisions',
    minimal: { revision: 1, data: {} },
    full: { revision: 2, data: { spec: { template: { a: 'b' } } } },
    change: { revision: 3 },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    plural: 'jobs',
    minimal: { spec: { template: { spec: { containers, restartPolicy: 'Never' } } } },
    full: {
      spec: {
        parallelism: 2,
        completions: 4,
        backoffLimit: 1,
        activeDeadlineSeconds: 100,
        template: { metadata: { labels }, spec: { containers, restartPolicy: 'OnFailure' } },
      },
    },
    change: { spec: { parallelism: 3 } },
    status: { status: { active: 1, succeeded: 2, failed: 1, startTime: '2026-01-01T00:00:00Z' } },
  },
  {
    apiVersion: 'batch/v1beta1',
    kind: 'CronJob',
    plural: 'cronjobs',
    minimal: { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: { spec: { containers, restartPolicy: 'Never' } } } } } },
    full: {
      spec: {
        schedule: '@hourly',
        startingDeadlineSeconds: 30,
        concurrencyPolicy: 'Forbid',
        suspend: true,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 0,
        jobTemplate: { metadata: { labels }, spec: { backoffLimit: 2, template: { spec: { containers, restartPolicy: 'OnFailure' } } } },
      },
    },
    change: { spec: { suspend: false, schedule: '0 0 * * *' } },
    status: { status: { lastScheduleTime: '2026-01-01T00:00:00Z', active: [{ kind: 'Job', name: 'j' }] } },
  },
  {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    minimal: { spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } } },
    full: {
      spec: {
        minReplicas: 2,
        maxReplicas: 5,
        targetCPUUtilizationPercentage: 60,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      },
    },
    change: { spec: { maxReplicas: 9 } },
    status: { status: { currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 50 } },
  },
  {
    apiVersion: 'policy/v1beta1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    minimal: {},
    full: { spec: { minAvailable: '50%', selector } },
    change: { metadata: { labels: { changed: 'yes' } } },
    status: { status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 } },
  },
]

export const groups: KindObjects[] = [
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    plural: 'ingresses',
    minimal: { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
    full: {
      metadata: { annotations: { 'example.com/a': 'b' } },
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['a.example.com'], secretName: 't' }],
        rules: [
          {
            host: 'a.example.com',
            http: { paths: [{ path: '/x', pathType: 'Prefix', backend: { service: { name: 's', port: { name: 'http' } } } }] },
          },
          {
            host: '*.b.example.com',
            http: { paths: [{ pathType: 'ImplementationSpecific', backend: { resource: { apiGroup: 'g.example.com', kind: 'B', name: 'b' } } }] },
          },
        ],
      },
    },
    change: { spec: { ingressClassName: 'other' } },
    status: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.3' }, { hostname: 'lb.example.com' }] } } },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    plural: 'ingressclasses',
    cluster: true,
    minimal: { spec: { controller: 'example.com/c' } },
    full: { spec: { controller: 'example.com/c', parameters: { apiGroup: 'g.example.com', kind: 'P', name: 'p' } } },
    change: { metadata: { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'false' } } },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    minimal: { spec: { podSelector: {} } },
    full: {
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [{ podSelector: {} }, { namespaceSelector: { matchLabels: labels } }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
            ports: [{ port: 80 }, { protocol: 'UDP', port: 'dns' }],
          },
        ],
        egress: [{}],
      },
    },
    change: { spec: { podSelector: { matchLabels: { app: 'b' } } } },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    plural: 'roles',
    minimal: {},
    full: { rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'], resourceNames: ['x'] }] },
    change: { rules: [{ apiGroups: ['apps'], resources: ['*'], verbs: ['*'] }] },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    plural: 'rolebindings',
    minimal: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } },
    full: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'Group', name: 'g', apiGroup: 'rbac.authorization.k8s.io' },
        { kind: 'ServiceAccount', name: 's', namespace: 'x' },
      ],
    },
    change: { subjects: [{ kind: 'User', name: 'v' }] },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    plural: 'clusterroles',
    cluster: true,
    minimal: {},
    full: {
      rules: [
        { nonResourceURLs: ['/healthz', '/metrics*'], verbs: ['get'] },
        { apiGroups: ['*'], resources: ['nodes'], verbs: ['watch'] },
      ],
    },
    change: { rules: [] },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    cluster: true,
    minimal: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } },
    full: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'Group', name: 'g' },
        { kind: 'ServiceAccount', name: 's', namespace: 'x' },
      ],
    },
    change: { subjects: [{ kind: 'User', name: 'v' }] },
  },
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    plural: 'storageclasses',
    cluster: true,
    minimal: { provisioner: 'p.example.com' },
    full: {
      provisioner: 'p.example.com',
      parameters: { a: 'b' },
      reclaimPolicy: 'Retain',
      mountOptions: ['ro'],
      allowVolumeExpansion: true,
      volumeBindingMode: 'WaitForFirstConsumer',
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }],
    },
    change: { allowVolumeExpansion: false },
  },
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    plural: 'csidrivers',
    cluster: true,
    minimal: { spec: {} },
    full: { spec: { attachRequired: false, podInfoOnMount: true, volumeLifecycleModes: ['Persistent', 'Ephemeral'], fsGroupPolicy: 'File' } },
    change: { metadata: { labels: { changed: 'yes' } } },
  },
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    plural: 'csinodes',
    cluster: true,
    minimal: { spec: { drivers: [] } },
    full: { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 5 } }] } },
    change: { metadata: { labels: { changed: 'yes' } } },
  },
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    plural: 'volumeattachments',
    cluster: true,
    minimal: { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    full: { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } }, status: { attached: true } },
    change: { metadata: { labels: { changed: 'yes' } } },
    status: { status: { attached: true, attachmentMetadata: { a: 'b' } } },
  },
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    plural: 'priorityclasses',
    cluster: true,
    minimal: { value: 1 },
    full: { value: 1000, description: 'd', preemptionPolicy: 'Never', globalDefault: false },
    change: { description: 'other' },
  },
  {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    plural: 'runtimeclasses',
    cluster: true,
    minimal: { handler: 'runc' },
    full: {
      handler: 'runc',
      overhead: { podFixed: { cpu: '10m' } },
      scheduling: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' }] },
    },
    change: { metadata: { labels: { changed: 'yes' } } },
  },
  {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    plural: 'leases',
    minimal: {},
    full: {
      spec: {
        holderIdentity: 'h',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.123456Z',
        leaseTransitions: 2,
      },
    },
    change: { spec: { holderIdentity: 'i' } },
  },
  {
    apiVersion: 'discovery.k8s.io/v1beta1',
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    minimal: { addressType: 'IPv4', endpoints: [] },
    full: {
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.2.0.1'],
          conditions: { ready: true },
          hostname: 'h',
          topology: { 'kubernetes.io/hostname': 'n' },
          targetRef: { kind: 'Pod', name: 'p' },
        },
      ],
      ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
    },
    change: { ports: [{ name: '', port: 81 }] },
  },
  {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    plural: 'events',
    minimal: {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/c',
      reportingInstance: 'i',
      action: 'A',
      reason: 'R',
      type: 'Normal',
      regarding: { kind: 'Pod', namespace: 'diff-groups', name: 'q' },
    },
    full: {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/c',
      reportingInstance: 'i',
      action: 'A',
      reason: 'R',
      type: 'Warning',
      note: 'n',
      regarding: { kind: 'Pod', namespace: 'diff-groups', name: 'p', apiVersion: 'v1' },
      related: { kind: 'Node', name: 'n' },
      series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
    },
    change: { series: { count: 3, lastObservedTime: '2026-01-01T00:00:01.000000Z' } },
  },
  {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    plural: 'certificatesigningrequests',
    cluster: true,
    minimal: { spec: { request: csrPem(), signerName: 'example.com/s', usages: ['client auth'] } },
    full: {
      spec: {
        request: csrPem(),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['digital signature', 'key encipherment', 'client auth'],
      },
    },
    change: { metadata: { labels: { changed: 'yes' } } },
    status: { status: { certificate: 'bm90IGEgY2VydGlmaWNhdGU=' } },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    plural: 'validatingwebhookconfigurations',
    cluster: true,
    minimal: {},
    full: {
      webhooks: [
        {
          name: 'w.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { service: { namespace: 'x', name: 's' } },
          rules: [{ apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nones'] }],
        },
      ],
    },
    change: { metadata: { labels: { changed: 'yes' } } },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    plural: 'mutatingwebhookconfigurations',
    cluster: true,
    minimal: {},
    full: {
      webhooks: [
        {
          name: 'w.example.com',
          admissionReviewVersions: ['v1', 'v1beta1'],
          sideEffects: 'NoneOnDryRun',
          clientConfig: { url: 'https://hook.example.com/x' },
          failurePolicy: 'Ignore',
          matchPolicy: 'Exact',
          timeoutSeconds: 5,
          reinvocationPolicy: 'IfNeeded',
          namespaceSelector: { matchLabels: labels },
          objectSelector: { matchExpressions: [{ key: 'k', operator: 'Exists' }] },
          rules: [{ apiGroups: ['none.example.com'], apiVersions: ['*'], operations: ['*'], resources: ['*'], scope: 'Namespaced' }],
        },
      ],
    },
    change: { metadata: { labels: { changed: 'yes' } } },
  },
]

/** A PEM request of an EC key for CN=diff, as base64: made once, good for nothing. */
function csrPem(): string {
  return 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RVpHbG1aakJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkdqSDZEeVV1TlBrQW5aL1NXWEcydERLK00yT08xaU5JTGsrTTBhcGRCdlQzWmZjZEZuTlQzaXdMV0JTCjhNdTA4dE1CU1FQRjN5czRSWUdnL2ZIR1hDNmdBREFLQmdncWhrak9QUVFEQWdOSUFEQkZBaUVBblB4LzJ1WXUKa29BWjhraWR3SGp5OHo3YUU5U3NGdlRKRXlUUlhVb3V1R2NDSUNTOW9td05WMDZlU0tNYnYwbUlHdktGSms1OApYQnNjQVFLcTlXbVZYd3lYCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo='
}
