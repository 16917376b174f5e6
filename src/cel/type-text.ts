import type { CelType } from './types.ts'

/** How a form of types' texts names what is no type of its own parts. */
interface Words {
  names: Partial<Record<CelType['kind'], string>>
  parameter(name: string): string
}

const atRunTime: Words = {
  names: {
    any: 'google.protobuf.Any',
    duration: 'google.protobuf.Duration',
    error: '*error*',
    null: 'null_type',
    timestamp: 'google.protobuf.Timestamp',
  },
  parameter: (name) => `<${name}>`,
}

const inMessages: Words = { names: { error: '!error!' }, parameter: (name) => name }

/** A type by its names at run time, as cel-go's `Type.String` gives it: `map(string, list(int))`, `google.protobuf.Timestamp`. */
export const printType = (type: CelType): string => textOf(type, atRunTime)

/** A type as messages of the checker have it: as `printType`, but `null`, `any`, `duration`, `timestamp`, and parameters by their names alone. */
export const describeType = (type: CelType): string => textOf(type, inMessages)

/** Whether two types are the same throughout. */
export const sameType = (a: CelType, b: CelType): boolean => a.kind === b.kind && printType(a) === printType(b)

function textOf(type: CelType, words: Words): string {
  const of = (name: string, parameters: readonly CelType[]) =>
    parameters.length > 0 ? `${name}(${parameters.map((parameter) => textOf(parameter, words)).join(', ')})` : name
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
      return words.parameter(type.name)
    default:
      return words.names[type.kind] ?? type.kind
  }
}
