import type protobuf from 'protobufjs/minimal.js'

/** Writes a value as fields of a message that is open. */
export type Encode<T = unknown> = (writer: protobuf.Writer, value: T) => void

export const string =
  (n: number): Encode =>
  (w, v) =>
    w.uint32((n << 3) | 2).string(v as string)
export const bool =
  (n: number): Encode =>
  (w, v) =>
    w.uint32(n << 3).bool(v as boolean)
export const int =
  (n: number): Encode =>
  (w, v) =>
    w.uint32(n << 3).int64(v as number)
export const double =
  (n: number): Encode =>
  (w, v) =>
    w.uint32((n << 3) | 1).double(v as number)
export const message =
  (n: number, encode: Encode): Encode =>
  (w, v) => {
    w.uint32((n << 3) | 2).fork()
    encode(w, v)
    w.ldelim()
  }
export const repeated =
  (encode: Encode): Encode =>
  (w, v) => {
    for (const item of v as unknown[]) encode(w, item)
  }
export const strings = (n: number) => repeated(string(n))
/** A map as gnostic has it: repeated pairs of name and value in field `n`. */
export const named = (n: number, value: Encode): Encode => {
  const pair = message(n, (w, [name, item]: any) => {
    string(1)(w, name)
    value(w, item)
  })
  return (w, v) => {
    for (const entry of Object.entries(v as object)) pair(w, entry)
  }
}
/** Free-form values travel as YAML, and JSON is YAML. */
export const any = (n: number): Encode => message(n, (w, v) => string(2)(w, JSON.stringify(v)))

/** The fields of a message by JSON name; `x-…` keys go to field `extensions`. */
export function fields(table: Record<string, Encode>, extensions: number): Encode {
  const extension = named(extensions, any(2))
  return (w, v) => {
    for (const [key, value] of Object.entries(v as object)) {
      if (key.startsWith('x-')) extension(w, { [key]: value })
      else if (value !== undefined) table[key]?.(w, value)
    }
  }
}
