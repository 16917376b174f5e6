import type { DeepReadonly, KubeObject } from '#api'
import { equalJson } from '../patch/index.ts'
import { decodeStored, insertedRevision, sameBytes, spliceOffset, spliceRevision } from './wire.ts'

/**
 * One version of one object: its bytes as stored, and, made when first asked for and then kept, its wire form and its
 * parsed form. Shared by everyone who reads; never changed.
 */
export class CacheEntry {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly revision: number
  /** Writing it again, unchanged, is no waste: the store would keep it in another form now. */
  stale = false
  #stored: Uint8Array | undefined
  #wire: Buffer | undefined
  #object: DeepReadonly<KubeObject> | undefined
  #views: Map<string, { object?: unknown; bytes?: Buffer }> | undefined
  #messages: Map<string, Buffer> | undefined

  constructor(key: string, namespace: string, name: string, revision: number, stored: Uint8Array, object?: DeepReadonly<KubeObject>) {
    this.key = key
    this.namespace = namespace
    this.name = name
    this.revision = revision
    this.#stored = stored
    this.#object = object
  }

  /** Bytes of its JSON, with or without the resourceVersion. */
  get size(): number {
    return (this.#wire ?? this.#stored!).length
  }

  /** JSON with resourceVersion. */
  get bytes(): Buffer {
    if (!this.#wire) {
      this.#wire = spliceRevision(this.#stored!, this.revision)
      this.#stored = undefined
    }
    return this.#wire
  }

  get object(): DeepReadonly<KubeObject> {
    return (this.#object ??= this.#stored ? decodeStored(this.#stored, this.revision) : (JSON.parse(this.#wire!.toString()) as KubeObject))
  }

  /**
   * Whether writing `object`, whose stored form is `stored`, would change nothing. The order of fields is nothing: what defaults and admission added to
   * a new object stands behind what it came with, and in its place once it is read again.
   */
  sameAs(stored: Uint8Array, object: DeepReadonly<KubeObject>): boolean {
    if (this.stale || this.#storedLength() !== stored.length) return false
    if (this.#stored && sameBytes(this.#stored, stored)) return true
    return equalJson(unversioned(object), unversioned(this.object))
  }

  #storedLength(): number {
    return this.#stored?.length ?? this.#wire!.length - insertedRevision(this.revision).length
  }

  /** What another served version or a rendering of this entry looks like, kept by name. */
  view(name: string, make: (object: DeepReadonly<KubeObject>) => unknown): { object: unknown; bytes: Buffer } {
    this.#views ??= new Map()
    let view = this.#views.get(name)
    if (!view) this.#views.set(name, (view = {}))
    view.object ??= make(this.object)
    view.bytes ??= Buffer.from(JSON.stringify(typeFirst(view.object as object)))
    return view as { object: unknown; bytes: Buffer }
  }

  /** Its protobuf message in a served version, without an envelope: made when first asked for and then kept. */
  message(apiVersion: string, make: () => Buffer): Buffer {
    let message = this.#messages?.get(apiVersion)
    if (!message) (this.#messages ??= new Map()).set(apiVersion, (message = make()))
    return message
  }

  /** This content with another revision: what a DELETED event shows. */
  at(revision: number): CacheEntry {
    if (revision === this.revision) return this
    const object = this.#object ? { ...this.#object, metadata: { ...this.#object.metadata, resourceVersion: String(revision) } } : undefined
    return new CacheEntry(this.key, this.namespace, this.name, revision, this.#stored ?? unsplice(this.#wire!, this.revision), object)
  }
}

/** Kind and version stand first, where lists leave them out. */
function typeFirst(object: object): object {
  for (const key in object) {
    if (key === 'kind') return object
    break
  }
  const { kind, apiVersion, ...rest } = object as Record<string, unknown>
  return { kind, apiVersion, ...rest }
}

/** Takes the revision out of a wire form again. */
function unsplice(wire: Buffer, revision: number): Buffer {
  const at = spliceOffset(wire)
  return Buffer.concat([wire.subarray(0, at), wire.subarray(at + `"resourceVersion":"${revision}",`.length)])
}

const unversioned = (object: DeepReadonly<KubeObject>) => ({ ...object, metadata: { ...object.metadata, resourceVersion: undefined } })
