import { type Rule, testCreates } from '../../strategies/rule-table.ts'

const base = {
  spec: {
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'b', persistentVolumeClaim: { claimName: 'c' } },
      { name: 'h', hostPath: { path: '/' } },
    ],
    containers: [{ name: 'a', image: 'nginx:1' }],
  },
}

const c = 'spec.containers[0]'

/** A change of the one container. */
const container = (more: object) => (p: any) => Object.assign(p.spec.containers[0], structuredClone(more))
const init = (more: object) => (p: any) => (p.spec.initContainers = [{ name: 'i', image: 'i', ...structuredClone(more) }])
const env = (...env: object[]) => container({ env })
const from = (valueFrom: object) => env({ name: 'A', valueFrom })
const file = (more: object = {}) => from({ fileKeyRef: { key: 'K', volumeName: 'v', path: 'a.env', ...more } })
const mount = (more: object) => container({ volumeMounts: [{ name: 'v', mountPath: '/v', ...more }] })
const probe = (kind: string, more: object) => container({ [kind]: { tcpSocket: { port: 1 }, ...more } })

const basics: Rule[] = [
  ['a plain container is fine', () => {}],
  ['there is a container', (p) => (p.spec.containers = []), 'spec.containers: Required value'],
  ['it has a name', (p) => delete p.spec.containers[0].name, `${c}.name: Required value`],
  ['and an image', (p) => delete p.spec.containers[0].image, `${c}.image: Required value`],
  [
    'an image has no space around it',
    container({ image: ' nginx:1' }),
    `${c}.image: Invalid value: " nginx:1": must not have leading or trailing whitespace`,
  ],
  ['names are once', (p) => p.spec.containers.push({ name: 'a', image: 'x' }), 'spec.containers[1].name: Duplicate value: "a"'],
  ['also among init containers', init({ name: 'a' }), 'spec.initContainers[0].name: Duplicate value: "a"'],
  [
    'where messages come from',
    container({ terminationMessagePolicy: 'Log' }),
    `${c}.terminationMessagePolicy: Unsupported value: "Log": supported values: "File", "FallbackToLogsOnError"`,
  ],
  [
    'when images are pulled',
    container({ imagePullPolicy: 'Seldom' }),
    `${c}.imagePullPolicy: Unsupported value: "Seldom": supported values: "Always", "IfNotPresent", "Never"`,
  ],
  [
    'ports of the host are taken once',
    container({
      ports: [
        { containerPort: 1, hostPort: 80 },
        { containerPort: 2, hostPort: 80 },
      ],
    }),
    `${c}.ports[1].hostPort: Duplicate value: "TCP//80"`,
  ],
  [
    'protocols',
    container({ ports: [{ containerPort: 1, protocol: 'ICMP' }] }),
    `${c}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
  ],
  [
    'in the network of the host ports are its ports',
    (p) => {
      p.spec.hostNetwork = true
      p.spec.containers[0].ports = [{ containerPort: 80, hostPort: 81 }]
    },
    `${c}.ports[0].hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
]

const variables: Rule[] = [
  ['names of variables are nearly free', env({ name: 'a b:1' })],
  ['but not quite', env({ name: 'a=b' }), /^spec\.containers\[0\]\.env\[0\]\.name: Invalid value: "a=b"/],
  ['a variable from a field', from({ fieldRef: { fieldPath: 'status.hostIPs' } })],
  [
    'from one that pods do not tell',
    from({ fieldRef: { fieldPath: 'status.phase' } }),
    `${c}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
  ],
  ['from an annotation', from({ fieldRef: { fieldPath: "metadata.annotations['a/b']" } })],
  [
    'from an annotation with a bad name',
    from({ fieldRef: { fieldPath: "metadata.annotations['a b']" } }),
    `${c}.env[0].valueFrom.fieldRef: Invalid value: "a b"`,
  ],
  [
    'from all labels',
    from({ fieldRef: { fieldPath: 'metadata.labels' } }),
    `${c}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels"`,
  ],
  ['from huge pages', from({ resourceFieldRef: { resource: 'limits.hugepages-2Mi' } })],
  [
    'divided by what no pages are',
    from({ resourceFieldRef: { resource: 'limits.hugepages-2Mi', divisor: '3' } }),
    `${c}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.hugepages-2Mi": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the hugepages resource`,
  ],
  ['from a file', file()],
  ['from a file without a key', file({ key: '' }), `${c}.env[0].valueFrom.fileKeyRef.key: Required value`],
  ['from a file with a bad key', file({ key: 'a=b' }), `${c}.env[0].valueFrom.fileKeyRef.key: Invalid value: "a=b"`],
  ['from a file without a path', file({ path: '' }), `${c}.env[0].valueFrom.fileKeyRef.path: Required value`],
  ['from a file above', file({ path: '../a' }), `${c}.env[0].valueFrom.fileKeyRef.path: Invalid value: "../a": must not contain '..'`],
  ['from a file of no volume', file({ volumeName: 'x' }), `${c}.env[0].valueFrom.fileKeyRef.volumeName: Not found: "x"`],
  [
    'from a file of a volume that others fill',
    file({ volumeName: 'h' }),
    `${c}.env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "h": referenced volume must be of type emptyDir`,
  ],
  [
    'from nowhere',
    from({}),
    `${c}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
  ],
  [
    'from two places',
    from({ fieldRef: { fieldPath: 'metadata.name' }, configMapKeyRef: { name: 'a', key: 'k' } }),
    `${c}.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time`,
  ],
  [
    'with a value beside',
    env({ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }),
    `${c}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
  ],
  ['prefixes are names', container({ envFrom: [{ prefix: 'a=', configMapRef: { name: 'x' } }] }), `${c}.envFrom[0].prefix: Invalid value: "a="`],
  ['all of nothing', container({ envFrom: [{}] }), `${c}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``],
]

const mounts: Rule[] = [
  ['a mount', mount({})],
  ['of no volume', mount({ name: 'x' }), `${c}.volumeMounts[0].name: Not found: "x"`],
  ['a path from the pod', mount({ subPathExpr: '$(A)' })],
  [
    'two paths',
    mount({ subPathExpr: '$(A)', subPath: 'a' }),
    `${c}.volumeMounts[0].subPathExpr: Invalid value: "$(A)": subPathExpr and subPath are mutually exclusive`,
  ],
  ['a path out of it', mount({ subPathExpr: '../a' }), `${c}.volumeMounts.subPathExpr: Invalid value: "../a": must not contain '..'`],
  [
    'mounts of mounts',
    mount({ mountPropagation: 'Some' }),
    `${c}.volumeMounts.mountPropagation: Unsupported value: "Some": supported values: "Bidirectional", "HostToContainer", "None"`,
  ],
  [
    'both ways, for the privileged',
    mount({ mountPropagation: 'Bidirectional' }),
    `${c}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
  ],
  ['read-only to the bottom', mount({ readOnly: true, recursiveReadOnly: 'Enabled' })],
  [
    'read-only below, but not on top',
    mount({ recursiveReadOnly: 'IfPossible' }),
    `${c}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
  ],
  [
    'read-only with mounts of the host',
    mount({ readOnly: true, recursiveReadOnly: 'Enabled', mountPropagation: 'HostToContainer' }),
    `${c}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified`,
  ],
  [
    'read-only somehow',
    mount({ recursiveReadOnly: 'x' }),
    `${c}.volumeMounts.recursiveReadOnly: Unsupported value: "x": supported values: "Disabled", "Enabled", "IfPossible"`,
  ],
  ['a device', container({ volumeDevices: [{ name: 'b', devicePath: '/dev/b' }] })],
  [
    'a device that is a directory',
    container({ volumeDevices: [{ name: 'v', devicePath: '/dev/b' }] }),
    `${c}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
  ],
  [
    'a device elsewhere',
    container({ volumeDevices: [{ name: 'b', devicePath: '/dev/../b' }] }),
    `${c}.volumeDevices[0].devicePath: Invalid value: "/dev/../b": can not contain backsteps ('..')`,
  ],
]

const probes: Rule[] = [
  ['gRPC', container({ livenessProbe: { grpc: { port: 80 } } })],
  [
    'gRPC at no port',
    container({ livenessProbe: { grpc: { port: 0 } } }),
    `${c}.livenessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
  ],
  ['two ways', probe('livenessProbe', { grpc: { port: 80 } }), `${c}.livenessProbe.grpc: Forbidden: may not specify more than 1 handler type`],
  ['no way', container({ readinessProbe: {} }), `${c}.readinessProbe: Required value: must specify a handler type`],
  [
    'schemes',
    container({ livenessProbe: { httpGet: { port: 80, scheme: 'FTP' } } }),
    `${c}.livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"`,
  ],
  ['alive is once alive', probe('livenessProbe', { successThreshold: 2 }), `${c}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
  ['ready may be more often', probe('readinessProbe', { successThreshold: 2 })],
  ['an own time to end', probe('startupProbe', { terminationGracePeriodSeconds: 5 })],
  [
    'none at all',
    probe('startupProbe', { terminationGracePeriodSeconds: 0 }),
    `${c}.startupProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0`,
  ],
  [
    'who is not ready does not end',
    probe('readinessProbe', { terminationGracePeriodSeconds: 5 }),
    `${c}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes`,
  ],
  ['a sleep', container({ lifecycle: { preStop: { sleep: { seconds: 0 } } } })],
  [
    'a sleep beyond the end',
    container({ lifecycle: { preStop: { sleep: { seconds: 31 } } } }),
    `${c}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)`,
  ],
  [
    'init containers have no probes',
    init({ livenessProbe: { tcpSocket: { port: 1 } } }),
    'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [
    'sidecars do',
    init({ restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 1 } }, lifecycle: { preStop: { exec: { command: ['x'] } } } }),
  ],
  [
    'init containers have no life',
    init({ lifecycle: { preStop: { exec: { command: ['x'] } } } }),
    'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
]

const rules = (...restartPolicyRules: object[]) => container({ restartPolicy: 'Never', restartPolicyRules })
const on = (operator: string, ...values: number[]) => ({ action: 'Restart', exitCodes: { operator, values } })
const resize = (resourceName: string, restartPolicy: string) => ({ resizePolicy: [{ resourceName, restartPolicy }] })

const restarts: Rule[] = [
  ['a policy of its own', container({ restartPolicy: 'OnFailure' })],
  [
    'one that is none',
    container({ restartPolicy: 'Maybe' }),
    `${c}.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "Never", "OnFailure"`,
  ],
  ['rules', rules(on('In', 1, 2), { ...on('NotIn', 0), action: 'RestartAllContainers' })],
  [
    'rules without a policy',
    container({ restartPolicyRules: [on('In', 1)] }),
    `${c}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
  ],
  [
    'a rule that does something else',
    rules({ ...on('In', 1), action: 'Wait' }),
    `${c}.restartPolicyRules[0].action: Unsupported value: "Wait": supported values: "Restart", "RestartAllContainers"`,
  ],
  ['a rule for nothing', rules({ action: 'Restart' }), `${c}.restartPolicyRules[0].exitCodes: Required value: must be specified`],
  ['a rule by order', rules(on('Gt', 1)), `${c}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "Gt": supported values: "In", "NotIn"`],
  ['many rules', rules(...Array.from({ length: 21 }, () => on('In', 1))), `${c}.restartPolicyRules: Too many: 21: must have at most 20 items`],
  [
    'many codes',
    rules(on('In', ...Array.from({ length: 256 }, (_, i) => i))),
    `${c}.restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items`,
  ],
  ['a policy of resizing', container(resize('cpu', 'RestartContainer'))],
  [
    'what has no size',
    container(resize('storage', 'NotRequired')),
    `${c}.resizePolicy: Unsupported value: "storage": supported values: "cpu", "memory"`,
  ],
  [
    'resizing somehow',
    container(resize('cpu', 'x')),
    `${c}.resizePolicy: Unsupported value: "x": supported values: "NotRequired", "RestartContainer"`,
  ],
  [
    'resizing twice',
    container({ resizePolicy: [...resize('cpu', 'NotRequired').resizePolicy, ...resize('cpu', 'NotRequired').resizePolicy] }),
    `${c}.resizePolicy[1]: Duplicate value: "cpu"`,
  ],
  [
    'restarting what never restarts',
    (p) => {
      p.spec.restartPolicy = 'Never'
      container(resize('cpu', 'RestartContainer'))(p)
    },
    `${c}.resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when pod \`restartPolicy\` is 'Never'`,
  ],
  [
    'restarting an init container',
    init(resize('cpu', 'RestartContainer')),
    'spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": must not be set to \'RestartContainer\' for non-sidecar initContainers',
  ],
]

const amounts = (limits: object, requests: object = {}) => container({ resources: { limits, requests } })
const claims =
  (...claims: object[]) =>
  (p: any) => {
    p.spec.resourceClaims = [{ name: 'x', resourceClaimName: 'x' }]
    p.spec.containers[0].resources = { claims }
  }

const resources: Rule[] = [
  ['requests are defaulted to limits', amounts({ cpu: '1', memory: '1Gi' })],
  [
    'negative ones',
    amounts({ cpu: '-1' }),
    `${c}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
    `${c}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
  ],
  [
    'more than the limit',
    amounts({ cpu: '1' }, { cpu: '2' }),
    `${c}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ],
  ['huge pages', amounts({ cpu: '1', 'hugepages-2Mi': '4Mi' })],
  [
    'half of a huge page',
    amounts({ cpu: '1', 'hugepages-2Mi': '3Mi' }),
    `${c}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
    `${c}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive`,
  ],
  ['huge pages alone', amounts({ 'hugepages-2Mi': '4Mi' }), `${c}.resources: Forbidden: HugePages require cpu or memory`],
  [
    'half a device',
    amounts({ 'example.com/gpu': '500m' }),
    `${c}.resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer`,
    `${c}.resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
  ],
  [
    'a device without a limit',
    amounts({}, { 'example.com/gpu': '1' }),
    `${c}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
  ],
  [
    'what is not there for containers',
    amounts({ storage: '1' }),
    `${c}.resources.limits[storage]: Invalid value: "storage": must be a standard resource for containers`,
    `${c}.resources.requests[storage]: Invalid value: "storage": must be a standard resource for containers`,
  ],
  ['a claim of the pod', claims({ name: 'x' })],
  ['requests of one', claims({ name: 'x', request: 'a' })],
  ['a claim of nobody', claims({ name: 'y' }), `${c}.resources.claims[0]: Not found: "y": must be one of the names in pod.spec.resourceClaims: x`],
  ['a claim without a name', claims({}), `${c}.resources.claims[0]: Required value`],
  ['a claim twice', claims({ name: 'x' }, { name: 'x' }), `${c}.resources.claims[1]: Duplicate value: "x"`],
  ['a request and all of it', claims({ name: 'x', request: 'a' }, { name: 'x' }), `${c}.resources.claims[1]: Duplicate value: "x"`],
  ['a bad request', claims({ name: 'x', request: 'A' }), `${c}.resources.claims[0].request: Invalid value: "A"`],
]

for (const table of [basics, variables, mounts, probes, restarts, resources]) testCreates('/pods', base, table)
