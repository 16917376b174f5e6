import type { DeepReadonly, apiextensions, apiregistration, certificates, coordination, node, scheduling } from '#api'
import { errors, dns1035Label, dns1123Label, dns1123Subdomain, pathSegmentName } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import {
  type Causes,
  duplicate,
  forbidden,
  immutable,
  invalid,
  invalidEach,
  notSupported,
  optionalOneOf,
  required,
  same,
} from '../validation/causes.ts'
import { validateLabels } from '../validation/object-meta.ts'
import { validateTolerations } from '../validation/pod/scheduling.ts'
import { validateQuantity, validateResourceName } from '../validation/resources.ts'
import { keepAllButStatus, keepStatus } from './status.ts'

export const leaseStrategy: ResourceStrategy<coordination.Lease> = {
  default(object) {
    object.spec ??= {}
  },
  validate({ spec }) {
    const causes: Causes = []
    if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0)
      causes.push(invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'))
    if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0)
      causes.push(invalid('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0'))
    return causes
  },
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  looseFinalizers: true,
}

export const runtimeClassStrategy: ResourceStrategy<node.RuntimeClass> = {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  looseFinalizers: true,
  validate(object) {
    const causes: Causes = []
    invalidEach(causes, 'handler', object.handler ?? '', dns1123Label(object.handler ?? ''))
    const overhead = object.overhead?.podFixed
    for (const name in overhead) {
      validateResourceName(causes, `overhead.limits[${name}]`, name, true)
      validateQuantity(causes, `overhead.limits[${name}]`, name, overhead[name]!)
    }
    validateLabels(causes, 'scheduling.nodeSelector', object.scheduling?.nodeSelector)
    const tolerations = object.scheduling?.tolerations ?? []
    tolerations.forEach((toleration, i) => {
      if (tolerations.findIndex((one) => same(one, toleration)) < i) causes.push(duplicate(`scheduling.tolerations[${i}]`, toleration))
    })
    validateTolerations(causes, 'scheduling.tolerations.tolerations', tolerations)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'handler', object.handler, old.handler)
    return causes
  },
}

const systemPrefix = 'system-'
/** User classes stay below a billion; above are the system's two. */
const highestUserValue = 1_000_000_000
const systemClasses: Record<string, number> = { 'system-node-critical': 2_000_001_000, 'system-cluster-critical': 2_000_000_000 }

export const priorityClassStrategy: ResourceStrategy<scheduling.PriorityClass> = {
  default(object) {
    object.value ??= 0
    object.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate(object) {
    const causes: Causes = []
    const { name } = object.metadata
    if (name?.startsWith(systemPrefix)) {
      if (systemClasses[name] !== object.value)
        causes.push(
          forbidden(
            'metadata.name',
            `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${name in systemClasses ? `value of ${name} PriorityClass must be ${systemClasses[name]}` : `${name} is not a known system priority class`}`,
          ),
        )
    } else if ((object.value ?? 0) > highestUserValue)
      causes.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestUserValue}`))
    if (object.preemptionPolicy !== undefined) optionalOneOf(causes, 'preemptionPolicy', object.preemptionPolicy, ['PreemptLowerPriority', 'Never'])
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (object.value !== old.value) causes.push(forbidden('Value', 'may not be changed in an update.'))
    immutable(causes, 'preemptionPolicy', object.preemptionPolicy, old.preemptionPolicy)
    return causes
  },
  generationChanged: () => false,
}

export const certificateSigningRequestStrategy: ResourceStrategy<certificates.CertificateSigningRequest> = {
  prepareForCreate(object, { request }) {
    const { username, uid, groups, extra } = request.user
    const { spec } = object
    // Who asks is what the server saw, not what the request says.
    spec.username = username
    if (uid) spec.uid = uid
    else delete spec.uid
    spec.groups = [...groups]
    if (extra && Object.keys(extra).length > 0) spec.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))
    else delete spec.extra
    object.status = {}
  },
  prepareForUpdate(object, old) {
    object.spec = old.spec as typeof object.spec
    keepStatus(object, old)
  },
  prepareForStatusUpdate(object, old, { request, now }) {
    keepAllButStatus(object, old)
    const status = (object.status ??= {})
    const approval = request.resource?.subresource === 'approval'
    const isDecision = (type: string) => type === 'Approved' || type === 'Denied'
    const before = (old.status?.conditions ?? []) as certificates.CertificateSigningRequestCondition[]
    if (approval) {
      // Approval decides and nothing else: the certificate stays.
      if (old.status?.certificate === undefined) delete status.certificate
      else status.certificate = old.status.certificate
    } else {
      // Status may add its own conditions; the decision stays as it was, and is not taken here.
      const decisions = before.filter((condition) => isDecision(condition.type))
      for (const { type } of status.conditions ?? [])
        if (isDecision(type) && !decisions.some((one) => one.type === type))
          throw errors.invalid({ group: 'certificates.k8s.io', kind: object.kind }, object.metadata.name, [
            forbidden('status.conditions', `updates may not add a condition of type "${type}"`),
          ])
      const own = (status.conditions ?? []).filter((condition) => !isDecision(condition.type))
      if (own.length + decisions.length > 0) status.conditions = [...decisions, ...own].map((condition) => ({ ...condition }))
    }
    for (const condition of status.conditions ?? []) {
      const had = before.find((one) => one.type === condition.type)
      condition.lastUpdateTime ||= now
      if (!condition.lastTransitionTime) condition.lastTransitionTime = had?.status === condition.status ? (had.lastTransitionTime ?? now) : now
    }
  },
  validate({ spec }) {
    const causes: Causes = []
    const pem = Buffer.from(spec.request ?? '', 'base64').toString('latin1')
    if (!spec.request || !/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem))
      causes.push(invalid('spec.request', spec.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'))
    if (!spec.usages?.length) causes.push(required('spec.usages', 'usages must be provided'))
    spec.usages?.forEach((usage, i) => {
      if (!keyUsages.includes(usage)) causes.push(notSupported(`spec.usages[${i}]`, usage, keyUsages))
      if (spec.usages!.indexOf(usage) < i) causes.push(duplicate(`spec.usages[${i}]`, usage))
    })
    if (spec.signerName === 'kubernetes.io/legacy-unknown')
      causes.push(invalid('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'))
    else validateSignerName(causes, 'spec.signerName', spec.signerName ?? '')
    if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600)
      causes.push(invalid('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'))
    return causes
  },
  validateStatusUpdate(object, old) {
    const causes: Causes = []
    const conditions = object.status?.conditions ?? []
    const certificate = object.status?.certificate
    if (certificate && certificate !== old.status?.certificate) validateCertificate(causes, 'status.certificate', certificate)
    const has = (type: string) => conditions.some((condition) => condition.type === type)
    conditions.forEach((condition, i) => {
      const at = `status.conditions[${i}]`
      if (!condition.type) causes.push(required(`${at}.type`))
      const statuses = ['Approved', 'Denied', 'Failed'].includes(condition.type) ? ['True'] : ['False', 'True', 'Unknown']
      if (!condition.status) causes.push(required(`${at}.status`))
      else if (!statuses.includes(condition.status)) causes.push(notSupported(`${at}.status`, condition.status, statuses))
      if (conditions.findIndex((one) => one.type === condition.type) < i) causes.push(duplicate(`${at}.type`, condition.type))
    })
    if (has('Approved') && has('Denied'))
      conditions.forEach((condition, i) => {
        if (condition.type === 'Denied')
          causes.push(invalid(`status.conditions[${i}].type`, 'Denied', 'Approved and Denied conditions are mutually exclusive'))
      })
    for (const type of ['Approved', 'Denied', 'Failed'])
      if (old.status?.conditions?.some((condition) => condition.type === type) && !has(type))
        causes.push(forbidden('status.conditions', `updates may not remove a condition of type "${type}"`))
    if (old.status?.certificate && object.status?.certificate !== old.status.certificate)
      causes.push(forbidden('status.certificate', 'updates may not change an already-issued certificate'))
    return causes
  },
  // any name will do
  validateName: () => [],
  selectableFields: (object) => ({ 'spec.signerName': object.spec.signerName ?? '' }),
}

const keyUsages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

/** What a signer issues is one or more certificates in PEM, without headers. */
function validateCertificate(causes: Causes, path: string, encoded: string): void {
  const text = Buffer.from(encoded, 'base64').toString('latin1')
  const problem = pemProblem(text)
  if (problem) causes.push(invalid(path, '<certificate data>', problem))
}

function pemProblem(text: string): string | undefined {
  let found = false
  for (const [, type, body] of text.matchAll(/-----BEGIN ([^-]*)-----\r?\n([\s\S]*?)-----END \1-----/g)) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (body!.includes(':')) return 'no PEM block headers are permitted'
    found = true
  }
  return found ? undefined : 'must contain at least one CERTIFICATE PEM block'
}

function validateSignerName(causes: Causes, path: string, name: string): void {
  if (!name) {
    causes.push(required(path, 'signerName must be provided'))
    return
  }
  const segments = name.split('/')
  if (segments.length !== 2) {
    causes.push(invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    return
  }
  const [domain, signer] = segments as [string, string]
  const badLabel = domain.split('.').find((label) => dns1123Label(label).length > 0)
  if (badLabel !== undefined)
    for (const message of dns1123Label(badLabel)) causes.push(invalid(path, domain, `validating label ${JSON.stringify(badLabel)}: ${message}`))
  if (!domain.includes('.')) causes.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'))
  const badPart = signer.split('.').find((part) => dns1123Subdomain(part).length > 0)
  if (badPart !== undefined)
    for (const message of dns1123Subdomain(badPart)) causes.push(invalid(path, signer, `validating label ${JSON.stringify(badPart)}: ${message}`))
}

export const apiServiceStrategy: ResourceStrategy<apiregistration.APIService> = {
  allowUnconditionalUpdate: false,
  default(object) {
    if (object.spec?.service) object.spec.service.port ??= 443
  },
  prepareForCreate(object) {
    object.status = {}
    // A local group is served by this process: it is always there.
    if (!object.spec.service)
      object.status.conditions = [{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }]
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ metadata, spec }) {
    const causes: Causes = []
    const name = `${spec.version ?? ''}.${spec.group ?? ''}`
    if (metadata.name !== name) causes.push(invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: "${name}"`))
    if (!spec.version) causes.push(required('spec.version'))
    else invalidEach(causes, 'spec.version', spec.version, dns1035Label(spec.version))
    if (!(spec.groupPriorityMinimum > 0 && spec.groupPriorityMinimum <= 20000))
      causes.push(invalid('spec.groupPriorityMinimum', spec.groupPriorityMinimum, 'must be positive and less than 20000'))
    if (!(spec.versionPriority > 0 && spec.versionPriority <= 1000))
      causes.push(invalid('spec.versionPriority', spec.versionPriority, 'must be positive and less than 1000'))
    if (!spec.service) {
      if (spec.caBundle)
        causes.push(invalid('spec.caBundle', `${Buffer.from(spec.caBundle, 'base64').length} bytes`, 'local APIServices may not have a caBundle'))
      if (spec.insecureSkipTLSVerify)
        causes.push(invalid('spec.insecureSkipTLSVerify', spec.insecureSkipTLSVerify, 'local APIServices may not have insecureSkipTLSVerify'))
      return causes
    }
    if (!spec.service.namespace) causes.push(required('spec.service.namespace'))
    if (!spec.service.name) causes.push(required('spec.service.name'))
    if (spec.insecureSkipTLSVerify && spec.caBundle)
      causes.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
    return causes
  },
  validateName: (name) => pathSegmentName(name),
}

export const customResourceDefinitionStrategy: ResourceStrategy<apiextensions.CustomResourceDefinition> = {
  allowUnconditionalUpdate: false,
  default(object) {
    const { spec } = object
    const names = (spec.names ??= {} as typeof spec.names)
    if (names.kind) {
      names.singular ||= names.kind.toLowerCase()
      names.listKind ||= `${names.kind}List`
    }
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service) service.port ??= 443
  },
  prepareForCreate(object) {
    const storage = object.spec.versions?.find((version) => version.storage)
    object.status = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: storage ? [storage.name] : [] }
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    const storage = object.spec.versions?.find((version) => version.storage)
    const stored = old.status?.storedVersions ?? []
    // Objects of every version that was ever stored may still be there.
    if (storage && !stored.includes(storage.name))
      object.status = { ...(object.status as object), storedVersions: [...stored, storage.name] } as typeof object.status
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate(object) {
    const causes: Causes = []
    const { spec, metadata } = object
    validateNames(causes, spec.names)
    const name = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`
    if (metadata.name !== name) causes.push(invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
    if (!spec.group) causes.push(required('spec.group'))
    else {
      invalidEach(causes, 'spec.group', spec.group, dns1123Subdomain(spec.group))
      if (!spec.group.includes('.')) causes.push(invalid('spec.group', spec.group, 'should be a domain with at least one dot'))
    }
    if (!spec.scope) causes.push(required('spec.scope'))
    else optionalOneOf(causes, 'spec.scope', spec.scope, ['Cluster', 'Namespaced'])
    validateVersions(causes, spec.versions)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec.group', object.spec.group, old.spec.group)
    const established = old.status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True')
    if (!established) return causes
    immutable(causes, 'spec.scope', object.spec.scope, old.spec.scope)
    immutable(causes, 'spec.names.kind', object.spec.names.kind, old.spec.names.kind)
    const versions = new Set(object.spec.versions.map((version) => version.name))
    old.status?.storedVersions?.forEach((version, i) => {
      if (!versions.has(version))
        causes.push(
          invalid(
            `status.storedVersions[${i}]`,
            version,
            `missing from spec.versions; it was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
          ),
        )
    })
    return causes
  },
}

function validateNames(causes: Causes, names: DeepReadonly<apiextensions.CustomResourceDefinitionNames> | undefined): void {
  const path = 'spec.names'
  if (!names?.plural) causes.push(required(`${path}.plural`))
  else invalidEach(causes, `${path}.plural`, names.plural, dns1035Label(names.plural))
  if (names?.singular) invalidEach(causes, `${path}.singular`, names.singular, dns1035Label(names.singular))
  if (!names?.kind) causes.push(required(`${path}.kind`))
  else mixedCase(causes, `${path}.kind`, names.kind)
  if (names?.listKind) mixedCase(causes, `${path}.listKind`, names.listKind)
  if (names?.listKind && names.listKind === names.kind)
    causes.push(invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
  names?.shortNames?.forEach((name, i) => invalidEach(causes, `${path}.shortNames[${i}]`, name, dns1035Label(name)))
}

/** Kinds are DNS labels but for their capitals. */
function mixedCase(causes: Causes, path: string, kind: string): void {
  for (const message of dns1035Label(kind.toLowerCase()))
    causes.push(invalid(path, kind, `may have mixed case, but should otherwise match: ${message}`))
}

function validateVersions(causes: Causes, versions: DeepReadonly<apiextensions.CustomResourceDefinitionVersion[]> | undefined): void {
  if (!versions?.length) {
    causes.push(required('spec.versions', 'must have at least one version'))
    return
  }
  const names = new Set<string>()
  versions.forEach((version, i) => {
    invalidEach(causes, `spec.versions[${i}].name`, version.name, dns1035Label(version.name))
    if (names.has(version.name)) causes.push(duplicate(`spec.versions[${i}].name`, version.name))
    names.add(version.name)
    if (!version.schema?.openAPIV3Schema) causes.push(required(`spec.versions[${i}].schema.openAPIV3Schema`, 'schemas are required'))
  })
  const storing = versions.filter((version) => version.storage).length
  if (storing !== 1) causes.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'))
}
