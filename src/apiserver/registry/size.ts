import { errors } from '#api'

/**
 * What an object may take, in characters of its JSON and of the notes about who manages which of its fields. Upstream's bound is etcd's: 1.5 MiB of protobuf, in which
 * the same object takes half as much or less. It is held before anything that costs more than reading it.
 */
const mostOfObject = 4 * 1024 * 1024
/** What a field adds beside its name and value: `"":` and, where somebody manages it, `"f:":{},`; and the time that fields cost wherever they are copied. */
const ofField = 24
/** Maps and lists beyond so many keys cost more for each: in time and memory where they are merged, and for everybody who manages some of them. */
const ordinaryMap = 1000
const ofKeyInLargeMap = 64
/** What notes about fields that a client sends back may take; those that this server makes are as large as its objects have fields. */
const mostOfNotes = 2.5 * 1024 * 1024
/** Values that came in fewer bytes are not looked at before they have their defaults. */
const smallBody = 256 * 1024

/** Throws RequestEntityTooLarge for a body that is more than an object can be. */
export function checkBody(body: unknown, value: unknown): void {
  if (!(body instanceof Uint8Array) || body.length <= smallBody) return
  checkSize(value)
  const notes = (value as { metadata?: { managedFields?: unknown } | null } | null)?.metadata?.managedFields
  if (sizeOf(notes, mostOfNotes) > mostOfNotes) throw errors.tooLarge('Request entity too large: metadata.managedFields has too many fields')
}

/** Throws RequestEntityTooLarge for an object that no store of upstream would take. */
export function checkSize(object: unknown): void {
  if (sizeOf(object, mostOfObject) > mostOfObject)
    throw errors.tooLarge(`Request entity too large: an object may take ${mostOfObject} bytes, with what is noted of its fields`)
}

/** Stops counting beyond `limit`. */
function sizeOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 5
  let size = 2
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && size <= limit; i++) size += sizeOf(value[i], limit - size) + (i < ordinaryMap ? 1 : ofKeyInLargeMap)
    return size
  }
  let keys = 0
  for (const key in value) {
    if (++keys > ordinaryMap) size += ofKeyInLargeMap
    size += key === 'managedFields' ? 0 : 2 * key.length + ofField + sizeOf((value as Record<string, unknown>)[key], limit - size)
    if (size > limit) break
  }
  return size
}
