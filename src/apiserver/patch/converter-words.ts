import type { TypeMismatch } from '#api'

/**
 * How a strategic merge patch is told that a value does not fit its type: what it made is not read as JSON upstream, but by the converter of unstructured
 * objects, which has words of its own (apimachinery, `runtime.DefaultUnstructuredConverter`). Undefined where that converter would take the value.
 */
export function converterWords({ value, type, goType }: TypeMismatch): string | undefined {
  const from = goKind(value)
  switch (type) {
    case 'object':
      return `cannot restore struct from: ${from}`
    case 'map':
      return `cannot restore map from ${from}`
    case 'list':
    case 'bytes':
      return `cannot restore slice from ${from}`
    case 'string':
      // Go has a conversion from integers to texts, and none from other values
      return from === 'int64' ? `cannot convert int64 to ${goType}` : 'unrecognized type: string'
    case 'boolean':
      return 'unrecognized type: bool'
    case 'integer':
      if (from === 'int64') return undefined
      return from === 'float64' ? `cannot convert float64 to ${goType}` : `unrecognized type: ${goType}`
    case 'number':
      return 'unrecognized type: float64'
    default:
      return undefined
  }
}

function goKind(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return Array.isArray(value) ? 'slice' : 'map'
}
