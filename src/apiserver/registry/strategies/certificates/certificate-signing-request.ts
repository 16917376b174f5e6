import type { DeepReadonly, certificates } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, duplicate, forbidden, invalid, notSupported, required } from '../../validation/causes.ts'
import { validateSignerName } from '../../validation/signer-names.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { issuedProblem } from './issued-certificate.ts'
import { requestProblem } from './request-signature.ts'
import { keyUsages } from './usages.ts'

type Request = DeepReadonly<certificates.CertificateSigningRequest>
type Condition = certificates.CertificateSigningRequestCondition

const legacySigner = 'kubernetes.io/legacy-unknown'
const minSeconds = 600

/** What the beta never looked at. */
const isBeta = (apiVersion: string | undefined) => apiVersion === 'certificates.k8s.io/v1beta1'

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
    const before = (old.status?.conditions ?? []) as Condition[]
    if (request.resource?.subresource === 'approval') {
      // Approval decides and nothing else: the certificate stays.
      if (old.status?.certificate === undefined) delete status.certificate
      else status.certificate = old.status.certificate
    } else keepDecisions(status, before, request.resource?.version === 'v1beta1')
    status.conditions?.forEach((condition) => {
      const had = before.find(({ type, status }) => type === condition.type && status === condition.status)
      condition.lastUpdateTime ||= now
      condition.lastTransitionTime ||= had?.lastTransitionTime ?? now
    })
  },
  validate({ spec }, apiVersion, old) {
    // what is asked for stays, and was looked at when it was created
    if (old) return []
    const causes: Causes = []
    const problem = requestProblem(spec.request ?? '')
    if (problem) causes.push(invalid('spec.request', spec.request ?? '', problem))
    if (!spec.usages?.length) causes.push(required('spec.usages'))
    if (!isBeta(apiVersion)) validateUsages(causes, spec.usages ?? [])
    if (spec.signerName === legacySigner && !isBeta(apiVersion))
      causes.push(invalid('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'))
    else validateSignerName(causes, 'spec.signerName', spec.signerName ?? '')
    if (spec.expirationSeconds !== undefined && spec.expirationSeconds < minSeconds)
      causes.push(
        invalid('spec.expirationSeconds', spec.expirationSeconds, `may not specify a duration less than ${minSeconds} seconds (10 minutes)`),
      )
    return causes
  },
  validateStatusUpdate(object, old, apiVersion, subresource) {
    const causes: Causes = []
    validateConditions(causes, object, old, isBeta(apiVersion))
    validateIssued(causes, object, old, isBeta(apiVersion))
    const count = ({ status }: Request, type: string) => status?.conditions?.filter((condition) => condition.type === type).length ?? 0
    const forbid = (detail: string) => causes.push(forbidden('status.conditions', detail))
    for (const type of ['Approved', 'Denied', 'Failed'])
      if (count(object, type) < count(old, type)) forbid(`updates may not remove a condition of type "${type}"`)
    if (subresource !== 'approval')
      for (const type of ['Approved', 'Denied'])
        if (count(object, type) > count(old, type)) forbid(`updates may not add a condition of type "${type}"`)
    return causes
  },
  // any name will do
  validateName: () => [],
  selectableFields: (object) => ({ 'spec.signerName': object.spec.signerName ?? '' }),
}

/** Who writes a status neither decides nor changes what was decided; where it tries, validation says so. The beta forgot such conditions silently. */
function keepDecisions(status: certificates.CertificateSigningRequestStatus, before: Condition[], beta: boolean): void {
  for (const type of ['Approved', 'Denied']) {
    const were = before.filter((condition) => condition.type === type)
    const are = (status.conditions ?? []).filter((condition) => condition.type === type)
    if (were.length === are.length) status.conditions = status.conditions?.map((one) => (one.type === type ? { ...were.shift()! } : one)) ?? []
    else if (beta) {
      status.conditions = before.map((condition) => ({ ...condition }))
      break
    }
  }
  if (status.conditions?.length === 0) delete status.conditions
}

function validateUsages(causes: Causes, usages: readonly string[]): void {
  for (const [i, usage] of usages.entries()) {
    if (!keyUsages.includes(usage)) causes.push(notSupported(`spec.usages[${i}]`, usage, keyUsages))
    if (usages.indexOf(usage) < i) causes.push(duplicate(`spec.usages[${i}]`, usage))
  }
}

function validateConditions(causes: Causes, { status }: Request, old: Request, beta: boolean): void {
  const conditions = status?.conditions ?? []
  const before = old.status?.conditions ?? []
  const had = (type: string) => before.some((condition) => condition.type === type)
  const hadTwice = before.some(({ type }, i) => before.findIndex((condition) => condition.type === type) < i)
  const seen = new Set<string>()
  for (const [i, { type = '', status }] of conditions.entries()) {
    const at = `status.conditions[${i}]`
    if (type === '' && !had('') && !beta) causes.push(required(`${at}.type`))
    const statuses = ['Approved', 'Denied', 'Failed'].includes(type) ? ['True'] : ['False', 'True', 'Unknown']
    if (!status) causes.push(required(`${at}.status`))
    else if (!statuses.includes(status)) causes.push(notSupported(`${at}.status`, status, statuses))
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (opposite && seen.has(opposite) && !(had('Approved') && had('Denied')))
      causes.push(invalid('status.conditions', type, 'Approved and Denied conditions are mutually exclusive'))
    if (seen.has(type) && !hadTwice && !beta) causes.push(duplicate(`${at}.type`, type))
    seen.add(type)
  }
}

function validateIssued(causes: Causes, object: Request, old: Request, beta: boolean): void {
  const certificate = object.status?.certificate ?? ''
  const before = old.status?.certificate ?? ''
  if (certificate === before || beta) return
  const problem = issuedProblem(before) === undefined ? issuedProblem(certificate) : undefined
  if (problem) causes.push(invalid('status.certificate', '<certificate data>', problem))
  if (before) causes.push(forbidden('status.certificate', 'updates may not modify existing certificate content'))
}
