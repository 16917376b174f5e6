import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { apiVersionOf, kinds, parseApiVersion } from '#api'
import { isSame } from '../discovery/handler.ts'
import { clausesOf, covers } from '../http/negotiate.ts'
import type { CustomResourceSchema } from './custom.ts'
import type { Describe } from './descriptions.ts'
import { installedDescriptions } from './descriptions.ts'
import type { DocumentOptions } from './document.ts'
import { documentV2, documentV3 } from './document.ts'
import { encodeDocument } from './protobuf.ts'
import { encodeDocumentV3 } from './protobuf-v3.ts'

export interface OpenApiAnswer {
  status: 200 | 301 | 304 | 406
  headers: Record<string, string>
  bytes: Uint8Array
}

export interface OpenApiOptions {
  /** e.g. `v1.36.0`; the same for all calls. */
  gitVersion: string
  ifNoneMatch?: string
  acceptEncoding?: string
  /** The `hash` of the request's query, for `/openapi/v3/…`. */
  hash?: string
  /** Wall time, milliseconds. */
  now?: number
  /** Replaces the descriptions of the installed dependency. */
  describe?: Describe
}

const protobufTypes = ['com.github.proto-openapi.spec.v2@v1.0+protobuf', 'com.github.proto-openapi.spec.v2.v1.0+protobuf']
const v3Types = {
  json: 'application/json',
  protobuf: 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf',
  // what clients ask for; its name is no media type, and not answered
  'old protobuf': 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf',
}
const year = 365 * 24 * 3600 * 1000

/**
 * Answers `/openapi/v2` and `/openapi/v3/api/v1`, `/openapi/v3/apis/<group>/<version>` (JSON or protobuf), and their index `/openapi/v3`;
 * undefined for other paths. Documents are built when first asked for and kept for as long as the array of custom
 * resources is the same one.
 */
export function openapiHandler(
  path: string,
  accept: string | undefined,
  custom: readonly CustomResourceSchema[],
  options: OpenApiOptions,
): OpenApiAnswer | undefined {
  const view = viewOf(custom, options)
  if (path === '/openapi/v2' || path === '/openapi/v2/') {
    const form = formOf(accept)
    if (form === undefined) return { status: 406, headers: { vary: 'Accept' }, bytes: new Uint8Array() }
    return respond(view.v2(form), { vary: 'Accept, Accept-Encoding' }, options)
  }
  if (path === '/openapi/v3' || path === '/openapi/v3/') return respond(view.index(), { vary: 'Accept-Encoding' }, options)
  if (!path.startsWith('/openapi/v3/')) return undefined
  const name = path.slice('/openapi/v3/'.length)
  const hash = view.hashes().get(name)
  if (hash === undefined) return undefined
  const form = formOfV3(accept)
  if (form === undefined) return { status: 406, headers: { vary: 'Accept' }, bytes: new Uint8Array() }
  // A client that names a hash may keep the document for good; one with an old hash is sent to the new one.
  if (options.hash && options.hash !== hash)
    return {
      status: 301,
      headers: { location: urlOf(name, hash), 'content-type': v3Types[form], etag: `"${hash}"`, vary: 'Accept' },
      bytes: new Uint8Array(),
    }
  const caching: Record<string, string> = options.hash ? { 'cache-control': 'public, immutable' } : {}
  if (options.hash && options.now !== undefined) caching['expires'] = new Date(options.now + year).toUTCString()
  return respond(view.v3(name, hash, form), { vary: 'Accept, Accept-Encoding', ...caching }, options)
}

interface Document {
  contentType: string
  etag: string
  bytes: Uint8Array
  /** Compressed when a client first takes it so. */
  gzip?: Uint8Array
}

interface View {
  v2(form: 'json' | 'protobuf'): Document
  v3(name: string, hash: string, form: 'json' | 'protobuf'): Document
  index(): Document
  hashes(): ReadonlyMap<string, string>
}

const views = new WeakMap<readonly CustomResourceSchema[], View>()

function viewOf(custom: readonly CustomResourceSchema[], options: OpenApiOptions): View {
  const known = views.get(custom)
  if (known) return known
  const made = new Map<string, Document>()
  const memo = (key: string, make: () => Document) => {
    const document = made.get(key) ?? make()
    made.set(key, document)
    return document
  }
  const building = (): DocumentOptions => ({ gitVersion: options.gitVersion, describe: options.describe ?? installedDescriptions() })
  let hashes: Map<string, string> | undefined
  const view: View = {
    v2: (form) =>
      memo(`v2 ${form}`, () => {
        const document = documentV2(custom, building())
        return form === 'json'
          ? documentOf('application/json', Buffer.from(JSON.stringify(document)))
          : documentOf(`application/${protobufTypes[1]}`, encodeDocument(document))
      }),
    v3: (name, hash, form) =>
      memo(`${name} ${form}`, () => {
        const document = documentV3(parseApiVersion(name.replace(/^apis?\//, '')), custom, building())
        const bytes = form === 'json' ? Buffer.from(JSON.stringify(document)) : encodeDocumentV3(document)
        return documentOf(v3Types[form], bytes, `"${hash}"`)
      }),
    index: () =>
      memo('index', () => {
        const paths = Object.fromEntries([...view.hashes()].map(([name, hash]) => [name, { serverRelativeURL: urlOf(name, hash) }]))
        return documentOf('application/json', Buffer.from(JSON.stringify({ paths })))
      }),
    hashes: () => (hashes ??= hashesOf(custom, options)),
  }
  views.set(custom, view)
  return view
}

const urlOf = (name: string, hash: string) => `/openapi/v3/${name}?hash=${hash}`

function documentOf(contentType: string, bytes: Uint8Array, etag?: string): Document {
  return { contentType, bytes, etag: etag ?? `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` }
}

function respond(document: Document, headers: Record<string, string>, options: OpenApiOptions): OpenApiAnswer {
  const common = { 'content-type': document.contentType, etag: document.etag, ...headers }
  if (isSame(options.ifNoneMatch, document.etag)) return { status: 304, headers: common, bytes: new Uint8Array() }
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(options.acceptEncoding ?? '')) return { status: 200, headers: common, bytes: document.bytes }
  document.gzip ??= gzipSync(document.bytes, { level: 4 })
  return { status: 200, headers: { ...common, 'content-encoding': 'gzip' }, bytes: document.gzip }
}

function formOfV3(accept: string | undefined): 'json' | 'protobuf' | undefined {
  for (const clause of clausesOf(accept || '*/*'))
    for (const [form, type] of Object.entries(v3Types)) if (covers(clause, type)) return form === 'json' ? 'json' : 'protobuf'
  return undefined
}

/** The form of the range with the highest q-value; of the first of them where several have it. */
function formOf(accept: string | undefined): 'json' | 'protobuf' | undefined {
  let best: { form: 'json' | 'protobuf'; q: number } | undefined
  for (const range of (accept || '*/*').split(',')) {
    const [mediaType = '', ...parameters] = range.split(';').map((part) => part.trim())
    const [type, subtype] = mediaType.split('/')
    if ((type !== 'application' && type !== '*') || subtype === undefined) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    const q = weight === undefined ? 1 : Number(weight.slice(2)) || 0
    const form = subtype === 'json' || subtype === '*' ? 'json' : protobufTypes.includes(subtype) ? 'protobuf' : undefined
    if (form && q > (best?.q ?? 0)) best = { form, q }
  }
  return best?.form
}

/**
 * What the documents of each group and version are made of, in hashes: the index lists them all, and building them all
 * for that would cost a client's first request a good part of a second.
 */
function hashesOf(custom: readonly CustomResourceSchema[], options: OpenApiOptions): Map<string, string> {
  const base = createHash('sha512').update(options.gitVersion).update(sourceDigest())
  const hashes = new Map<string, string>()
  for (const apiVersion of new Set([...kinds, ...custom].map(apiVersionOf))) {
    const name = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`
    const hash = base.copy().update(name)
    for (const crd of custom) if (apiVersionOf(crd) === apiVersion) hash.update(JSON.stringify(crd))
    hashes.set(name, hash.digest('hex').toUpperCase())
  }
  return hashes
}

let digest: string | undefined

// The facts and the code that turns them into documents: all that a built-in group's document depends on.
function sourceDigest(): string {
  if (digest !== undefined) return digest
  const hash = createHash('sha512')
  for (const directory of [join(import.meta.dirname, '../../api/facts'), import.meta.dirname])
    for (const file of readdirSync(directory).toSorted()) if (!file.includes('.test.')) hash.update(readFileSync(join(directory, file)))
  digest = hash.digest('hex')
  return digest
}
