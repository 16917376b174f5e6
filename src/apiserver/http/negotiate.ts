import type { StatusError } from '#api'
import { errors, failure } from '#api'

/** What a client accepts, decided once per Accept header. */
export interface Accepted {
  format: 'json' | 'yaml' | 'protobuf'
  /** Objects as they are, as a table for printing, or their metadata alone. */
  as: 'object' | 'Table' | 'PartialObjectMetadata'
  /** The version of meta.k8s.io that a Table or PartialObjectMetadata is wanted in. */
  metaVersion: 'v1' | 'v1beta1'
  /** Of PartialObjectMetadata: the list's form was asked for. */
  list?: boolean
}

const json: Accepted = { format: 'json', as: 'object', metaVersion: 'v1' }

const decided = new Map<string, Accepted>()
const decidedLimit = 500

/** Picks the first acceptable form by quality, then by order. Throws NotAcceptable (406). */
export function negotiate(accept: string | undefined): Accepted {
  if (!accept || accept === 'application/json' || accept === '*/*') return json
  let accepted = decided.get(accept)
  if (!accepted) {
    accepted = decide(accept)
    if (decided.size >= decidedLimit) decided.clear()
    decided.set(accept, accepted)
  }
  return accepted
}

interface Clause {
  type: string
  quality: number
  parameters: Map<string, string>
}

function decide(accept: string): Accepted {
  const clauses: Clause[] = accept.split(',').map((text) => {
    const [type, ...parameters] = text.split(';').map((part) => part.trim())
    const map = new Map(parameters.map((p): [string, string] => [p.slice(0, p.indexOf('=')).toLowerCase(), p.slice(p.indexOf('=') + 1)]))
    const quality = Number(map.get('q') ?? 1)
    return { type: type!.toLowerCase(), quality: Number.isNaN(quality) ? 0 : quality, parameters: map }
  })
  clauses.sort((a, b) => b.quality - a.quality)
  let known = false
  for (const { type, quality, parameters } of clauses) {
    if (quality === 0) continue
    const format = formatOf(type)
    if (!format) continue
    known = true
    const as = parameters.get('as')
    if (as === undefined) return format === 'json' ? json : { ...json, format }
    const version = parameters.get('v')
    const kind = as === 'PartialObjectMetadataList' ? 'PartialObjectMetadata' : as
    if ((parameters.get('g') ?? 'meta.k8s.io') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
    if (kind === 'Table' || kind === 'PartialObjectMetadata') {
      // a table has no protobuf form
      if (format === 'protobuf' && kind === 'Table') continue
      return { format, as: kind, metaVersion: version, list: as === 'PartialObjectMetadataList' }
    }
  }
  throw known ? notAcceptable() : failure('NotAcceptable', 406, '406: Not Acceptable', {})
}

/** The 406 that names what is served. */
export const notAcceptable = (): StatusError =>
  errors.notAcceptable(`only the following media types are accepted: application/json, application/yaml, ${protobufType}`)

export const protobufType = 'application/vnd.kubernetes.protobuf'

function formatOf(type: string): Accepted['format'] | undefined {
  switch (type) {
    case 'application/json':
    case '*/*':
      return 'json'
    case 'application/yaml':
    case 'application/x-yaml':
    case 'text/yaml':
      return 'yaml'
    case protobufType:
      return 'protobuf'
    default:
      return undefined
  }
}
