import { type Rule, testCreates } from '../../strategies/rule-table.ts'

const base = { spec: { serviceAccountName: 'x', containers: [{ name: 'a', image: 'nginx:1' }] } }

const v = 'spec.volumes[0]'
const volume =
  (...sources: object[]) =>
  (p: any) =>
    (p.spec.volumes = sources.map((source, i) => ({ name: `v${i}`, ...structuredClone(source) })))
const projected = (...sources: object[]) => volume({ projected: { sources } })
const template = (template: object) => volume({ ephemeral: { volumeClaimTemplate: template } })
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const items = (...items: object[]) => volume({ configMap: { name: 'c', items } })

const sources: Rule[] = [
  ['nothing is an empty directory', volume({})],
  ['a name', (p) => (p.spec.volumes = [{ emptyDir: {} }]), `${v}.name: Required value`],
  [
    'a name twice',
    (p) =>
      (p.spec.volumes = [
        { name: 'a', emptyDir: {} },
        { name: 'a', emptyDir: {} },
      ]),
    'spec.volumes[1].name: Duplicate value: "a"',
  ],
  ['two sources', volume({ emptyDir: {}, hostPath: { path: '/' } }), `${v}.hostPath: Forbidden: may not specify more than 1 volume type`],
  [
    'two sources, one of them misnamed',
    volume({ emptyDir: {}, downwardAPI: {} }),
    `${v}.downwarAPI: Forbidden: may not specify more than 1 volume type`,
  ],
  [
    'a negative size',
    volume({ emptyDir: { sizeLimit: '-1' } }),
    `${v}.emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity`,
  ],
  [
    'a kind of path',
    volume({ hostPath: { path: '/', type: 'x' } }),
    `${v}.hostPath.type: Unsupported value: "x": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"`,
  ],
  ['a driver', volume({ csi: { driver: 'a.b' } })],
  ['no driver', volume({ csi: {} }), `${v}.csi.driver: Required value`],
  ['a long driver', volume({ csi: { driver: 'a'.repeat(64) } }), `${v}.csi.driver: Too long: may not be more than 63 bytes`],
  [
    'a secret of a driver without a name',
    volume({ csi: { driver: 'a', nodePublishSecretRef: {} } }),
    `${v}.csi.nodePublishSecretRef.name: Required value`,
  ],
  [
    'a secret of a driver with a bad name',
    volume({ csi: { driver: 'a', nodePublishSecretRef: { name: 'A' } } }),
    `${v}.csi.name: Invalid value: "A"`,
  ],
  [
    'a repository below',
    volume({ gitRepo: { repository: 'x', directory: '/a' } }),
    `${v}.gitRepo.directory: Invalid value: "/a": must be a relative path`,
  ],
  ['an image', volume({ image: { reference: 'a:1' } })],
  ['no image', volume({ image: { pullPolicy: 'Always' } }), `${v}.image.reference: Required value`],
  [
    'an image that is pulled somehow',
    volume({ image: { reference: 'a', pullPolicy: 'x' } }),
    `${v}.image.pullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"`,
  ],
  ['flocks', volume({ flocker: { datasetName: 'a/b' } }), `${v}.flocker.datasetName: Invalid value: "a/b": must not contain '/'`],
]

const files: Rule[] = [
  ['a file', items({ key: 'a', path: 'b/c' })],
  ['no key', items({ path: 'a' }), `${v}.configMap.items[0].key: Required value`],
  ['no path', items({ key: 'a' }), `${v}.configMap.items[0].path: Required value`],
  ['a path from the root', items({ key: 'a', path: '/a' }), `${v}.configMap.items[0].path: Invalid value: "/a": must be a relative path`],
  ['a path up', items({ key: 'a', path: 'b/../c' }), `${v}.configMap.items[0].path: Invalid value: "b/../c": must not contain '..'`],
  ['a path that writers use', items({ key: 'a', path: '..data' }), `${v}.configMap.items[0].path: Invalid value: "..data": must not start with '..'`],
  [
    'a mode',
    items({ key: 'a', path: 'a', mode: 0o1000 }),
    `${v}.configMap.items[0].mode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive`,
  ],
  [
    'a field of the pod that files cannot have',
    volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'spec.nodeName' } }] } }),
    `${v}.downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"`,
  ],
  [
    'nothing of the pod',
    volume({ downwardAPI: { items: [{ path: 'a' }] } }),
    `${v}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required`,
  ],
  [
    'resources of nobody',
    volume({ downwardAPI: { items: [{ path: 'a', resourceFieldRef: { resource: 'limits.cpu' } }] } }),
    `${v}.downwardAPI.resourceFieldRef.containerName: Required value`,
  ],
]

const ephemeral: Rule[] = [
  ['a claim', template({ spec: claim })],
  ['no claim', volume({ ephemeral: {} }), `${v}.ephemeral.volumeClaimTemplate: Required value`],
  ['a claim with labels', template({ metadata: { labels: { a: 'b' }, annotations: { a: 'b' } }, spec: claim })],
  [
    'a claim with a name',
    template({ metadata: { name: 'a' }, spec: claim }),
    `${v}.ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set`,
  ],
  [
    'a claim for no access',
    template({ spec: { resources: claim.resources } }),
    `${v}.ephemeral.volumeClaimTemplate.spec.accessModes: Required value`,
  ],
  [
    'a claim that another volume makes',
    volume({ ephemeral: { volumeClaimTemplate: { spec: claim } } }, { persistentVolumeClaim: { claimName: 'x-v0' } }),
    'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "x-v0": must not reference a PVC that gets created for an ephemeral volume',
  ],
]

const trust = (more: object) => projected({ clusterTrustBundle: { path: 'ca.pem', ...more } })
const b = `${v}.projected.sources[0].clusterTrustBundle`
const certificate = (more: object) => projected({ podCertificate: { signerName: 'a.b/c', keyType: 'ED25519', keyPath: 'key.pem', ...more } })
const p = `${v}.projected.sources[0].podCertificate`
const token = (more: object) => projected({ serviceAccountToken: { path: 'token', ...more } })
const t = `${v}.projected.sources[0].serviceAccountToken`

const projections: Rule[] = [
  [
    'two sources in one',
    projected({ secret: { name: 'a' }, configMap: { name: 'b' } }),
    `${v}.projected.sources[0]: Forbidden: may not specify more than 1 volume type per source`,
  ],
  [
    'one path of two',
    projected({ secret: { name: 'a', items: [{ key: 'k', path: 'p' }] } }, { configMap: { name: 'b', items: [{ key: 'k', path: 'p' }] } }),
    `${v}.projected: Invalid value: "b": conflicting duplicate paths`,
  ],
  ['a token', token({})],
  ['a short token', token({ expirationSeconds: 599 }), `${t}.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes`],
  [
    'a long token',
    token({ expirationSeconds: 2 ** 32 + 1 }),
    `${t}.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds`,
  ],
  ['a token nowhere', token({ path: '' }), `${v}.projected.path: Required value`],
  ['a token above', token({ path: '../a' }), `${v}.projected.path: Invalid value: "../a": must not contain '..'`],
  [
    'a token of nobody',
    (pod) => {
      delete pod.spec.serviceAccountName
      token({})(pod)
    },
    `${t}: Forbidden: must not be specified when serviceAccountName is not set`,
  ],
  ['whom to trust', trust({ name: 'a' })],
  ['whom to trust by signer', trust({ signerName: 'a.b/c', labelSelector: {} })],
  ['whom to trust: nobody', trust({}), `${b}: Required value: either name or signerName must be specified`],
  [
    'whom to trust twice',
    trust({ name: 'a', signerName: 'a.b/c' }),
    /clusterTrustBundle: Invalid value: \{"Name":"a","SignerName":"a\.b\/c",.*\}: only one of name and signerName may be used$/,
  ],
  [
    'whom to trust by name and labels',
    trust({ name: 'a', labelSelector: {} }),
    `${b}.labelSelector: Invalid value: {}: labelSelector must be unset if name is specified`,
  ],
  ['whom to trust by a bad name', trust({ name: 'A' }), `${b}.name: Invalid value: "A": not a valid clustertrustbundlename: `],
  ['whom to trust by a bad signer', trust({ signerName: 'a' }), `${b}.signerName: Invalid value: "a": must be a fully qualified domain and path`],
  ['whom to trust, nowhere', trust({ name: 'a', path: '' }), `${b}.path: Required value`],
  ['a certificate', certificate({})],
  ['a certificate of no signer', certificate({ signerName: '' }), `${p}.signerName: Required value`],
  ['a certificate of another key', certificate({ keyType: 'DSA' }), `${p}.keyType: Unsupported value: "DSA": supported values: `],
  [
    'a certificate nowhere',
    certificate({ keyPath: '' }),
    `${p}: Required value: specify at least one of credentialBundlePath, keyPath, and certificateChainPath`,
  ],
  ['a certificate above', certificate({ keyPath: '../a' }), `${p}.keyPath: Invalid value: "../a": must not contain '..'`],
  [
    'a short certificate',
    certificate({ maxExpirationSeconds: 60 }),
    `${p}.maxExpirationSeconds: Invalid value: 60: if provided, maxExpirationSeconds must be >= 3600`,
  ],
  [
    'a long certificate',
    certificate({ maxExpirationSeconds: 91 * 86400 + 1 }),
    `${p}.maxExpirationSeconds: Invalid value: 7862401: if provided, maxExpirationSeconds must be <= 7862400`,
  ],
  [
    'a long certificate of the cluster',
    certificate({ signerName: 'kubernetes.io/a', maxExpirationSeconds: 86401 }),
    `${p}.maxExpirationSeconds: Invalid value: 86401: if provided, maxExpirationSeconds must be <= 86400`,
  ],
  ['annotations for the signer', certificate({ userAnnotations: { 'a.b/c': 'd' } })],
  [
    'annotations of no domain',
    certificate({ userAnnotations: { a: 'd' } }),
    `${p}.userAnnotations: Invalid value: "a": must be a domain-prefixed key (such as "acme.io/foo")`,
  ],
]

for (const table of [sources, files, ephemeral, projections]) testCreates('/pods', base, table)
