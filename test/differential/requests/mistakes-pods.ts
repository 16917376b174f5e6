import { kindIn } from '../step.ts'
import type { Change, Mistakes } from './mistakes.ts'

const containers = [{ name: 'a', image: 'a:1' }]

/** One container with something about it. */
const container = (change: Change): Change => ({ spec: { containers: [{ name: 'a', image: 'a:1', ...change }] } })
const spec = (change: Change): Change => ({ spec: change })
const volume = (source: Change): Change => spec({ volumes: [{ name: 'v', ...source }] })
const term = (change: Change): Change => ({ topologyKey: 'zone', labelSelector: { matchLabels: { a: 'b' } }, ...change })
const affinity = (change: Change): Change => spec({ affinity: change })

export const podMistakes = (namespace: string): Mistakes[] => [
  {
    kind: kindIn(namespace, 'v1', 'Pod', 'pods'),
    base: { spec: { containers } },
    creates: {
      'no spec': { spec: null },
      'no containers': spec({ containers: [] }),
      'a container without a name': spec({ containers: [{ image: 'a' }] }),
      'a container without an image': spec({ containers: [{ name: 'a' }] }),
      'an image with spaces': container({ image: ' a ' }),
      'two containers of one name': spec({ containers: [...containers, ...containers] }),
      'an init container of the same name': spec({ initContainers: containers }),
      'a bad container name': container({ name: 'A_b' }),
      'a bad pull policy': container({ imagePullPolicy: 'Sometimes' }),
      'a bad restart policy': spec({ restartPolicy: 'Maybe' }),
      'a bad DNS policy': spec({ dnsPolicy: 'Nowhere' }),
      'DNS policy None without configuration': spec({ dnsPolicy: 'None' }),
      'too many name servers': spec({ dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }),
      'a bad name server': spec({ dnsConfig: { nameservers: ['x'] } }),
      'a DNS option without a name': spec({ dnsConfig: { options: [{ value: 'x' }] } }),
      'a bad search path': spec({ dnsConfig: { searches: ['Bad_Path'] } }),
      'a negative grace period': spec({ terminationGracePeriodSeconds: -1 }),
      'a deadline of zero': spec({ activeDeadlineSeconds: 0 }),
      'a bad node selector': spec({ nodeSelector: { 'a b': 'c d' } }),
      'a bad host name': spec({ hostname: 'A.b', subdomain: 'C_d' }),
      'a bad service account name': spec({ serviceAccountName: 'A b' }),
      'a service account that is not there': spec({ serviceAccountName: 'missing' }),
      'a priority class that is not there': spec({ priorityClassName: 'missing' }),
      'a priority by number': spec({ priority: 5 }),
      'a bad host alias': spec({ hostAliases: [{ ip: 'x', hostnames: ['A_b'] }] }),
      'host aliases on the host network': spec({ hostNetwork: true, hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] }),
      'sharing the host and the process namespace': spec({ hostPID: true, shareProcessNamespace: true }),
      'a readiness gate with a bad type': spec({ readinessGates: [{ conditionType: 'a b' }] }),
      'a pull secret without a name': spec({ imagePullSecrets: [{}] }),
      'ports out of range': container({ ports: [{ containerPort: 0 }, { containerPort: 65536 }, { containerPort: 80, hostPort: 70000 }] }),
      'a port with bad name and protocol': container({ ports: [{ containerPort: 80, name: 'Bad_name', protocol: 'ICMP' }] }),
      'two ports of one name': container({
        ports: [
          { containerPort: 80, name: 'a' },
          { containerPort: 81, name: 'a' },
        ],
      }),
      'a host port taken twice': container({
        ports: [
          { containerPort: 80, hostPort: 8000 },
          { containerPort: 81, hostPort: 8000 },
        ],
      }),
      'a host port that differs on the host network': spec({
        hostNetwork: true,
        containers: [{ name: 'a', image: 'a', ports: [{ containerPort: 80, hostPort: 81 }] }],
      }),
      'a bad host IP': container({ ports: [{ containerPort: 80, hostIP: 'x' }] }),
      'environment without and with bad names': container({ env: [{ value: 'x' }, { name: 'a=b', value: 'x' }, { name: '1a' }] }),
      'a value from two sources': container({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
      'a value from nowhere': container({ env: [{ name: 'A', valueFrom: {} }] }),
      'a value from two references': container({
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, configMapKeyRef: { name: 'c', key: 'k' } } }],
      }),
      'a field that is none': container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nothing' } } }] }),
      'a label without a key': container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['']" } } }] }),
      'a resource that is none': container({ env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gold' } } }] }),
      'a bad divisor': container({ env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '7' } } }] }),
      'a key reference without a key': container({
        env: [
          { name: 'A', valueFrom: { secretKeyRef: { name: 's' } } },
          { name: 'B', valueFrom: { configMapKeyRef: { key: 'a b' } } },
        ],
      }),
      'environment from nowhere and with a bad prefix': container({
        envFrom: [{}, { prefix: 'a b', configMapRef: { name: 'c' } }, { secretRef: { name: 's' }, configMapRef: { name: 'c' } }],
      }),
      'a quantity that is none': container({ resources: { limits: { cpu: 'a lot' } } }),
      'a negative quantity': container({ resources: { limits: { cpu: '-1' }, requests: { memory: '-1Gi' } } }),
      'a request above its limit': container({ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
      'a resource without a domain': container({ resources: { limits: { gold: '1' } } }),
      'an extended resource that is not whole': container({ resources: { limits: { 'example.com/gpu': '500m' } } }),
      'an extended resource without a limit': container({ resources: { requests: { 'example.com/gpu': '1' } } }),
      'huge pages without CPU or memory': container({ resources: { limits: { 'hugepages-2Mi': '2Mi' }, requests: { 'hugepages-2Mi': '1Mi' } } }),
      'ephemeral storage below zero': container({ resources: { limits: { 'ephemeral-storage': '-1' } } }),
      'a mount of no volume': container({ volumeMounts: [{ name: 'nothing', mountPath: '/x' }] }),
      'mounts without name and path': container({ volumeMounts: [{}] }),
      'two mounts at one path': spec({
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          {
            name: 'a',
            image: 'a',
            volumeMounts: [
              { name: 'v', mountPath: '/x' },
              { name: 'v', mountPath: '/x' },
            ],
          },
        ],
      }),
      'sub-paths that climb out': spec({
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          {
            name: 'a',
            image: 'a',
            volumeMounts: [
              { name: 'v', mountPath: '/x', subPath: '../y' },
              { name: 'v', mountPath: '/z', subPath: '/abs' },
              { name: 'v', mountPath: '/w', subPath: 'a', subPathExpr: 'b' },
            ],
          },
        ],
      }),
      'a bad mount propagation': spec({
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          {
            name: 'a',
            image: 'a',
            volumeMounts: [
              { name: 'v', mountPath: '/x', mountPropagation: 'Up' },
              { name: 'v', mountPath: '/y', mountPropagation: 'Bidirectional' },
            ],
          },
        ],
      }),
      'devices of what is no claim': spec({
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          {
            name: 'a',
            image: 'a',
            volumeDevices: [
              { name: 'v', devicePath: '/dev/x' },
              { name: 'w', devicePath: '' },
            ],
          },
        ],
      }),
      'a probe of nothing': container({ livenessProbe: {} }),
      'a probe of two things': container({ livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 80 } } }),
      'a probe with negative numbers': container({
        readinessProbe: {
          tcpSocket: { port: 80 },
          initialDelaySeconds: -1,
          timeoutSeconds: -1,
          periodSeconds: -1,
          successThreshold: -1,
          failureThreshold: -1,
        },
      }),
      'a liveness probe that must succeed twice': container({
        livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 },
        startupProbe: { tcpSocket: { port: 80 }, successThreshold: 2 },
      }),
      'a probe with a bad port': container({
        livenessProbe: { httpGet: { path: '/', port: 'Bad_port' } },
        readinessProbe: { tcpSocket: { port: 0 } },
        startupProbe: { httpGet: { port: 70000, scheme: 'FTP', path: '' } },
      }),
      'a probe without a command': container({ livenessProbe: { exec: {} } }),
      'a probe with bad headers': container({ livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: 'x' }] } } }),
      'hooks of nothing and of two things': container({ lifecycle: { preStop: {}, postStart: { exec: { command: ['a'] }, httpGet: { port: 80 } } } }),
      'an init container with probes and hooks': spec({
        initContainers: [
          {
            name: 'i',
            image: 'i',
            livenessProbe: { exec: { command: ['x'] } },
            readinessProbe: { exec: { command: ['x'] } },
            lifecycle: { preStop: { exec: { command: ['x'] } } },
          },
        ],
      }),
      'a bad termination message policy': container({ terminationMessagePolicy: 'Never' }),
      'a security context that contradicts itself': container({
        securityContext: { privileged: true, allowPrivilegeEscalation: false, runAsUser: -1, procMount: 'Some' },
      }),
      'bad users and groups': spec({
        securityContext: { runAsUser: -1, runAsGroup: -2, fsGroup: -3, supplementalGroups: [-4], fsGroupChangePolicy: 'Never' },
      }),
      'bad sysctls': spec({
        securityContext: {
          sysctls: [
            { name: 'A b', value: 'x' },
            { name: '', value: '' },
            { name: 'kernel.x', value: '' },
            { name: 'kernel.x', value: '' },
          ],
        },
      }),
      'a bad seccomp profile': spec({
        securityContext: { seccompProfile: { type: 'Localhost' } },
        containers: [{ name: 'a', image: 'a', securityContext: { seccompProfile: { type: 'Other' } } }],
      }),
      'a bad toleration': spec({
        tolerations: [
          { operator: 'Near' },
          { key: 'a b', operator: 'Exists' },
          { operator: 'Exists', value: 'x' },
          { key: 'k', value: 'v', effect: 'NoSchedule', tolerationSeconds: 5 },
          { key: 'k', effect: 'Maybe' },
        ],
      }),
      'an empty toleration': spec({ tolerations: [{}] }),
      'a volume without a name': spec({ volumes: [{ emptyDir: {} }] }),
      'two volumes of one name': spec({
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 'v', emptyDir: {} },
        ],
      }),
      'a bad volume name': spec({ volumes: [{ name: 'V_1', emptyDir: {} }] }),
      'a volume of two sources': volume({ emptyDir: {}, hostPath: { path: '/x' } }),
      'an empty directory with a negative size': volume({ emptyDir: { sizeLimit: '-1' } }),
      'a host path without and with a climbing path': spec({
        volumes: [
          { name: 'v', hostPath: { path: '' } },
          { name: 'w', hostPath: { path: '/a/../b', type: 'Thing' } },
        ],
      }),
      'a secret without a name': volume({ secret: {} }),
      'a secret with bad items': volume({
        secret: {
          secretName: 's',
          defaultMode: 512,
          items: [
            { key: '', path: '' },
            { key: 'k', path: '../x', mode: 1000 },
            { key: 'l', path: '/abs' },
          ],
        },
      }),
      'a config map without a name': volume({ configMap: { defaultMode: -1 } }),
      'a claim without a name': volume({ persistentVolumeClaim: {} }),
      'downward files without and with bad fields': volume({
        downwardAPI: {
          items: [
            { path: 'a' },
            { path: '../b', fieldRef: { fieldPath: 'metadata.name' } },
            { path: 'c', fieldRef: { fieldPath: 'status.podIP' } },
            { path: 'd', resourceFieldRef: { resource: 'limits.cpu' } },
          ],
        },
      }),
      'a projection with bad sources': volume({
        projected: {
          sources: [
            {},
            { secret: {} },
            { serviceAccountToken: { expirationSeconds: 5, path: '' } },
            { secret: { name: 's' }, configMap: { name: 'c' } },
          ],
          defaultMode: 9999,
        },
      }),
      'NFS without server and path': spec({
        volumes: [
          { name: 'v', nfs: {} },
          { name: 'w', nfs: { server: 's', path: 'rel' } },
        ],
      }),
      'iSCSI without what it needs': volume({ iscsi: { iqn: 'bad', lun: 300 } }),
      'CSI without a driver': volume({ csi: {} }),
      'git with a climbing directory': volume({ gitRepo: { repository: '', directory: '../x' } }),
      'disks without names': spec({
        volumes: [
          { name: 'v', gcePersistentDisk: {} },
          { name: 'w', awsElasticBlockStore: { partition: 300 } },
          { name: 'x', azureDisk: {} },
          { name: 'y', cinder: {} },
        ],
      }),
      'other sources without what they need': spec({
        volumes: [
          { name: 'v', rbd: {} },
          { name: 'w', cephfs: {} },
          { name: 'x', glusterfs: {} },
          { name: 'y', flexVolume: {} },
          { name: 'z', fc: {} },
          { name: 'a', quobyte: {} },
          { name: 'b', portworxVolume: {} },
          { name: 'c', scaleIO: {} },
          { name: 'd', storageos: { volumeName: 'A_b' } },
          { name: 'e', vsphereVolume: {} },
          { name: 'f', photonPersistentDisk: {} },
          { name: 'g', azureFile: {} },
        ],
      }),
      'node affinity without terms': affinity({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } }),
      'node affinity with bad expressions': affinity({
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchExpressions: [
                  { key: 'a b', operator: 'In' },
                  { key: 'k', operator: 'Exists', values: ['v'] },
                  { key: 'k', operator: 'Gt', values: ['a', 'b'] },
                  { key: 'k', operator: 'Near' },
                ],
                matchFields: [
                  { key: 'metadata.labels', operator: 'In', values: ['a', 'b'] },
                  { key: 'metadata.name', operator: 'Exists' },
                ],
              },
            ],
          },
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 0, preference: {} },
            { weight: 101, preference: { matchExpressions: [{ key: 'k', operator: 'NotIn' }] } },
          ],
        },
      }),
      'pod affinity with bad terms': affinity({
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: '' },
            term({ topologyKey: 'a b', namespaces: ['A_b'] }),
            term({ labelSelector: { matchExpressions: [{ key: 'k', operator: 'In' }] } }),
          ],
        },
        podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 500, podAffinityTerm: term({}) }] },
      }),
      'bad topology spread constraints': spec({
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Cry' },
          { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 2, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      }),
      'a bad preemption policy': spec({ preemptionPolicy: 'Always' }),
      'a runtime class that is not there': spec({ runtimeClassName: 'missing' }),
      'a bad runtime class name': spec({ runtimeClassName: 'Bad_Name' }),
      'a scheduler that is none': spec({ schedulerName: '' }),
      'ephemeral containers': spec({ ephemeralContainers: [{ name: 'e', image: 'e' }] }),
      'overhead without a class': spec({ overhead: { cpu: '1' } }),
      'a static pod': { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } },
      'bad annotations of old': {
        metadata: {
          annotations: {
            'seccomp.security.alpha.kubernetes.io/pod': 'bad',
            'container.apparmor.security.beta.kubernetes.io/a': 'bad',
            'scheduler.alpha.kubernetes.io/preferAvoidPods': '{',
          },
        },
      },
      'numbers for texts': container({ command: 'not a list' as never }),
      'a text for a number': spec({ terminationGracePeriodSeconds: '30' }),
      'a text for a boolean': spec({ hostNetwork: 'yes' }),
      'a number for a text': container({ image: 5 }),
      'a list for an object': { spec: [] },
      'a fraction for a whole number': spec({ activeDeadlineSeconds: 1.5 }),
      'a number beyond 64 bits': spec({ activeDeadlineSeconds: 1e30 }),
      'a number beyond 32 bits': container({ ports: [{ containerPort: 4294967296 }] }),
      'everything of a pod that is finished': { status: { phase: 'Succeeded' } },
    },
    updates: {
      'the image': { spec: { containers: [{ name: 'a', image: 'a:2' }] } },
      'the image to nothing': { spec: { containers: [{ name: 'a', image: '' }] } },
      'the command': { spec: { containers: [{ name: 'a', image: 'a:2', command: ['x'] }] } },
      'one container more': {
        spec: {
          containers: [
            { name: 'a', image: 'a:2' },
            { name: 'b', image: 'b' },
          ],
        },
      },
      'the restart policy': { spec: { restartPolicy: 'Never' } },
      'the node name': { spec: { nodeName: 'n' } },
      'a deadline': { spec: { activeDeadlineSeconds: 100 } },
      'a longer deadline': { spec: { activeDeadlineSeconds: 200 } },
      'no deadline': { spec: { activeDeadlineSeconds: null } },
      'a toleration more': {
        spec: {
          tolerations: [
            { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
            { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
            { key: 'new', operator: 'Exists' },
          ],
        },
      },
      'the tolerations to none': { spec: { tolerations: [] } },
      'the grace period': { spec: { terminationGracePeriodSeconds: 1 } },
      'the service account': { spec: { serviceAccountName: 'other' } },
      'the host name': { spec: { hostname: 'h' } },
      'the priority': { spec: { priority: 7 } },
      'the namespace': { metadata: { namespace: 'other' } },
      'the creation time': { metadata: { creationTimestamp: '2020-01-01T00:00:00Z' } },
      'a deletion time': { metadata: { deletionTimestamp: '2020-01-01T00:00:00Z' } },
      'the generate name': { metadata: { generateName: 'other-' } },
      'a bad owner': {
        metadata: {
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true },
            { apiVersion: 'v1', kind: 'Pod', name: 'q', uid: 'v', controller: true },
          ],
        },
      },
      'an event as owner': { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'p', uid: 'u' }] } },
      'a finalizer': { metadata: { finalizers: ['example.com/f'] } },
    },
    statuses: {
      'a phase': { phase: 'Running' },
      'a phase that is none': { phase: 'Confused' },
      'conditions without types': { conditions: [{ status: 'True' }] },
      'a nominated node with a bad name': { nominatedNodeName: 'Bad_Name' },
      'a container that was never there': { containerStatuses: [{ name: 'zzz', image: 'z', imageID: 'z', ready: true, restartCount: 1 }] },
      addresses: { podIP: '10.9.9.9', podIPs: [{ ip: '10.9.9.9' }] },
      'a bad address': { podIPs: [{ ip: 'x' }] },
      'two addresses of one family': { podIPs: [{ ip: '10.9.9.9' }, { ip: '10.9.9.8' }] },
    },
  },
  {
    kind: kindIn(namespace, 'v1', 'PodTemplate', 'podtemplates'),
    base: { template: { spec: { containers } } },
    creates: {
      'no template': { template: null },
      'bad labels': { template: { metadata: { labels: { 'a b': 'c' } } } },
      'no containers': { template: { spec: { containers: [] } } },
      'a bad restart policy': { template: { spec: { restartPolicy: 'X' } } },
    },
    updates: { labels: { template: { metadata: { labels: { a: 'b' } } } }, 'bad labels': { template: { metadata: { labels: { a: 'b c' } } } } },
  },
]
