import type { DeepReadonly, KubeObject } from '#api'
import type { Shape } from '../../patch/shape.ts'
import { rootShape } from '../../patch/shape.ts'
import { mergeTyped } from '../../patch/typed.ts'
import { joinTypeErrors, typeErrors } from '../../patch/validate-typed.ts'
import { schemaFor } from '../../registry/decode.ts'

/**
 * Merges a configuration into an object as server-side apply does, without owning anything: fields of the configuration win, items of lists are found by their keys. Throws Error in
 * upstream's words for a configuration that does not fit the kind, or would replace something atomic as a whole.
 */
export function applyConfiguration(object: DeepReadonly<KubeObject>, configuration: object): object {
  const schema = schemaFor(object.apiVersion, object.kind)
  const wrong = typeErrors(schema, configuration)
  if (wrong.length > 0) throw new Error(`error applying patch: failed to convert patch object to typed object: ${joinTypeErrors(wrong)}`)
  const shape = rootShape(schema)
  const atomics = findAtomics(shape, configuration, '')
  if (atomics.length > 0)
    throw new Error(`error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`)
  return mergeTyped(shape, object, configuration) as object
}

/** Who sets some fields of what is replaced as a whole would drop the others without meaning to. */
function findAtomics(shape: Shape, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (shape.kind === 'leaf') return [path]
  if (Array.isArray(value)) return shape.kind === 'keyed' ? value.flatMap((item, i) => findAtomics(shape.items, item, `${path}[${i}]`)) : []
  if (shape.kind !== 'struct') return []
  return Object.entries(value).flatMap(([name, own]) => {
    const field = shape.fields.get(name)
    return field ? findAtomics(field.shape, own, `${path}.${name}`) : []
  })
}
