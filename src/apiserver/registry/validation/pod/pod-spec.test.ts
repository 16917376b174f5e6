import { type Rule, testCreates } from '../../strategies/rule-table.ts'

const base = { spec: { containers: [{ name: 'a', image: 'nginx:1' }] } }

const spec = (more: object) => (p: any) => Object.assign(p.spec, structuredClone(more))
const dns = (more: object) => spec({ dnsConfig: more })

const names: Rule[] = [
  [
    'another policy of restarts',
    spec({ restartPolicy: 'x' }),
    'spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    'another policy of names',
    spec({ dnsPolicy: 'x' }),
    'spec.dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
  ],
  ['names of nobody', spec({ dnsPolicy: 'None' }), 'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
  [
    'names of no server',
    spec({ dnsPolicy: 'None', dnsConfig: {} }),
    'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
  ],
  ['servers', dns({ nameservers: ['1.1.1.1', '::1'], searches: ['.', '_a.b', 'c.'], options: [{ name: 'ndots', value: '2' }] })],
  [
    'many servers',
    dns({ nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] }),
    /nameservers: Invalid value: \[.*\]: must not have more than 3 nameservers$/,
  ],
  ['a server with zeros', dns({ nameservers: ['1.1.1.01'] }), 'spec.dnsConfig.nameservers[0]: Invalid value: "1.1.1.01": must not have leading 0s'],
  [
    'a server in disguise',
    dns({ nameservers: ['::ffff:1.1.1.1'] }),
    'spec.dnsConfig.nameservers[0]: Invalid value: "::ffff:1.1.1.1": must not be an IPv4-mapped IPv6 address',
  ],
  [
    'many searches',
    dns({ searches: Array.from({ length: 33 }, (_, i) => `a${i}`) }),
    /searches: Invalid value: \[.*\]: must not have more than 32 search paths$/,
  ],
  [
    'long searches',
    dns({ searches: Array.from({ length: 9 }, (_, i) => `a${i}${'.bbbbbbbbb'.repeat(23)}`) }),
    /must not have more than 2048 characters \(including spaces\) in the search list$/,
  ],
  ['an option without a name', dns({ options: [{ value: '1' }] }), 'spec.dnsConfig.options[0]: Required value: must not be empty'],
  ['a bad hostname', spec({ hostname: 'a.b' }), 'spec.hostname: Invalid value: "a.b"'],
  ['a bad subdomain', spec({ subdomain: 'A' }), 'spec.subdomain: Invalid value: "A"'],
  ['a name of its own', spec({ hostnameOverride: 'a.b' })],
  [
    'a name of its own and a full one',
    spec({ hostnameOverride: 'a.b', setHostnameAsFQDN: true }),
    'spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true',
  ],
  [
    'a name of its own on the host',
    spec({ hostnameOverride: 'a.b', hostNetwork: true }),
    'spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true',
  ],
  ['a long name', spec({ hostnameOverride: 'a'.repeat(65) }), 'spec.hostnameOverride: Too long: may not be more than 64 bytes'],
  ['an empty name', spec({ hostnameOverride: '' }), 'spec.hostnameOverride: Invalid value: ""'],
  ['aliases', spec({ hostAliases: [{ ip: '1.1.1.1', hostnames: ['a.b'] }] })],
  [
    'an alias of no address',
    spec({ hostAliases: [{ ip: 'x', hostnames: ['A'] }] }),
    'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address',
    'spec.hostAliases[0].hostnames[0]: Invalid value: "A"',
  ],
  ['a bad account', spec({ serviceAccountName: 'A' }), 'spec.serviceAccountName: Invalid value: "A"'],
  ['a bad node', spec({ nodeName: 'A' }), 'spec.nodeName: Invalid value: "A"'],
  ['a bad class', spec({ priorityClassName: 'A' }), 'spec.priorityClassName: Invalid value: "A"'],
  ['a bad runtime', spec({ runtimeClassName: 'A' }), 'spec.runtimeClassName: Invalid value: "A"'],
  ['a bad gate of readiness', spec({ readinessGates: [{ conditionType: 'a b' }] }), 'spec.readinessGates[0].conditionType: Invalid value: "a b"'],
  ['no time', spec({ activeDeadlineSeconds: 0 }), 'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
  [
    'another preemption',
    spec({ preemptionPolicy: 'x' }),
    'spec.preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"',
  ],
  [
    'an overhead of something else',
    spec({ overhead: { storage: '1' } }),
    'spec.overhead.limits[storage]: Invalid value: "storage": must be a standard resource for containers',
  ],
  ['bad labels of nodes', spec({ nodeSelector: { 'a b': 'c' } }), 'spec.nodeSelector: Invalid value: "a b"'],
  [
    'containers for debugging',
    spec({ ephemeralContainers: [{ name: 'd', image: 'd' }] }),
    'spec.ephemeralContainers: Forbidden: cannot be set on create',
  ],
]

const whole =
  (resources: object, more: object = {}) =>
  (p: any) => {
    Object.assign(p.spec, { resources: structuredClone(resources) })
    Object.assign(p.spec.containers[0], structuredClone(more))
  }
const of = (limits: object, requests: object = {}) => ({ resources: { limits, requests } })

const resources: Rule[] = [
  ['of a pod as a whole', whole({ limits: { cpu: '2' } }, of({ cpu: '1' }))],
  [
    'that it cannot have',
    whole({ limits: { 'ephemeral-storage': '1' } }),
    'spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "memory"',
  ],
  [
    'less than containers ask for',
    whole({ requests: { cpu: '1' } }, of({}, { cpu: '2' })),
    'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
  ],
  [
    'less than a container may have',
    whole({ requests: { cpu: '1' }, limits: { cpu: '1' } }, of({ cpu: '2' }, { cpu: '1' })),
    'spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1',
  ],
  [
    'claims of a pod as a whole',
    whole({ claims: [{ name: 'x' }] }),
    'spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level',
  ],
  [
    'on Windows',
    (p) => Object.assign(p.spec, { os: { name: 'windows' }, resources: { limits: { cpu: '1' } } }),
    'spec.resources: Forbidden: may not be set for a windows pod',
  ],
]

const claims = (...resourceClaims: object[]) => spec({ resourceClaims })
const c = 'spec.resourceClaims[0]'

const claimed: Rule[] = [
  ['a claim', claims({ name: 'a', resourceClaimName: 'b' }, { name: 'c', resourceClaimTemplateName: 'd' })],
  ['a claim without a name', claims({ resourceClaimName: 'b' }), `${c}.name: Required value`],
  [
    'a claim twice',
    claims({ name: 'a', resourceClaimName: 'b' }, { name: 'a', resourceClaimName: 'b' }),
    'spec.resourceClaims[1].name: Duplicate value: "a"',
  ],
  [
    'a claim of nothing',
    claims({ name: 'a' }),
    `${c}: Invalid value: {"Name":"a","ResourceClaimName":null,"ResourceClaimTemplateName":null}: must specify one of: \`resourceClaimName\`, \`resourceClaimTemplateName\``,
  ],
  [
    'a claim of two things',
    claims({ name: 'a', resourceClaimName: 'b', resourceClaimTemplateName: 'd' }),
    /at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified$/,
  ],
  [
    'a claim with a bad name',
    claims({ name: 'A', resourceClaimName: 'B' }),
    `${c}.name: Invalid value: "A"`,
    `${c}.resourceClaimName: Invalid value: "B"`,
  ],
  [
    'a claim of a static pod',
    (p) => {
      p.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }
      Object.assign(p.spec, { nodeName: 'n', resourceClaims: [{ name: 'a', resourceClaimName: 'b' }] })
    },
    ': Forbidden: static pods do not support resource claims',
  ],
]

const annotate =
  (key: string, value: string, more: object = {}) =>
  (p: any) => {
    p.metadata.annotations = { [key]: value }
    Object.assign(p.spec, structuredClone(more))
  }
const seccomp = 'seccomp.security.alpha.kubernetes.io/pod'
const appArmor = 'container.apparmor.security.beta.kubernetes.io/a'

const annotations: Rule[] = [
  [
    'a static pod of no node',
    annotate('kubernetes.io/config.mirror', 'x'),
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
  ],
  ['what its end costs', annotate('controller.kubernetes.io/pod-deletion-cost', '-5')],
  [
    'what its end costs, in words',
    annotate('controller.kubernetes.io/pod-deletion-cost', '+5'),
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+5": must be a 32bit integer',
  ],
  ['a profile', annotate(seccomp, 'x'), `metadata.annotations.${seccomp}: Invalid value: "x": must be a valid seccomp profile`],
  [
    'a profile and another',
    annotate(seccomp, 'unconfined', { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }),
    'spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match',
  ],
  [
    'a profile of the node and another',
    annotate(seccomp, 'localhost/a', { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'b' } } }),
    'spec.securityContext.seccompProfile.localhostProfile: Forbidden: seccomp profile in annotation and field must match',
  ],
  ['AppArmor', annotate(appArmor, 'x'), `metadata.annotations[${appArmor}]: Invalid value: "x": invalid AppArmor profile name: "x"`],
  ['AppArmor of nobody', annotate(`${appArmor}b`, 'unconfined'), `metadata.annotations[${appArmor}b]: Invalid value: "ab": container not found`],
  [
    'AppArmor and another',
    annotate(appArmor, 'unconfined', { containers: [{ name: 'a', image: 'a', securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }] }),
    'spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match',
  ],
]

for (const table of [names, resources, claimed, annotations]) testCreates('/pods', base, table)

const template = { template: base }
testCreates('/podtemplates', template, [
  [
    'a template is fine without ports of the host',
    (t) => Object.assign(t.template.spec, { hostNetwork: true, containers: [{ name: 'a', image: 'a', ports: [{ containerPort: 1 }] }] }),
  ],
  ['an image may be padded', (t) => (t.template.spec.containers[0].image = ' a')],
  ['bad labels', (t) => (t.template.metadata = { labels: { 'a b': 'c' } }), 'template.labels: Invalid value: "a b"'],
  [
    'annotations that mean something',
    (t) => (t.template.metadata = { annotations: { [seccomp]: 'x' } }),
    `template.annotations.${seccomp}: Invalid value: "x": must be a valid seccomp profile`,
  ],
  [
    'containers for debugging',
    (t) => (t.template.spec.ephemeralContainers = [{ name: 'd', image: 'd' }]),
    'template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
  ],
  ['another system', (t) => (t.template.spec.os = { name: 'x' }), 'template.spec.os: Unsupported value: "x"'],
])
