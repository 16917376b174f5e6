/** Values as JSON has them; `undefined` members count as absent. */
export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets a member whatever its name: a plain assignment to `__proto__` would change the prototype. */
export function setMember(object: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}

/** A member of the object itself, never of its prototype. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** A copy that shares nothing with the value; many times as fast as structuredClone. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (let i = 0; i < value.length; i++) items.push(cloneJson(value[i]))
    return items as T
  }
  const copy: JsonObject = {}
  for (const key in value) setMember(copy, key, cloneJson((value as JsonObject)[key]))
  return copy as T
}

export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const x = a as JsonObject
  const y = b as JsonObject
  let members = 0
  for (const key in x) {
    if (x[key] === undefined) continue
    if (!equalJson(x[key], y[key])) return false
    members++
  }
  for (const key in y) if (y[key] !== undefined) members--
  return members === 0
}

/** A value as Go's `%v` prints it, which some messages of the API show: `map[a:1 b:[x y]]`. */
export function goFormat(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goFormat).join(' ')}]`
  if (typeof value === 'object')
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goFormat((value as JsonObject)[key])}`)
      .join(' ')}]`
  return String(value)
}

/** What Go's JSON decoder calls a value. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
