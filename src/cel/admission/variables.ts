import { type CelType, type TypeProvider, types } from '../types.ts'

export const variablesType = 'kubernetes.variables'

/** The variables of a policy so far, as fields of the type of `variables`. */
export interface VariableTypes extends TypeProvider {
  add(name: string, type: CelType | undefined): void
}

export function variableTypes(): VariableTypes {
  const fields = new Map<string, CelType>()
  return {
    add: (name, type) => void fields.set(name, variableType(type)),
    has: (name) => name === variablesType,
    field: (type, field) => (type === variablesType ? fields.get(field) : undefined),
    fields: (type) => (type === variablesType ? [...fields.keys()] : []),
  }
}

/** The type that a variable has in the expressions after it: what is neither simple nor made of simple types is not followed. */
function variableType(type: CelType | undefined): CelType {
  if (!type) return types.dyn
  switch (type.kind) {
    case 'list':
      return types.list(variableType(type.element))
    case 'map':
      return types.map(variableType(type.key), variableType(type.value))
    case 'any':
    case 'bool':
    case 'bytes':
    case 'double':
    case 'duration':
    case 'int':
    case 'null':
    case 'string':
    case 'timestamp':
    case 'uint':
      return type
    default:
      return types.dyn
  }
}
