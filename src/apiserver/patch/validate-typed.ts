import type { ListSchema, ObjectSchema, Schema } from '#api'
import { printElement } from './field-set.ts'
import { goFormat, isObject } from './json-value.ts'
import { itemElement, shapeOf, valueElement } from './shape.ts'

/**
 * What is wrong with an applied configuration by its schema, worded as upstream's typed values word it: unknown fields, values of the
 * wrong kind, list items that name no key or the same one twice; the first thousand. Empty when nothing is.
 */
export function typeErrors(schema: ObjectSchema | undefined, value: unknown): string[] {
  const found: string[] = []
  if (schema) check(schema, value, '', found)
  return found
}

/** No more are told: each names its place. */
const mostErrors = 1000

/** The message of one or several errors. */
export const joinTypeErrors = (found: string[]) => (found.length === 1 ? found[0]! : ['errors:', ...found.map((e) => `  ${e}`)].join('\n'))

function check(schema: Schema, value: unknown, path: string, found: string[]): void {
  const wrong = (message: string) => found.push(path === '' ? message : `${path}: ${message}`)
  if (value === null || value === undefined || found.length >= mostErrors) return
  switch (schema.type) {
    case 'object':
    case 'map':
      if (!isObject(value)) return void wrong(`expected map, got ${shown(value)}`)
      for (const key of Object.keys(value)) {
        const own = schema.type === 'map' ? schema.values : schema.fields.get(key)?.schema
        if (own) check(own, value[key], `${path}.${key}`, found)
        else found.push(`${path}.${key}: field not declared in schema`)
      }
      return
    case 'list':
      if (!Array.isArray(value)) return void wrong(`expected list, got ${shown(value)}`)
      return checkItems(schema, value, path, found)
    case 'string':
    case 'time':
    case 'microTime':
    case 'duration':
    case 'bytes':
      if (typeof value !== 'string') wrong(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`)
      return
    case 'integer':
    case 'number':
      if (typeof value !== 'number') wrong(`expected numeric (int or float), got ${goType(value)}`)
      return
    case 'boolean':
      if (typeof value !== 'boolean') wrong(`expected boolean, got ${shown(value)}`)
      return
    case 'quantity':
    case 'intOrString':
      if (typeof value === 'object') wrong(`expected any scalar, got ${shown(value)}`)
      return
    case 'any':
  }
}

function checkItems(schema: ListSchema, items: unknown[], path: string, found: string[]): void {
  const seen = new Set<string>()
  const shape = shapeOf(schema)
  for (const [i, item] of items.entries()) {
    let element = `i:${i}`
    if (shape.kind === 'keyed') {
      if (item === null) return void found.push(at(path, `element ${i}: associative list with keys may not have a null element`))
      if (!isObject(item)) return void found.push(at(path, `element ${i}: associative list with keys may not have non-map elements`))
      const missing = shape.keys.every(({ name, default: value }) => item[name] === undefined && value === undefined)
      if (missing)
        return void found.push(
          at(
            path,
            `element ${i}: associative list with keys has an element that omits all key fields [${shape.keys.map(({ name }) => JSON.stringify(name)).join(' ')}] (and doesn't have default values for any key fields)`,
          ),
        )
      element = itemElement(shape, item)
    } else if (shape.kind === 'set') {
      if (item === null) return void found.push(at(path, `element ${i}: associative list without keys has an element that's an explicit null`))
      element = valueElement(item)
    }
    if (seen.has(element)) found.push(at(path, `duplicate entries for key ${printElement(element)}`))
    seen.add(element)
    check(schema.items, item, path + printElement(element), found)
  }
}

const at = (path: string, message: string) => (path === '' ? message : `${path}: ${message}`)

// upstream prints its wrapper of the value, in one form of Go's in some messages and in another in others
const shown = (value: unknown) => `&{${goFormat(value)}}`

function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (isObject(value))
    return `map[string]interface {}{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`)
      .join(', ')}}`
  return value === null || value === undefined ? 'interface {}(nil)' : JSON.stringify(value)
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  return isObject(value) ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : typeof value
}
