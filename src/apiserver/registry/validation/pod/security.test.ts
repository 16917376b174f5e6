import { type Rule, testCreates } from '../../strategies/rule-table.ts'

const base = { spec: { volumes: [{ name: 'b', persistentVolumeClaim: { claimName: 'c' } }], containers: [{ name: 'a', image: 'nginx:1' }] } }

const c = 'spec.containers[0].securityContext'
const s = 'spec.securityContext'
const spec = (more: object) => (p: any) => Object.assign(p.spec, structuredClone(more))
const own = (securityContext: object) => (p: any) => (p.spec.containers[0].securityContext = structuredClone(securityContext))
const ofPod = (securityContext: object) => spec({ securityContext })
const both =
  (...changes: ((p: any) => void)[]) =>
  (p: any) =>
    changes.forEach((change) => change(p))

const contexts: Rule[] = [
  ['a user beyond all', own({ runAsUser: 2 ** 31 }), `${c}.runAsUser: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive`],
  ['a group below all', ofPod({ fsGroup: -1 }), `${s}.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive`],
  ['a group of several', ofPod({ supplementalGroups: [1, -1] }), `${s}.supplementalGroups[1]: Invalid value: -1: must be between`],
  ['/proc as it is', both(spec({ hostUsers: false }), own({ procMount: 'Unmasked' }))],
  [
    '/proc as it is for the users of the host',
    own({ procMount: 'Unmasked' }),
    `${c}.procMount: Invalid value: "Unmasked": \`hostUsers\` must be false to use \`Unmasked\``,
  ],
  ['another /proc', own({ procMount: 'x' }), `${c}.procMount: Unsupported value: "x": supported values: "Default", "Unmasked"`],
  [
    'privileged without privileges',
    own({ privileged: true, allowPrivilegeEscalation: false }),
    /^spec\.containers\[0\]\.securityContext: Invalid value: \{.*\}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true$/,
  ],
  [
    'all capabilities without privileges',
    own({ allowPrivilegeEscalation: false, capabilities: { add: ['CAP_SYS_ADMIN'] } }),
    /^spec\.containers\[0\]\.securityContext: Invalid value: \{"Capabilities":\{"Add":\["CAP_SYS_ADMIN"\],"Drop":null\},.*\}: cannot set `allowPrivilegeEscalation` to false and `capabilities\.Add` CAP_SYS_ADMIN$/,
  ],
  [
    'who owns volumes, when',
    ofPod({ fsGroupChangePolicy: 'x' }),
    `${s}.fsGroupChangePolicy: Unsupported value: "x": supported values: "Always", "OnRootMismatch"`,
  ],
  [
    'which groups',
    ofPod({ supplementalGroupsPolicy: 'x' }),
    `${s}.supplementalGroupsPolicy: Unsupported value: "x": supported values: "Merge", "Strict"`,
  ],
  [
    'how volumes are labelled',
    ofPod({ seLinuxChangePolicy: 'x' }),
    `${s}.seLinuxChangePolicy: Unsupported value: "x": supported values: "MountOption", "Recursive"`,
  ],
  [
    'one namespace of processes and that of the host',
    spec({ hostPID: true, shareProcessNamespace: true }),
    `${s}.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled`,
  ],
]

const profiles: Rule[] = [
  ['a profile', ofPod({ seccompProfile: { type: 'RuntimeDefault' } })],
  ['without a type', ofPod({ seccompProfile: {} }), `${s}.seccompProfile.type: Required value: type is required when seccompProfile is set`],
  [
    'of another type',
    ofPod({ seccompProfile: { type: 'x' } }),
    `${s}.seccompProfile.type: Unsupported value: "x": supported values: "Localhost", "RuntimeDefault", "Unconfined"`,
  ],
  ['of the node', ofPod({ seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } })],
  [
    'of the node, not said which',
    own({ seccompProfile: { type: 'Localhost' } }),
    `${c}.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost`,
  ],
  [
    'of the node, from elsewhere',
    own({ seccompProfile: { type: 'Localhost', localhostProfile: '/a' } }),
    `${c}.seccompProfile.localhostProfile: Invalid value: "/a": must be a relative path`,
  ],
  [
    'two profiles',
    own({ seccompProfile: { type: 'Unconfined', localhostProfile: 'a' } }),
    `${c}.seccompProfile.localhostProfile: Invalid value: {"Type":"Unconfined","LocalhostProfile":"a"}: can only be set when seccomp type is Localhost`,
  ],
  ['AppArmor', own({ appArmorProfile: { type: 'Localhost', localhostProfile: 'a' } })],
  [
    'AppArmor without a type',
    own({ appArmorProfile: {} }),
    `${c}.appArmorProfile.type: Required value: type is required when appArmorProfile is set`,
  ],
  [
    'AppArmor of another type',
    own({ appArmorProfile: { type: 'x' } }),
    `${c}.appArmorProfile.type: Unsupported value: "x": supported values: "Localhost", "RuntimeDefault", "Unconfined"`,
  ],
  [
    'AppArmor, not said which',
    own({ appArmorProfile: { type: 'Localhost' } }),
    `${c}.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost`,
  ],
  [
    'AppArmor, an empty one',
    own({ appArmorProfile: { type: 'Localhost', localhostProfile: '' } }),
    `${c}.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost`,
  ],
  [
    'AppArmor with spaces',
    own({ appArmorProfile: { type: 'Localhost', localhostProfile: ' a' } }),
    `${c}.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with whitespace`,
  ],
  [
    'AppArmor, a long one',
    own({ appArmorProfile: { type: 'Localhost', localhostProfile: 'a'.repeat(4096) } }),
    `${c}.appArmorProfile.localhostProfile: Too long: may not be more than 4095 bytes`,
  ],
  [
    'AppArmor, two',
    own({ appArmorProfile: { type: 'Unconfined', localhostProfile: 'a' } }),
    `${c}.appArmorProfile.localhostProfile: Invalid value: "a": can only be set when AppArmor type is Localhost`,
  ],
]

const sysctls = (...names: string[]) => ofPod({ sysctls: names.map((name) => ({ name, value: '1' })) })

const kernel: Rule[] = [
  ['with slashes', sysctls('net/ipv4/ip_local_port_range')],
  ['without a name', sysctls(''), `${s}.sysctls[0].name: Required value`],
  ['with a bad name', sysctls('A'), `${s}.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex`],
  ['twice', sysctls('kernel.sem', 'kernel.sem'), `${s}.sysctls[1].name: Duplicate value: "kernel.sem"`],
  [
    'of the network of the host',
    both(spec({ hostNetwork: true }), (p) => (p.spec.securityContext = { sysctls: [{ name: 'net.a', value: '1' }] })),
    `${s}.sysctls[0].name: Invalid value: "net.a": may not be specified when 'hostNetwork' is true`,
  ],
  [
    'of the queues of the host',
    both(spec({ hostIPC: true }), (p) => (p.spec.securityContext = { sysctls: [{ name: 'fs/mqueue/a', value: '1' }] })),
    `${s}.sysctls[0].name: Invalid value: "fs/mqueue/a": may not be specified when 'hostIPC' is true`,
  ],
]

const users: Rule[] = [
  ['own users', spec({ hostUsers: false })],
  ['own users in the network of the host', spec({ hostUsers: false, hostNetwork: true }), 'spec.hostNetwork: Forbidden: when `hostUsers` is false'],
  ['own users among processes of the host', spec({ hostUsers: false, hostPID: true }), 'spec.HostPID: Forbidden: when `hostUsers` is false'],
  ['own users with queues of the host', spec({ hostUsers: false, hostIPC: true }), 'spec.HostIPC: Forbidden: when `hostUsers` is false'],
  [
    'own users of a device',
    both(spec({ hostUsers: false }), (p) => (p.spec.containers[0].volumeDevices = [{ name: 'b', devicePath: '/b' }])),
    'spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false',
  ],
]

const windows = spec({ os: { name: 'windows' } })
const noLinux = 'Forbidden: cannot be set for a windows pod'
const noWindows = 'Forbidden: windows options cannot be set for a linux pod'
const linuxFieldsOfPods: [string, unknown][] = [
  ['appArmorProfile', { type: 'Unconfined' }],
  ['seLinuxOptions', { level: 'a' }],
  ['seccompProfile', { type: 'Unconfined' }],
  ['fsGroup', 1],
  ['fsGroupChangePolicy', 'Always'],
  ['sysctls', [{ name: 'a', value: 'b' }]],
  ['runAsUser', 1],
  ['runAsGroup', 1],
  ['supplementalGroups', [1]],
  ['supplementalGroupsPolicy', 'Merge'],
  ['seLinuxChangePolicy', 'Recursive'],
]
const linuxFieldsOfContainers: [string, unknown][] = [
  ['appArmorProfile', { type: 'Unconfined' }],
  ['seLinuxOptions', { level: 'a' }],
  ['seccompProfile', { type: 'Unconfined' }],
  ['capabilities', { add: ['a'] }],
  ['readOnlyRootFilesystem', false],
  ['privileged', false],
  ['allowPrivilegeEscalation', false],
  ['procMount', 'Default'],
  ['runAsUser', 1],
  ['runAsGroup', 1],
]

const systems: Rule[] = [
  ['of no name', spec({ os: {} }), 'spec.os.name: Required value'],
  ['of another name', spec({ os: { name: 'plan9' } }), 'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
  [
    'options of Windows for Linux',
    both(spec({ os: { name: 'linux' } }), (p) => (p.spec.securityContext = { windowsOptions: {} })),
    `${s}.windowsOptions: ${noWindows}`,
  ],
  [
    'options of Windows for a container of Linux',
    both(spec({ os: { name: 'linux' } }), own({ windowsOptions: {} })),
    `${c}.windowsOptions: ${noWindows}`,
  ],
  ['processes of the host on Windows', both(windows, spec({ hostPID: true })), `spec.hostPID: ${noLinux}`],
  ['queues of the host on Windows', both(windows, spec({ hostIPC: true })), `spec.hostIPC: ${noLinux}`],
  ['users of the host on Windows', both(windows, spec({ hostUsers: true })), `spec.hostUsers: ${noLinux}`],
  ['one namespace on Windows', both(windows, spec({ shareProcessNamespace: false })), `spec.shareProcessNamespace: ${noLinux}`],
  ...linuxFieldsOfPods.map(([field, value]): Rule => [
    `${field} on Windows`,
    both(windows, (p) => (p.spec.securityContext = { [field]: value })),
    `${s}.${field}: ${noLinux}`,
  ]),
  ...linuxFieldsOfContainers.map(([field, value]): Rule => [
    `${field} of a container on Windows`,
    both(windows, own({ [field]: value })),
    `${c}.${field}: ${noLinux}`,
  ]),
]

const options = (windowsOptions: object) => own({ windowsOptions })
const user = (runAsUserName: string) => options({ runAsUserName })
const w = `${c}.windowsOptions`
const hostOptions = { securityContext: { windowsOptions: { hostProcess: true } } }

const ofWindows: Rule[] = [
  ['a user', user('DOMAIN\\user')],
  ['a user without a name', user(''), `${w}.runAsUserName: Invalid value: "": runAsUserName cannot be an empty string`],
  ['a user with control characters', user('a\tb'), `${w}.runAsUserName: Invalid value: "a\\tb": runAsUserName cannot contain control characters`],
  [
    'a user of two domains',
    user('a\\b\\c'),
    `${w}.runAsUserName: Invalid value: "a\\\\b\\\\c": runAsUserName cannot contain more than one backslash`,
  ],
  ['a domain without a user', user('a\\'), `${w}.runAsUserName: Invalid value: "a\\\\": runAsUserName's User cannot be empty`],
  ['a long user', user('a'.repeat(105)), /runAsUserName's User length must not be longer than 104 characters$/],
  ['a user of dots', user('..'), `${w}.runAsUserName: Invalid value: "..": runAsUserName's User cannot contain only periods or spaces`],
  [
    'a user of signs',
    user('a*'),
    `${w}.runAsUserName: Invalid value: "a*": runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`,
  ],
  [
    'a bad domain',
    user('.a\\b'),
    `${w}.runAsUserName: Invalid value: ".a\\\\b": runAsUserName's Domain doesn't match the NetBios nor the DNS format`,
  ],
  ['a long domain', user(`${'a.'.repeat(130)}a\\b`), /runAsUserName's Domain length must be under 256 characters$/],
  ['a bad name of credentials', options({ gmsaCredentialSpecName: 'A' }), `${w}.gmsaCredentialSpecName: Invalid value: "A"`],
  [
    'empty credentials',
    options({ gmsaCredentialSpec: '' }),
    `${w}.gmsaCredentialSpec: Invalid value: "": gmsaCredentialSpec cannot be an empty string`,
  ],
  ['large credentials', options({ gmsaCredentialSpec: 'a'.repeat(65 * 1024) }), /gmsaCredentialSpec size must be under 64 KiB$/],
  ['processes of the host', spec({ hostNetwork: true, ...hostOptions })],
  [
    'processes of the host in a network of their own',
    spec(hostOptions),
    'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
  ],
  [
    'only some processes of the host',
    (p) => {
      p.spec.hostNetwork = true
      p.spec.containers.push({ name: 'b', image: 'b', ...hostOptions })
    },
    'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
  ],
  [
    'another opinion than the pod',
    both(spec({ hostNetwork: true, ...hostOptions }), options({ hostProcess: false })),
    `${w}.hostProcess: Invalid value: false: pod hostProcess value must be identical if both are specified, was true`,
  ],
]

for (const table of [contexts, profiles, kernel, users, systems, ofWindows]) testCreates('/pods', base, table)
