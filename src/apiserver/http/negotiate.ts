import type { StatusError } from '#api'
import { errors, failure } from '#api'

/** What a client accepts, decided once per Accept header. */
export interface Accepted {
  format: 'json' | 'yaml' | 'protobuf' | 'cbor'
  /** Objects as they are, as a table for printing, or their metadata alone. */
  as: 'object' | 'Table' | 'PartialObjectMetadata'
  /** The version of meta.k8s.io that a Table or PartialObjectMetadata is wanted in. */
  metaVersion: 'v1' | 'v1beta1'
  /** Of PartialObjectMetadata: the list's form was asked for. */
  list?: boolean
  /** For somebody's own eyes (`pretty=1` beside the media type). */
  pretty?: boolean
}

const json: Accepted = { format: 'json', as: 'object', metaVersion: 'v1' }

/** What is answered, and what can be asked of it. */
const uses = {
  /** Objects and lists, which are shown as tables and by their metadata, too. */
  objects: { routed: true, shown: true, cbor: true },
  /** `/apis/GROUP/VERSION`. */
  resourceLists: { routed: true, shown: false, cbor: true },
  /** `/api`. */
  versions: { routed: true, shown: false, cbor: false },
  /** `/apis`, `/apis/GROUP`: not routed, so that `application/*` will do. */
  groups: { routed: false, shown: false, cbor: false },
  errors: { routed: false, shown: false, cbor: true },
} as const
type Use = keyof typeof uses

const decided = new Map<Use, Map<string, Accepted>>()
const decidedLimit = 500

/**
 * Picks the first acceptable form by quality, then by order, as upstream does. `streams`: watches are routed here, which the 406 of routing says.
 * Throws NotAcceptable (406).
 */
export function negotiate(accept: string | undefined, use: Use = 'objects', streams = false): Accepted {
  if (!accept || accept === 'application/json' || accept === '*/*') return json
  let known = decided.get(use)
  if (!known) decided.set(use, (known = new Map()))
  let accepted = known.get(accept)
  if (!accepted) {
    accepted = decide(accept, use, streams)
    if (known.size >= decidedLimit) known.clear()
    known.set(accept, accepted)
  }
  return accepted
}

export interface Clause {
  type: string
  subtype: string
  quality: number
  parameters: Map<string, string>
}

/**
 * The clauses of an Accept header, the best first: by quality, then the more specific. Clauses that are none are left out. Sorted by insertion, as
 * upstream's library does, since its order is none: with `∗/∗, application/json;q=0.5` the specific one wins all the same.
 */
export function clausesOf(accept: string): Clause[] {
  const clauses: Clause[] = []
  for (const text of accept.split(',')) {
    const [range = '', ...given] = text.trim().split(';')
    const [type = '', subtype = range.trim() === '*' ? '*' : '', ...more] = range.split('/').map((part) => part.trim())
    if (!subtype || more.length > 0) continue
    const clause: Clause = { type, subtype, quality: 1, parameters: new Map() }
    for (const parameter of given) {
      const [name = '', value = '', ...rest] = parameter.split('=')
      if (!value || rest.length > 0) continue
      if (name.trim() === 'q') clause.quality = Number(value) || 0
      else clause.parameters.set(name.trim(), value.trim())
    }
    let at = clauses.length
    while (at > 0 && isBetter(clause, clauses[at - 1]!)) at--
    clauses.splice(at, 0, clause)
  }
  return clauses
}

const isBetter = (a: Clause, b: Clause) => a.quality > b.quality || (a.type !== '*' && b.type === '*') || (a.subtype !== '*' && b.subtype === '*')

/** Whether a clause is about a media type. */
export const covers = ({ type, subtype }: Clause, mediaType: string): boolean =>
  type === '*' ? subtype === '*' : `${type}/${subtype}` === mediaType || (subtype === '*' && mediaType.startsWith(`${type}/`))

/** Whether routing finds somebody who makes one of these media types: before what is in an Accept header is weighed, one of its types has to be named. */
export function isRoutable(accept: string | undefined, mediaTypes: readonly string[]): boolean {
  return !accept || accept.split(',').some((range) => ['*/*', ...mediaTypes].includes(range.split(';')[0]!.trim()))
}

function decide(accept: string, use: Use, streams: boolean): Accepted {
  const { routed, cbor } = uses[use]
  const made = cbor ? [...namedTypes, cborType, sequenceType] : namedTypes
  if (routed && !isRoutable(accept, made)) throw notRoutable(streams ? [...namedTypes, ...streamTypes] : namedTypes)
  for (const clause of clausesOf(accept))
    for (const [mediaType, format] of formats) {
      if (!covers(clause, mediaType) || (format === 'cbor' && !cbor)) continue
      const accepted = acceptedBy(clause, format, use)
      if (accepted) return accepted
    }
  throw notAcceptable()
}

/** What a clause asks for in a format; undefined where that is not to be had. */
function acceptedBy({ parameters }: Clause, format: Accepted['format'], use: Use): Accepted | undefined {
  const { shown } = uses[use]
  const stream = parameters.get('stream')
  if (stream !== undefined && (stream !== 'watch' || format === 'yaml')) return undefined
  const served = parameters.get('sv')
  if (served !== undefined && (served !== 'v1' || !shown)) return undefined
  const base = format === 'json' ? json : { ...json, format }
  const pretty = parameters.get('pretty') === '1' ? { pretty: true } : {}
  const [as, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name))
  if (as === undefined && group === undefined && version === undefined) return parameters.has('pretty') ? { ...base, ...pretty } : base
  if (!shown || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  switch (as) {
    case 'Table':
      // has no protobuf form
      return format === 'protobuf' ? undefined : { ...base, as, metaVersion: version, ...pretty }
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return { ...base, as: 'PartialObjectMetadata', metaVersion: version, list: as === 'PartialObjectMetadataList', ...pretty }
    default:
      return undefined
  }
}

export const protobufType = 'application/vnd.kubernetes.protobuf'
export const cborType = 'application/cbor'

/** In the order in which a wildcard chooses. */
const formats: readonly (readonly [mediaType: string, format: Accepted['format']])[] = [
  ['application/json', 'json'],
  ['application/yaml', 'yaml'],
  [protobufType, 'protobuf'],
  [cborType, 'cbor'],
]
const sequenceType = 'application/cbor-seq'
/** What is told to who asks for something else. CBOR is not told: who can read it knows to ask. */
const namedTypes = ['application/json', 'application/yaml', protobufType]
const streamTypes = ['application/json;stream=watch', `${protobufType};stream=watch`]

/** The 406 of routing, in its own words. */
export const notRoutable = (available: readonly string[]): StatusError =>
  failure('NotAcceptable', 406, `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`, {})

const onlyAccepted = (mediaTypes: readonly string[]) => errors.notAcceptable(`only the following media types are accepted: ${mediaTypes.join(', ')}`)

/** The 406 of what was asked for of an object that is there in other forms. */
export const notAcceptable = (): StatusError => onlyAccepted(namedTypes)

/** The 406 of a watch in a format whose events cannot be told apart. */
export const notStreamable = (): StatusError => onlyAccepted(streamTypes)
