import { kindIn } from '../step.ts'
import type { Change, Mistakes } from './mistakes.ts'
import { groups } from './objects.ts'

const spec = (change: Change): Change => ({ spec: change })
const request = (groups.find(({ kind }) => kind === 'CertificateSigningRequest')!.minimal['spec'] as { request: string }).request
const backend = { service: { name: 's', port: { number: 80 } } }
const path = (change: Change): Change => spec({ rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...change }] } }] })
const webhook = (change: Change): Change => ({
  webhooks: [
    {
      name: 'w.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { service: { namespace: 'x', name: 's' } },
      rules: [{ apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nones'] }],
      ...change,
    },
  ],
})

const webhooks: Record<string, Change> = {
  'no name': webhook({ name: '' }),
  'a short name': webhook({ name: 'short' }),
  'a bad name': webhook({ name: 'Bad_Name.x.y' }),
  'no side effects said': webhook({ sideEffects: undefined }),
  'side effects': webhook({ sideEffects: 'Some' }),
  'no versions': webhook({ admissionReviewVersions: [] }),
  'no known version': webhook({ admissionReviewVersions: ['v7'] }),
  'bad versions': webhook({ admissionReviewVersions: ['v1', 'v1', 'B A'] }),
  'no client': webhook({ clientConfig: {} }),
  'two clients': webhook({ clientConfig: { url: 'https://a', service: { namespace: 'x', name: 's' } } }),
  'a URL that is not HTTPS': webhook({ clientConfig: { url: 'http://u:p@a/?x#y' } }),
  'a URL that is none': webhook({ clientConfig: { url: 'https://' } }),
  'a service without name': webhook({ clientConfig: { service: {} } }),
  'a service with a bad path and port': webhook({ clientConfig: { service: { namespace: 'x', name: 's', path: 'no//slash', port: 70000 } } }),
  'a bad failure policy': webhook({ failurePolicy: 'Shrug' }),
  'a bad match policy': webhook({ matchPolicy: 'Fuzzy' }),
  'a bad timeout': webhook({ timeoutSeconds: 31 }),
  'no timeout': webhook({ timeoutSeconds: 0 }),
  'a bad selector': webhook({
    namespaceSelector: { matchLabels: { 'a b': 'c' } },
    objectSelector: { matchExpressions: [{ key: 'k', operator: 'Near' }] },
  }),
  'rules without anything': webhook({ rules: [{}] }),
  'rules that mix stars': webhook({
    rules: [
      {
        apiGroups: ['*', 'a'],
        apiVersions: ['*', 'v1'],
        operations: ['*', 'CREATE'],
        resources: ['*', 'pods', 'a/*', '*/b', 'a/b/c'],
        scope: 'Universe',
      },
    ],
  }),
  'rules with bad operations': webhook({ rules: [{ apiGroups: ['a'], apiVersions: ['v1'], operations: ['LOOK'], resources: ['pods'] }] }),
  'rules with empty parts': webhook({ rules: [{ apiGroups: [''], apiVersions: [''], operations: [''], resources: [''] }] }),
}

export const groupMistakes = (namespace: string): Mistakes[] => [
  {
    kind: kindIn(namespace, 'networking.k8s.io/v1', 'Ingress', 'ingresses'),
    base: { spec: { defaultBackend: backend } },
    creates: {
      'no spec': { spec: null },
      'neither backend nor rules': spec({ defaultBackend: null }),
      'a host with an address': spec({ rules: [{ host: '1.2.3.4', http: { paths: [{ path: '/', pathType: 'Exact', backend }] } }] }),
      'bad hosts': spec({ rules: [{ host: 'Bad_Host' }, { host: '*.*.example.com' }, { host: '*' }, { host: 'a.example.com:80' }] }),
      'no paths': spec({ rules: [{ http: { paths: [] } }] }),
      'no path type': path({ pathType: undefined }),
      'a path type that is none': path({ pathType: 'Vague' }),
      'a relative path': path({ path: 'x' }),
      'no path': path({ path: '' }),
      'paths that climb': path({ path: '/a/../b' }),
      'paths with two slashes and encodings': spec({
        rules: [
          {
            http: {
              paths: [
                { path: '/a//b', pathType: 'Exact', backend },
                { path: '/a/./b', pathType: 'Exact', backend },
                { path: '/a%2fb', pathType: 'Prefix', backend },
                { path: '/a/..', pathType: 'Prefix', backend },
              ],
            },
          },
        ],
      }),
      'a bad path of an implementation': path({ path: 'bad', pathType: 'ImplementationSpecific' }),
      'no backend': path({ backend: {} }),
      'a backend of two': path({ backend: { ...backend, resource: { kind: 'K', name: 'n' } } }),
      'a service without name and port': path({ backend: { service: { name: '' } } }),
      'a bad service name': path({ backend: { service: { name: 'Bad_Name', port: { number: 80 } } } }),
      'a port by number and name': path({ backend: { service: { name: 's', port: { number: 80, name: 'http' } } } }),
      'a port out of range': path({ backend: { service: { name: 's', port: { number: 70000 } } } }),
      'a bad port name': path({ backend: { service: { name: 's', port: { name: 'Bad_Port' } } } }),
      'a resource without kind and name': path({ backend: { resource: { kind: '', name: '', apiGroup: 'Bad Group' } } }),
      'bad TLS': spec({ tls: [{ hosts: ['Bad_Host', '*.a', ''], secretName: 'Bad_Name' }] }),
      'a bad class': spec({ ingressClassName: 'Bad_Name' }),
      'a class of both kinds': { metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } }, spec: { ingressClassName: 'x' } },
      'a class of the old kind': { metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } } },
    },
    updates: {
      'the backend': spec({ defaultBackend: { service: { name: 't' } } }),
      'a bad backend': spec({ defaultBackend: { service: { name: 'T_' } } }),
    },
    statuses: {
      'a bad address': { loadBalancer: { ingress: [{ ip: 'x' }] } },
      'a bad name': { loadBalancer: { ingress: [{ hostname: '1.2.3.4' }] } },
    },
  },
  {
    kind: kindIn(namespace, 'networking.k8s.io/v1beta1', 'Ingress', 'ingresses'),
    base: { metadata: { name: 'diff-beta' }, spec: { backend: { serviceName: 's', servicePort: 80 } } },
    creates: {
      'beta: rules': {
        metadata: { name: 'diff-beta-rules' },
        spec: { rules: [{ host: 'a.example.com', http: { paths: [{ path: '/x', backend: { serviceName: 's', servicePort: 'http' } }] } }] },
      },
      'beta: no backend': { metadata: { name: 'diff-beta-bad' }, spec: { backend: null } },
      'beta: bad names': { metadata: { name: 'diff-beta-bad' }, spec: { backend: { serviceName: 'S_', servicePort: 'P_' } } },
    },
  },
  {
    kind: kindIn(undefined, 'networking.k8s.io/v1', 'IngressClass', 'ingressclasses'),
    base: { spec: { controller: 'example.com/c' } },
    creates: {
      'no controller': { spec: null },
      'a controller without a domain': spec({ controller: 'c' }),
      'a controller that is too long': spec({ controller: `example.com/${'x'.repeat(250)}` }),
      'bad parameters': spec({ parameters: { kind: 'a/b', name: '', apiGroup: 'Bad Group' } }),
    },
    updates: { 'the controller': spec({ controller: 'example.com/d' }), parameters: spec({ parameters: { kind: 'K', name: 'n' } }) },
  },
  {
    kind: kindIn(namespace, 'networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
    base: { spec: { podSelector: {} } },
    creates: {
      'no spec': { spec: null },
      'a bad selector': spec({ podSelector: { matchLabels: { 'a b': 'c' } } }),
      'bad ports': spec({ ingress: [{ ports: [{ port: 0 }, { port: 70000 }, { port: 'Bad_Port' }, { protocol: 'ICMP', port: 80 }] }] }),
      'a peer of nothing': spec({ ingress: [{ from: [{}] }] }),
      'a peer of two': spec({ ingress: [{ from: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }] }),
      'bad blocks': spec({
        egress: [
          { to: [{ ipBlock: { cidr: 'x' } }, { ipBlock: { cidr: '10.0.0.0/8', except: ['192.168.0.0/16', 'y', '10.0.0.0/8'] } }, { ipBlock: {} }] },
        ],
      }),
      'policy types that are none': spec({ policyTypes: ['Sideways'] }),
      'too many policy types': spec({ policyTypes: ['Ingress', 'Egress', 'Ingress'] }),
      'egress alone': spec({ egress: [] }),
      'bad peers': spec({
        ingress: [
          { from: [{ podSelector: { matchLabels: { 'a b': 'c' } } }, { namespaceSelector: { matchExpressions: [{ key: 'k', operator: 'Near' }] } }] },
        ],
      }),
    },
    updates: {
      'the selector': spec({ podSelector: { matchLabels: { a: 'b' } } }),
      'a bad selector': spec({ podSelector: { matchLabels: { a: 'b c' } } }),
    },
  },
  {
    kind: kindIn(namespace, 'rbac.authorization.k8s.io/v1', 'Role', 'roles'),
    base: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    creates: {
      'no verbs': { rules: [{ apiGroups: [''], resources: ['pods'], verbs: [] }] },
      'no groups and resources': { rules: [{ verbs: ['get'] }] },
      'paths in a namespace': { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
      'paths and resources': { rules: [{ nonResourceURLs: ['/x'], apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
      'a name with a slash': { metadata: { name: 'diff-a/b' } },
      'a name with a colon': { metadata: { name: 'diff:a' } },
    },
    updates: { rules: { rules: [] }, 'bad rules': { rules: [{ verbs: [] }] } },
  },
  {
    kind: kindIn(undefined, 'rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles'),
    base: { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
    creates: {
      'paths and resources': { rules: [{ nonResourceURLs: ['/x'], apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
      'an aggregation': { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }, rules: null },
      'an aggregation of nothing': { aggregationRule: {}, rules: null },
      'a bad aggregation': { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'a b', operator: 'Near' }] }] }, rules: null },
    },
  },
  {
    kind: kindIn(namespace, 'rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
    base: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }],
    },
    creates: {
      'no role': { roleRef: null },
      'a role of another group': { roleRef: { apiGroup: 'other.example.com' } },
      'a role of another kind': { roleRef: { kind: 'Rule' } },
      'a role without a name': { roleRef: { name: '' } },
      'no subjects': { subjects: null },
      'a subject without a name': { subjects: [{ kind: 'User' }, { kind: 'Group', name: '' }] },
      'a subject of another kind': { subjects: [{ kind: 'Robot', name: 'r' }] },
      'a subject of another group': {
        subjects: [
          { kind: 'User', name: 'u', apiGroup: 'x' },
          { kind: 'ServiceAccount', name: 's', namespace: 'x', apiGroup: 'y' },
        ],
      },
      'an account without a namespace': {
        subjects: [
          { kind: 'ServiceAccount', name: 's' },
          { kind: 'ServiceAccount', name: 'Bad_Name', namespace: 'x' },
        ],
      },
    },
    updates: {
      'the role': { roleRef: { name: 'edit' } },
      subjects: { subjects: [{ kind: 'User', name: 'v' }] },
      'bad subjects': { subjects: [{ kind: 'X', name: 'v' }] },
    },
  },
  {
    kind: kindIn(undefined, 'rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings'),
    base: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } },
    creates: {
      'a role of a namespace': { roleRef: { kind: 'Role' } },
      'no role': { roleRef: null },
      'an account without a namespace': { subjects: [{ kind: 'ServiceAccount', name: 's' }] },
    },
    updates: { 'the role': { roleRef: { name: 'edit' } } },
  },
  {
    kind: kindIn(undefined, 'storage.k8s.io/v1', 'StorageClass', 'storageclasses'),
    base: { provisioner: 'p.example.com' },
    creates: {
      'no provisioner': { provisioner: null },
      'a bad provisioner': { provisioner: 'Bad Provisioner' },
      'bad policies': { reclaimPolicy: 'Burn', volumeBindingMode: 'Never' },
      'parameters without keys': { parameters: { '': 'x' } },
      recycling: { reclaimPolicy: 'Recycle' },
      'bad topologies': {
        allowedTopologies: [
          {
            matchLabelExpressions: [
              { key: 'a b', values: [] },
              { key: 'z', values: ['a', 'a'] },
              { key: 'z', values: ['b'] },
            ],
          },
        ],
      },
    },
    updates: {
      provisioner: { provisioner: 'q.example.com' },
      parameters: { parameters: { a: 'b' } },
      'the reclaim policy': { reclaimPolicy: 'Retain' },
      'the binding mode': { volumeBindingMode: 'WaitForFirstConsumer' },
      expansion: { allowVolumeExpansion: true },
    },
  },
  {
    kind: kindIn(undefined, 'storage.k8s.io/v1', 'CSIDriver', 'csidrivers'),
    base: { metadata: { name: 'diff-csi.example.com' }, spec: { attachRequired: true } },
    creates: {
      'a bad name': { metadata: { name: 'diff_Bad Name' } },
      'a name that is too long': { metadata: { name: `diff-${'x'.repeat(70)}` } },
      'a mode that is none': { metadata: { name: 'diff-c1' }, spec: { volumeLifecycleModes: ['Eternal'] } },
      'a policy that is none': { metadata: { name: 'diff-c2' }, spec: { fsGroupPolicy: 'Some' } },
    },
    updates: {
      attachment: spec({ attachRequired: false }),
      modes: spec({ volumeLifecycleModes: ['Ephemeral'] }),
      'pod information': spec({ podInfoOnMount: true }),
    },
  },
  {
    kind: kindIn(undefined, 'storage.k8s.io/v1', 'CSINode', 'csinodes'),
    base: { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n' }] } },
    creates: {
      'no name and ID': spec({ drivers: [{}] }),
      'one driver twice': spec({
        drivers: [
          { name: 'd', nodeID: 'n' },
          { name: 'd', nodeID: 'n' },
        ],
      }),
      'bad keys': spec({ drivers: [{ name: 'd', nodeID: 'n', topologyKeys: ['a b', '', 'z', 'z'] }] }),
      'a negative count': spec({ drivers: [{ name: 'd', nodeID: 'n', allocatable: { count: -1 } }] }),
      'a long ID': spec({ drivers: [{ name: 'd', nodeID: 'x'.repeat(300) }] }),
    },
    updates: { 'a driver': spec({ drivers: [{ name: 'd.example.com', nodeID: 'm' }] }), 'no drivers': spec({ drivers: [] }) },
  },
  {
    kind: kindIn(undefined, 'storage.k8s.io/v1', 'VolumeAttachment', 'volumeattachments'),
    base: { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    creates: {
      'no attacher': spec({ attacher: null }),
      'no node': spec({ nodeName: null }),
      'a bad node': spec({ nodeName: 'Bad_Name' }),
      'no source': spec({ source: { persistentVolumeName: null } }),
      'an empty source': spec({ source: { persistentVolumeName: '' } }),
    },
    updates: { 'the node': spec({ nodeName: 'm' }) },
    statuses: {
      attached: { attached: true, attachmentMetadata: { a: 'b' } },
      'an error': { attached: false, attachError: { message: 'x'.repeat(1100), time: '2026-01-01T00:00:00Z' } },
    },
  },
  {
    kind: kindIn(undefined, 'v1', 'PersistentVolume', 'persistentvolumes'),
    base: { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/p' } } },
    creates: {
      'no spec': { spec: null },
      'no capacity': spec({ capacity: null }),
      'a capacity of nothing': spec({ capacity: { storage: '0' } }),
      'a capacity of something else': spec({ capacity: { cpu: '1' } }),
      'no access modes': spec({ accessModes: [] }),
      'access modes that are none': spec({ accessModes: ['WriteNever'] }),
      'no source': spec({ hostPath: null }),
      'two sources': spec({ nfs: { server: 's', path: '/p' } }),
      'a climbing path': spec({ hostPath: { path: '/a/../b' } }),
      'a reclaim policy that is none': spec({ persistentVolumeReclaimPolicy: 'Burn' }),
      'a bad class': spec({ storageClassName: 'Bad_Name' }),
      'a bad volume mode': spec({ volumeMode: 'Stream' }),
      'a recycled root': spec({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
      'a local volume without affinity': spec({ hostPath: null, local: { path: '/p' } }),
      'CSI without handle': spec({ hostPath: null, csi: { driver: 'd' } }),
      'bad affinity': spec({ nodeAffinity: { required: { nodeSelectorTerms: [] } } }),
      'no affinity terms': spec({ nodeAffinity: {} }),
    },
    updates: {
      capacity: spec({ capacity: { storage: '2Gi' } }),
      'the source': spec({ hostPath: { path: '/q' } }),
      'the volume mode': spec({ volumeMode: 'Block' }),
      'the class': spec({ storageClassName: 'x' }),
      affinity: spec({ nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] } } }),
      'another affinity': spec({ nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'b', operator: 'Exists' }] }] } } }),
      'the claim': spec({ claimRef: { namespace: 'x', name: 'y' } }),
    },
    statuses: { available: { phase: 'Available' }, 'a phase that is none': { phase: 'Odd' } },
  },
  {
    kind: kindIn(namespace, 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
    base: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    creates: {
      'no spec': { spec: null },
      'no access modes': spec({ accessModes: null }),
      'access modes that are none': spec({ accessModes: ['WriteNever'] }),
      'no request': spec({ resources: null }),
      'a request of nothing': spec({ resources: { requests: { storage: '0' } } }),
      'a negative request': spec({ resources: { requests: { storage: '-1Gi' } } }),
      'a bad selector': spec({ selector: { matchLabels: { 'a b': 'c' } } }),
      'a bad class': spec({ storageClassName: 'Bad_Name' }),
      'no class': spec({ storageClassName: '' }),
      'a bad volume mode': spec({ volumeMode: 'Stream' }),
      'a bad data source': spec({ dataSource: { kind: '', name: '' } }),
      'a data source of its own': spec({ dataSource: { kind: 'PersistentVolumeClaim', name: 'x' } }),
      'a data source of another kind': spec({ dataSource: { kind: 'Odd', name: 'x', apiGroup: 'example.com' } }),
    },
    updates: {
      'the volume': spec({ volumeName: 'v' }),
      'another volume': spec({ volumeName: 'w' }),
      'the request': spec({ resources: { requests: { storage: '2Gi' } } }),
      'a smaller request': spec({ resources: { requests: { storage: '1Mi' } } }),
      'the access modes': spec({ accessModes: ['ReadOnlyMany'] }),
      'the class': spec({ storageClassName: 'x' }),
    },
    statuses: {
      bound: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
      'a bad capacity': { capacity: { storage: '-1' } },
    },
  },
  {
    kind: kindIn(undefined, 'scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses'),
    base: { value: 10 },
    creates: {
      'no value': { value: null },
      'a value beyond users': { value: 1_000_000_001 },
      'a name of the system': { metadata: { name: 'system-diff' } },
      'a value of the system': { metadata: { name: 'system-diff' }, value: 2_000_000_000 },
      'a policy that is none': { preemptionPolicy: 'Always' },
      'a value beyond 32 bits': { value: 3_000_000_000 },
    },
    updates: { value: { value: 11 }, policy: { preemptionPolicy: 'Never' }, description: { description: 'd' } },
  },
  {
    kind: kindIn(undefined, 'node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses'),
    base: { handler: 'runc' },
    creates: {
      'no handler': { handler: null },
      'a bad handler': { handler: 'Bad_Name' },
      'bad overhead': { overhead: { podFixed: { cpu: '-1', gold: '1' } } },
      'bad scheduling': {
        scheduling: {
          nodeSelector: { 'a b': 'c' },
          tolerations: [{ operator: 'Near' }, { key: 'k', operator: 'Exists' }, { key: 'k', operator: 'Exists' }],
        },
      },
    },
    updates: { handler: { handler: 'other' }, overhead: { overhead: { podFixed: { cpu: '1' } } } },
  },
  {
    kind: kindIn(namespace, 'coordination.k8s.io/v1', 'Lease', 'leases'),
    base: { spec: { holderIdentity: 'a' } },
    creates: {
      'no spec': { spec: null },
      'negative numbers': spec({ leaseDurationSeconds: -1, leaseTransitions: -1 }),
      'no time at all': spec({ leaseDurationSeconds: 0 }),
      'a bad time': spec({ renewTime: 'now' }),
      'a time without fractions': spec({ renewTime: '2026-01-01T00:00:00Z' }),
      'a time elsewhere': spec({ renewTime: '2026-01-01T01:00:00.5+01:00' }),
    },
    updates: { holder: spec({ holderIdentity: 'b' }), 'a bad duration': spec({ leaseDurationSeconds: -5 }) },
  },
  {
    kind: kindIn(namespace, 'discovery.k8s.io/v1beta1', 'EndpointSlice', 'endpointslices'),
    base: { addressType: 'IPv4', endpoints: [{ addresses: ['10.2.3.4'] }], ports: [{ port: 80 }] },
    creates: {
      'no address type': { addressType: null },
      'an address type that is none': { addressType: 'Post' },
      'bad addresses': { endpoints: [{ addresses: ['x', '127.0.0.1', '2001:db8::1'] }] },
      'no addresses': { endpoints: [{ addresses: [] }] },
      'too many addresses': { endpoints: [{ addresses: Array.from({ length: 101 }, (_, i) => `10.2.4.${i}`) }] },
      names: { addressType: 'FQDN', endpoints: [{ addresses: ['Bad_Name', 'a.example.com'] }] },
      'bad ports': {
        ports: [
          { name: 'Bad_Name', port: 80 },
          { name: 'a', protocol: 'ICMP' },
          { name: 'a', appProtocol: 'a b' },
        ],
      },
      'bad host names': { endpoints: [{ addresses: ['10.2.3.4'], hostname: 'A_b' }] },
      'bad topology': { endpoints: [{ addresses: ['10.2.3.4'], topology: { 'a b': 'c d' } }] },
      'too much topology': {
        endpoints: [{ addresses: ['10.2.3.4'], topology: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) }],
      },
    },
    updates: { 'the address type': { addressType: 'IPv6' }, ports: { ports: [{ port: 81 }] } },
  },
  {
    kind: kindIn(undefined, 'certificates.k8s.io/v1', 'CertificateSigningRequest', 'certificatesigningrequests'),
    base: { spec: { request, signerName: 'example.com/s', usages: ['client auth'] } },
    creates: {
      'no spec': { spec: null },
      'no request': spec({ request: null }),
      'a request that is none': spec({ request: 'bm9uZQ==' }),
      'a request that is no base64': spec({ request: '!' }),
      'no signer': spec({ signerName: null }),
      'bad signers': spec({ signerName: 'nothing' }),
      'a signer with a bad domain': spec({ signerName: 'Bad_Domain/x' }),
      'a signer with a bad name': spec({ signerName: 'example.com/Bad_Name' }),
      'a signer without a full domain': spec({ signerName: 'example/x' }),
      'the signer of old': spec({ signerName: 'kubernetes.io/legacy-unknown' }),
      'no usages': spec({ usages: [] }),
      'bad usages': spec({ usages: ['juggling', 'client auth', 'client auth'] }),
    },
    updates: { 'the request': spec({ usages: ['server auth'] }) },
    statuses: {
      'a certificate that is none': { certificate: 'bm9uZQ==' },
      'a condition of its own': { conditions: [{ type: 'Odd', status: 'False' }] },
      'conditions without type and status': { conditions: [{ type: '' }] },
      'failed and false': { conditions: [{ type: 'Failed', status: 'False' }] },
      'an approval': { conditions: [{ type: 'Approved', status: 'True' }] },
    },
  },
  {
    kind: kindIn(undefined, 'admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'),
    base: webhook({}),
    creates: webhooks,
    updates: { 'the webhooks': webhook({ name: 'x.example.com' }), 'bad webhooks': webhook({ name: 'x' }) },
  },
  {
    kind: kindIn(undefined, 'admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations'),
    base: webhook({}),
    creates: { ...webhooks, 'a bad reinvocation policy': webhook({ reinvocationPolicy: 'Forever' }) },
    updates: { 'the webhooks': webhook({ name: 'x.example.com' }) },
  },
]
