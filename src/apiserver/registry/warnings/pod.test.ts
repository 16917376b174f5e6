import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type WarningRow, testWarnings } from '../strategies/rule-table.ts'
import { mostWarnings } from './most.ts'
import { podWarnings } from './pod.ts'

const base = { spec: { serviceAccountName: 'x', containers: [{ name: 'a', image: 'nginx:1' }] } }

const spec = (more: object) => (p: any) => Object.assign(p.spec, structuredClone(more))
const container = (more: object) => (p: any) => Object.assign(p.spec.containers[0], structuredClone(more))
const volume = (source: object) => spec({ volumes: [{ name: 'v', ...source }] })
const items = (...paths: string[]) => paths.map((path, i) => ({ key: `k${i}`, path }))
const ports = (...ports: object[]) => container({ ports })

const arch = 'beta.kubernetes.io/arch'
const oldArch = 'deprecated since v1.14; use "kubernetes.io/arch" instead'
const exists = (key: string) => ({ matchExpressions: [{ key, operator: 'Exists' }] })
const node = 'spec.affinity.nodeAffinity'

const rows: WarningRow[] = [
  ['nothing to say', 'create', () => {}],
  ['pods are warned of when they are made', 'update', (p) => (p.metadata.name = 'a.b')],
  [
    'a name that is no label',
    'create',
    (p) => (p.metadata.name = 'a.b'),
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  ],
  ['a label of old nodes', 'create', spec({ nodeSelector: { [arch]: 'x' } }), `spec.nodeSelector[${arch}]: ${oldArch}`],
  [
    'a zone of old',
    'create',
    spec({ nodeSelector: { 'failure-domain.beta.kubernetes.io/zone': 'x' } }),
    'spec.nodeSelector[failure-domain.beta.kubernetes.io/zone]: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  ],
  [
    'old nodes required',
    'create',
    spec({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [exists(arch)] } } } }),
    `${node}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: ${arch} is ${oldArch}`,
  ],
  [
    'old nodes preferred',
    'create',
    spec({ affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: exists(arch) }] } } }),
    `${node}.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: ${arch} is ${oldArch}`,
  ],
  [
    'spread over old domains, of nobody',
    'create',
    spec({ topologySpreadConstraints: [{ maxSkew: 1, topologyKey: arch, whenUnsatisfiable: 'DoNotSchedule' }] }),
    `spec.topologySpreadConstraints[0].topologyKey: ${arch} is ${oldArch}`,
    'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
  ],
  [
    'near nobody',
    'create',
    spec({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z' }] } } }),
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
  ],
  [
    'preferably away from nobody',
    'create',
    spec({
      affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'z' } }] } },
    }),
    'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
  ],
  [
    'an annotation of old',
    'create',
    (p) => (p.metadata.annotations = { 'scheduler.alpha.kubernetes.io/critical-pod': '' }),
    'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  [
    'a profile by annotation',
    'create',
    (p) => (p.metadata.annotations = { 'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default' }),
    'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
  ],
  [
    'a profile of a container by annotation',
    'create',
    (p) => (p.metadata.annotations = { 'container.seccomp.security.alpha.kubernetes.io/a': 'runtime/default' }),
    'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/a]: non-functional in v1.27+; use the "seccompProfile" field instead',
  ],
  [
    'a repository',
    'create',
    volume({ gitRepo: { repository: 'x' } }),
    'spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
  ],
  [
    'a volume that is gone',
    'create',
    volume({ cephfs: { monitors: ['x'] } }),
    'spec.volumes[0].cephfs: deprecated in v1.28, non-functional in v1.31+',
  ],
  [
    'a volume of half bytes',
    'create',
    volume({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '500m' } } } } } }),
    'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "500m" is invalid, must be an integer',
  ],
  [
    'files over files',
    'create',
    volume({ configMap: { name: 'c', items: items('a', 'b', 'a') } }),
    'volume "v" (ConfigMap "c"): overlapping paths: "a" with "a"',
  ],
  [
    'files in files',
    'create',
    volume({ secret: { secretName: 's', items: items('a', 'a/b', 'ab') } }),
    'volume "v" (Secret "s"): overlapping paths: "a/b" with "a"',
  ],
  [
    'files of several sources',
    'create',
    volume({ projected: { sources: [{ configMap: { name: 'c', items: items('t') } }, { serviceAccountToken: { path: 't/x' } }, {}] } }),
    'volume "v" (Projected) has no sources provided',
    'volume "v" (Projected): overlapping paths: "t/x" (ServiceAccountToken) with "t" (ConfigMap "c")',
  ],
  [
    'an address twice',
    'create',
    spec({
      hostAliases: [
        { ip: '1.1.1.1', hostnames: ['a'] },
        { ip: '1.1.1.1', hostnames: ['b'] },
      ],
    }),
    'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"',
  ],
  [
    'an address at length',
    'create',
    spec({ dnsConfig: { nameservers: ['2001:db8:0::1'] } }),
    'spec.dnsConfig.nameservers[0]: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ],
  [
    'a secret twice',
    'create',
    spec({ imagePullSecrets: [{ name: 'a' }, { name: 'a' }, { name: '' }] }),
    'spec.imagePullSecrets[1].name: duplicate name "a"',
    'spec.imagePullSecrets[2].name: invalid empty name ""',
  ],
  [
    'half bytes',
    'create',
    container({ resources: { requests: { memory: '100m' } } }),
    'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
  ],
  [
    'half bytes of overhead',
    'create',
    spec({ overhead: { memory: '100m' } }),
    'spec.overhead[memory]: fractional byte value "100m" is invalid, must be an integer',
  ],
  [
    'a variable twice',
    'create',
    container({
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
        { name: 'A', value: '$(A)3' },
        { name: 'A', value: '$(A)' },
      ],
    }),
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    'spec.containers[0].env[3]: hides previous definition of "A", which may be dropped when using apply',
  ],
  [
    'an address without a port',
    'create',
    ports({ containerPort: 80, hostIP: '1.1.1.1' }),
    'spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.1.1.1}',
  ],
  [
    'a port twice',
    'create',
    ports({ containerPort: 80 }, { containerPort: 80 }),
    'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
  ],
  [
    'a port of the host and not',
    'create',
    ports({ containerPort: 80 }, { containerPort: 80, hostPort: 1 }),
    'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
  ],
  [
    'a port at an address and all',
    'create',
    ports({ containerPort: 80, hostPort: 1 }, { containerPort: 80, hostPort: 1, hostIP: '1.1.1.1' }),
    'spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]',
  ],
  [
    'ports at two addresses',
    'create',
    ports({ containerPort: 80, hostPort: 1, hostIP: '1.1.1.2' }, { containerPort: 80, hostPort: 1, hostIP: '1.1.1.1' }),
  ],
  [
    'a name of two ports',
    'create',
    spec({
      containers: [
        { name: 'a', image: 'a', ports: [{ name: 'p', containerPort: 1 }] },
        { name: 'b', image: 'b', ports: [{ name: 'p', containerPort: 2 }] },
      ],
    }),
    'spec.containers[1].ports[0]: duplicate port name "p" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
  ],
  [
    'a negative time',
    'create',
    spec({ terminationGracePeriodSeconds: -1 }),
    'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
  ],
]
testWarnings('/pods', base, rows)

const template = { metadata: { labels: { a: 'b' } }, spec: base.spec }
const aged = (t: any) => (t.spec.nodeSelector = { [arch]: 'x' })
const workloads: [key: string, base: object, path: string, template: (object: any) => any][] = [
  ['apps/deployments', { spec: { selector: { matchLabels: { a: 'b' } }, template } }, 'spec.template', (o) => o.spec.template],
  ['apps/replicasets', { spec: { selector: { matchLabels: { a: 'b' } }, template } }, 'spec.template', (o) => o.spec.template],
  ['apps/daemonsets', { spec: { selector: { matchLabels: { a: 'b' } }, template } }, 'spec.template', (o) => o.spec.template],
  ['apps/statefulsets', { spec: { serviceName: 's', selector: { matchLabels: { a: 'b' } }, template } }, 'spec.template', (o) => o.spec.template],
  ['/replicationcontrollers', { spec: { selector: { a: 'b' }, template } }, 'spec.template', (o) => o.spec.template],
  ['/podtemplates', { template }, 'template', (o) => o.template],
  ['batch/jobs', { spec: { template: { ...template, spec: { ...base.spec, restartPolicy: 'Never' } } } }, 'spec.template', (o) => o.spec.template],
  [
    'batch/cronjobs',
    { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { ...template, spec: { ...base.spec, restartPolicy: 'Never' } } } } } },
    'spec.jobTemplate.spec.template',
    (o) => o.spec.jobTemplate.spec.template,
  ],
]
for (const [key, object, path, templateOf] of workloads)
  testWarnings(key, object, [
    ['of the template', 'create', (o) => aged(templateOf(o)), `${path}.spec.nodeSelector[${arch}]: ${oldArch}`],
    ['of the template that changes', 'update', (o) => aged(templateOf(o)), `${path}.spec.nodeSelector[${arch}]: ${oldArch}`],
    ['not of one that stays', 'update', (o) => (o.metadata.labels = { c: 'd' })],
    [
      'of a profile by annotation',
      'create',
      (o) => (templateOf(o).metadata.annotations = { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' }),
      `${path}.metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: deprecated since v1.30; use the "appArmorProfile" field instead`,
    ],
  ])

test('looking for what is there twice costs no more than there is to say', () => {
  const many = <T>(make: (n: number) => T) => Array.from({ length: 20_000 }, (_, n) => make(n))
  const items = (path: (n: number) => string) => ({ name: 'v', configMap: { name: 'm', items: many((n) => ({ key: 'k', path: path(n) })) } })
  const shapes: [name: string, spec: object, most: number][] = [
    ['ports', { containers: [{ name: 'c', ports: many(() => ({ containerPort: 80, protocol: 'TCP' })) }] }, mostWarnings],
    ['host ports', { containers: [{ name: 'c', ports: many((n) => ({ containerPort: 80, hostPort: n + 1, protocol: 'TCP' })) }] }, 0],
    ['files', { containers: [], volumes: [items(() => 'a/b')] }, mostWarnings],
    ['files of their own', { containers: [], volumes: [items((n) => `d${n}/f`)] }, 0],
  ]
  for (const [name, spec, most] of shapes) {
    const { user } = process.cpuUsage()
    const warnings = podWarnings({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec } as never)
    assert.equal(warnings.length, most, name)
    assert.ok(process.cpuUsage().user - user < 10_000_000, name)
  }
})
