import type { CelType } from './types.ts'

const names: Partial<Record<CelType['kind'], string>> = {
  any: 'google.protobuf.Any',
  duration: 'google.protobuf.Duration',
  error: '*error*',
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
}

/** A type by its names at run time, as cel-go's `Type.String` gives it: `map(string, list(int))`, `google.protobuf.Timestamp`. */
export function printType(type: CelType): string {
  const of = (name: string, parameters: readonly CelType[]) => (parameters.length > 0 ? `${name}(${parameters.map(printType).join(', ')})` : name)
  switch (type.kind) {
    case 'list':
      return of('list', [type.element])
    case 'map':
      return of('map', [type.key, type.value])
    case 'wrapper':
      return of('wrapper', [type.of])
    case 'opaque':
      return of(type.name, type.parameters)
    case 'type':
      return of('type', type.of ? [type.of] : [])
    case 'object':
      return type.name
    case 'parameter':
      return `<${type.name}>`
    default:
      return names[type.kind] ?? type.kind
  }
}

/** Whether two types are the same throughout. */
export const sameType = (a: CelType, b: CelType): boolean => a.kind === b.kind && printType(a) === printType(b)

const described: Partial<Record<CelType['kind'], string>> = { error: '!error!' }

/** A type as messages of the checker have it: as `printType`, but `null`, `any`, `duration`, `timestamp`, and parameters by their names alone. */
export function describeType(type: CelType): string {
  const of = (name: string, parameters: readonly CelType[]) => (parameters.length > 0 ? `${name}(${parameters.map(describeType).join(', ')})` : name)
  switch (type.kind) {
    case 'list':
      return of('list', [type.element])
    case 'map':
      return of('map', [type.key, type.value])
    case 'wrapper':
      return of('wrapper', [type.of])
    case 'opaque':
      return of(type.name, type.parameters)
    case 'type':
      return of('type', type.of ? [type.of] : [])
    case 'object':
    case 'parameter':
      return type.name
    default:
      return described[type.kind] ?? type.kind
  }
}
