import { type KnownSizes, estimateCost } from './cost-estimate.ts'
import type { Environment, Program } from './environment.ts'
import { kubernetesEnvironment } from './kubernetes.ts'
import { kubernetesLibraries, quantityType } from './libraries/index.ts'
import { standardLibrary } from './libraries/standard.ts'
import type { Overload } from './library.ts'
import { bindMacros } from './macros.ts'
import { type CelType, type TypeProvider, types } from './types.ts'

const { string } = types
const deviceType = 'kubernetes.DRADevice'

/** Attributes and amounts are found by the domain of their names, then by what is behind it. */
const fields: Readonly<Record<string, CelType>> = {
  driver: string,
  attributes: types.map(string, types.map(string, types.any)),
  capacity: types.map(string, types.map(string, quantityType)),
  allowMultipleAllocations: types.bool,
}

const deviceTypes: TypeProvider = {
  has: (name) => name === deviceType,
  field: (type, field) => (type === deviceType && Object.hasOwn(fields, field) ? fields[field] : undefined),
  fields: (type) => (type === deviceType ? Object.keys(fields) : []),
}

const bindings = { name: 'cel.lib.ext.cel.bindings', macros: [...bindMacros] }
let made: Environment | undefined

/** Of expressions that select devices (`resource.k8s.io`, upstream's dynamic-resource-allocation/cel): they know `device`. */
export const deviceEnvironment = (): Environment =>
  (made ??= kubernetesEnvironment({ libraries: [bindings], variables: { device: types.object(deviceType) }, types: deviceTypes }))

/** What one evaluation of a selector may cost. */
export const mostOfDeviceSelector = 1_000_000

/** As many elements, or characters, as the API's limits on devices let there be. */
interface Sized {
  most: bigint
  key?: Sized
  value?: Sized
  fields?: Readonly<Record<string, Sized>>
}

const attribute: Sized = { most: 64n }
const mapOf = (key: Sized, value?: Sized): Sized => ({ most: 32n, key, ...(value ? { value } : {}) })
const [domain, id]: [Sized, Sized] = [{ most: 63n }, { most: 32n }]

const device: Sized = {
  most: 1n,
  fields: { driver: { most: 63n }, attributes: mapOf(domain, mapOf(id, attribute)), capacity: mapOf(domain, mapOf(id)) },
}

const sizes: KnownSizes = (path) => {
  if (path?.[0] !== 'device') return undefined
  let at: Sized | undefined = device
  for (const step of path.slice(1)) {
    if (!at) return undefined
    if (step === '@values' || step === '@items') at = at.value
    else if (step === '@keys') at = at.key
    // all attributes may be as long, whatever their names
    else at = at.fields?.[step] ?? (at.value === attribute ? attribute : undefined)
  }
  return at && { min: 0n, max: at.most }
}

let functions: ReadonlyMap<string, readonly Overload[]> | undefined

/** The most that an evaluation of a selector can cost. */
export function costOfDeviceSelector({ checked }: Program): bigint {
  functions ??= overloadsByName()
  return estimateCost(checked, { functions, sizes }).max
}

function overloadsByName(): Map<string, Overload[]> {
  const found = new Map<string, Overload[]>()
  for (const library of [standardLibrary, ...kubernetesLibraries])
    for (const [name, overloads] of Object.entries(library.functions ?? {})) found.set(name, [...(found.get(name) ?? []), ...overloads])
  return found
}
