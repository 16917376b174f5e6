import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain, qualifiedName } from '#api'
import { type Causes, forbidden, invalid, notSupported, required, tooLong } from '../causes.ts'
import { internalForm, internalForms } from '../internal-form.ts'
import { annotationsLimit } from '../object-meta.ts'
import { validateLabelSelector } from '../selectors.ts'
import { validateSignerName } from '../signer-names.ts'
import { validateDownwardItem, validateItems } from './items.ts'
import { validateFilePath, validateUnreservedPath } from './paths.ts'

type Projection = DeepReadonly<core.VolumeProjection>
type Trust = NonNullable<Projection['clusterTrustBundle']>
type Certificate = NonNullable<Projection['podCertificate']>

const minTokenSeconds = 600
const maxTokenSeconds = 2 ** 32
const minCertificateSeconds = 3600
/** 91 days, and a day for the signers of Kubernetes itself. */
const maxCertificateSeconds = 7_862_400
const maxKubernetesCertificateSeconds = 86_400
const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']

/** Checks what is projected into one volume. `path` is the volume's; each file comes from one source. */
export function validateProjections(causes: Causes, path: string, projections: readonly Projection[] | undefined): void {
  const paths = new Set<string>()
  /** `shown` is what upstream names in the cause: the source, or the path where the source has no name. */
  const claim = (file: string | undefined, shown: string | undefined) => {
    if (!file) return
    if (paths.has(file)) causes.push(invalid(path, shown ?? '', 'conflicting duplicate paths'))
    paths.add(file)
  }
  projections?.forEach((projection, i) => {
    const at = `${path}.sources[${i}]`
    const { secret, configMap, serviceAccountToken: token, clusterTrustBundle, podCertificate } = projection
    const downwardAPI = projection.downwardAPI as DeepReadonly<core.DownwardAPIProjection> | undefined
    let sources = 0
    for (const [field, source] of [
      ['secret', secret],
      ['configMap', configMap],
    ] as const) {
      if (!source) continue
      sources++
      if (!source.name) causes.push(required(`${at}.${field}.name`))
      validateItems(causes, `${at}.${field}`, source.items)
      source.items?.forEach((item) => claim(item.path, source.name))
    }
    if (downwardAPI) {
      sources++
      downwardAPI.items?.forEach((item) => {
        validateDownwardItem(causes, `${at}.downwardAPI`, item)
        claim(item.path, item.path)
      })
    }
    if (token) {
      sources++
      const seconds = token.expirationSeconds
      const field = `${at}.serviceAccountToken.expirationSeconds`
      if (seconds !== undefined && seconds < minTokenSeconds) causes.push(invalid(field, seconds, 'may not specify a duration less than 10 minutes'))
      if (seconds !== undefined && seconds > maxTokenSeconds)
        causes.push(invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'))
      // upstream names the volume's path, not the source's
      validateFilePath(causes, `${path}.path`, token.path)
    }
    if (clusterTrustBundle) {
      sources++
      validateTrustBundle(causes, `${at}.clusterTrustBundle`, clusterTrustBundle)
      claim(clusterTrustBundle.path, clusterTrustBundle.path)
    }
    if (podCertificate) {
      sources++
      validateCertificate(causes, `${at}.podCertificate`, podCertificate)
      for (const field of certificateFiles) claim(podCertificate[field], podCertificate[field])
    }
    if (sources > 1) causes.push(forbidden(at, 'may not specify more than 1 volume type per source'))
  })
}

function validateTrustBundle(causes: Causes, path: string, bundle: Trust): void {
  const { name, signerName, labelSelector } = bundle
  if (name !== undefined && signerName !== undefined)
    causes.push(invalid(path, internalForm(bundle, internalForms.trustBundle), 'only one of name and signerName may be used'))
  else if (name !== undefined) {
    if (name === '') causes.push(required(`${path}.name`, 'must be a valid object name'))
    for (const message of trustBundleNameProblems(name)) causes.push(invalid(`${path}.name`, name, `not a valid clustertrustbundlename: ${message}`))
    if (labelSelector) causes.push(invalid(`${path}.labelSelector`, labelSelector, 'labelSelector must be unset if name is specified'))
  } else if (signerName !== undefined) {
    if (signerName === '') causes.push(required(`${path}.signerName`, 'must be a valid signer name'))
    validateSignerName(causes, `${path}.signerName`, signerName)
    validateLabelSelector(causes, `${path}.labelSelector`, labelSelector)
  } else causes.push(required(path, 'either name or signerName must be specified'))
  validateFilePath(causes, `${path}.path`, bundle.path)
}

/** The name of a bundle begins with its signer's, with colons for slashes, when it has one. */
const trustBundleNameProblems = (name: string) => dns1123Subdomain(name.slice(name.lastIndexOf(':') + 1))

const certificateFiles = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const

function validateCertificate(causes: Causes, path: string, certificate: Certificate): void {
  const { signerName = '', keyType = '', maxExpirationSeconds: seconds, userAnnotations } = certificate
  validateSignerName(causes, `${path}.signerName`, signerName)
  if (userAnnotations) validateUserAnnotations(causes, `${path}.userAnnotations`, userAnnotations)
  if (!keyTypes.includes(keyType)) causes.push(notSupported(`${path}.keyType`, keyType, keyTypes))
  if (seconds !== undefined) {
    const domain = signerName.split('/')[0]!
    const max = domain === 'kubernetes.io' || domain.endsWith('.kubernetes.io') ? maxKubernetesCertificateSeconds : maxCertificateSeconds
    const field = `${path}.maxExpirationSeconds`
    if (seconds < minCertificateSeconds) causes.push(invalid(field, seconds, `if provided, maxExpirationSeconds must be >= ${minCertificateSeconds}`))
    if (seconds > max) causes.push(invalid(field, seconds, `if provided, maxExpirationSeconds must be <= ${max}`))
  }
  for (const field of certificateFiles) if (certificate[field]) validateUnreservedPath(causes, `${path}.${field}`, certificate[field])
  if (certificateFiles.every((field) => !certificate[field]))
    causes.push(required(path, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'))
}

/** Annotations for the signer: keys under a domain, and no more of them than an object's own. */
function validateUserAnnotations(causes: Causes, path: string, annotations: DeepReadonly<Record<string, string>>): void {
  let size = 0
  for (const [name, value] of Object.entries(annotations)) {
    const key = name.toLowerCase()
    size += Buffer.byteLength(name) + Buffer.byteLength(value)
    const problems = key === '' ? [] : qualifiedName(key)
    if (key === '') causes.push(required(path))
    for (const problem of problems) causes.push(invalid(path, key, problem))
    if (key !== '' && problems.length === 0 && !key.includes('/'))
      causes.push(invalid(path, key, 'must be a domain-prefixed key (such as "acme.io/foo")'))
  }
  if (size > annotationsLimit) causes.push(tooLong(path, annotationsLimit))
}
