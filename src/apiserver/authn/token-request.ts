import type { StatusCause, authentication, core } from '#api'
import { errors } from '#api'
import type { Clock } from '#base'
import type { ObjectReader } from '../object-reader.ts'
import type { BoundObjects, ObjectClaim, TokenKeys } from './tokens.ts'
import { boundClaims } from './tokens.ts'

export interface TokenRequestOptions {
  keys: TokenKeys
  issuer: string
  /** Audiences of a token that names none; the issuer when empty. */
  audiences?: string[]
  reader: ObjectReader
  clock: Clock
  /** Longer requests are cut to this. */
  maxExpirationSeconds?: number
  /** Whether tokens that kubelets fetch with the default lifetime really live a year, for clients that never read them again; upstream's default is true. */
  extendExpiration?: boolean
}

const defaultExpirationSeconds = 3600
const minExpirationSeconds = 600
const maxExpirationSeconds = 2 ** 32
/** The lifetime that ServiceAccount admission asks for in pods: it marks a token that may be extended. */
export const podTokenExpirationSeconds = 3607
const extendedExpirationSeconds = 365 * 24 * 3600

/** POST of `serviceaccounts/NAME/token`: the request with its status filled in. Rejects with the StatusErrors upstream answers. */
export function createToken(
  options: TokenRequestOptions,
  namespace: string,
  name: string,
  request: authentication.TokenRequest,
): authentication.TokenRequest {
  const { reader, issuer } = options
  const spec = request.spec ?? {}
  agrees(request.metadata?.name, name, 'name')
  agrees(request.metadata?.namespace, namespace, 'namespace', name)
  const account = reader.get<core.ServiceAccount>('', 'serviceaccounts', namespace, name)
  if (!account) throw errors.notFound({ group: '', resource: 'serviceaccounts' }, name)
  const uid = request.metadata?.uid
  if (uid && uid !== account.metadata.uid)
    throw errors.conflict(
      { group: kind.group, resource: kind.kind },
      name,
      `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`,
    )
  const expirationSeconds = validExpiration(spec.expirationSeconds)
  const reference = spec.boundObjectRef
  const bound = reference ? resolveBound(reader, namespace, name, reference) : {}
  const audiences = spec.audiences?.length ? spec.audiences : options.audiences?.length ? options.audiences : [issuer]
  const granted = Math.min(expirationSeconds, options.maxExpirationSeconds ?? Infinity)
  const extended = (options.extendExpiration ?? true) && bound.pod !== undefined && granted === podTokenExpirationSeconds
  const now = Math.floor(options.clock.now() / 1000)
  const token = options.keys.sign(
    boundClaims({
      issuer,
      audiences,
      namespace,
      serviceAccount: claim(account),
      bound,
      now,
      expirationSeconds: extended ? extendedExpirationSeconds : granted,
      warnAfterSeconds: extended ? granted : undefined,
    }),
  )
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { ...request.metadata, name, namespace, creationTimestamp: rfc3339(now) },
    spec: { ...spec, audiences, expirationSeconds: granted },
    status: { token, expirationTimestamp: rfc3339(now + granted) },
  }
}

const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' }

/** A request may repeat what its path says, and may not contradict it. */
function agrees(given: string | undefined, expected: string, field: 'name' | 'namespace', name = expected): void {
  if (!given || given === expected) return
  const message = `Invalid value: ${JSON.stringify(given)}: must match the service account ${field} if specified`
  throw errors.invalid(kind, name, [{ reason: 'FieldValueInvalid', message, field: `metadata.${field}` }])
}

function validExpiration(asked: number | undefined): number {
  const seconds = asked ?? defaultExpirationSeconds
  const cause = (text: string): StatusCause => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${seconds}: ${text}`,
    field: 'spec.expirationSeconds',
  })
  if (seconds < minExpirationSeconds) throw errors.invalid(kind, '', [cause('may not specify a duration less than 10 minutes')])
  if (seconds > maxExpirationSeconds) throw errors.invalid(kind, '', [cause('may not specify a duration larger than 2^32 seconds')])
  return seconds
}

function resolveBound(reader: ObjectReader, namespace: string, account: string, reference: authentication.BoundObjectReference): BoundObjects {
  const { apiVersion = '', kind = '', name = '', uid } = reference
  if (apiVersion !== 'v1' || (kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node')) {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
    throw errors.badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`)
  }
  const resource = `${kind.toLowerCase()}s`
  const object = reader.get('', resource, kind === 'Node' ? '' : namespace, name)
  if (!object) throw errors.notFound({ group: '', resource }, name)
  if (uid && uid !== object.metadata.uid) {
    throw errors.conflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  if (kind === 'Secret') return { secret: claim(object) }
  if (kind === 'Node') return { node: claim(object) }
  const { serviceAccountName, nodeName } = (object as unknown as core.Pod).spec ?? {}
  if (serviceAccountName !== account) {
    throw errors.badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`)
  }
  const node = nodeName ? reader.get('', 'nodes', '', nodeName) : undefined
  // a pod can be bound to a node that is gone: its name is known all the same
  return { pod: claim(object), ...(nodeName ? { node: node ? claim(node) : { name: nodeName, uid: '' } } : {}) }
}

const claim = (object: { readonly metadata: { readonly name?: string; readonly uid?: string } }): ObjectClaim => ({
  name: object.metadata.name ?? '',
  uid: object.metadata.uid ?? '',
})

const rfc3339 = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
