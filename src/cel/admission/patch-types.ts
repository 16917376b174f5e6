import { type CelType, type TypeProvider, types } from '../types.ts'
import { CelError, List, MapValue, type Value } from '../values.ts'
import { ObjectValue } from '../values/collections.ts'

const objectType = 'Object'
const jsonPatchType = 'JSONPatch'

export const applyConfigurationType: CelType = types.object(objectType)
export const jsonPatchesType: CelType = types.list(types.object(jsonPatchType))

/** The value of a literal such as `Object.spec{replicas: 1}`. */
export class PatchObject extends ObjectValue {}

const isObjectType = (name: string) => name === objectType || name.startsWith(`${objectType}.`)

const jsonPatchFields: Readonly<Record<string, CelType>> = { op: types.string, from: types.string, path: types.string, value: types.dyn }

/**
 * Types that are named after the places of fields: `Object.spec.template` is what `spec.template` of any object has. What fields there are is not known here: the
 * kind's schema says so when the patch is applied.
 */
export const patchTypes: TypeProvider = {
  has: (name) => name === jsonPatchType || isObjectType(name),
  field(type, field) {
    if (type === jsonPatchType) return Object.hasOwn(jsonPatchFields, field) ? jsonPatchFields[field] : undefined
    return isObjectType(type) ? types.dyn : undefined
  },
  fields: (type) => (type === jsonPatchType ? Object.keys(jsonPatchFields) : []),
  create(type, fields) {
    if (type === jsonPatchType)
      for (const [name, value] of fields)
        if (name !== 'value' && typeof value !== 'string') return new CelError(`unexpected type for JSONPatchType '${name}' field`)
    return new PatchObject(type, fields)
  },
}

/** Types within a value must be named after their places in it. Answers what is not, a line each; undefined when all is well. */
export function misplacedTypes(value: Value): string | undefined {
  const wrong: string[] = []
  check(value, value instanceof PatchObject ? value.type : objectType, wrong)
  return wrong.length > 0 ? wrong.join('\n') : undefined
}

function check(value: Value, path: string, wrong: string[]): void {
  if (value instanceof PatchObject) {
    if (value.type !== path)
      wrong.push(
        `unexpected type name ${JSON.stringify(value.type)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
      )
    for (const [name, field] of value.fields) check(field, `${path}.${name}`, wrong)
  } else if (value instanceof List) {
    for (let i = 0; i < value.length; i++) check(value.at(i), path, wrong)
  } else if (value instanceof MapValue) {
    for (const key of value.keys()) check(value.get(key) ?? null, path, wrong)
  }
}
