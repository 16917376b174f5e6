import type { DeepReadonly, core, storage } from '#api'
import { qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import {
  type Causes,
  duplicate,
  forbidden,
  immutable,
  invalid,
  invalidEach,
  optionalOneOf,
  required,
  same,
  tooLong,
} from '../../validation/causes.ts'
import { deprecatedNodeLabel } from '../../validation/node-labels.ts'

export const storageClassStrategy: ResourceStrategy<storage.StorageClass> = {
  default(object) {
    object.reclaimPolicy ??= 'Delete'
    object.volumeBindingMode ??= 'Immediate'
  },
  validate(object) {
    const causes: Causes = []
    validateProvisioner(causes, 'provisioner', object.provisioner)
    validateParameters(causes, object.parameters)
    if (object.reclaimPolicy) optionalOneOf(causes, 'reclaimPolicy', object.reclaimPolicy, ['Delete', 'Retain'])
    if (object.volumeBindingMode === undefined) causes.push(required('volumeBindingMode'))
    else optionalOneOf(causes, 'volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'])
    validateTopologies(causes, object.allowedTopologies)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (!same(object.parameters, old.parameters)) causes.push(forbidden('parameters', 'updates to parameters are forbidden.'))
    if (object.provisioner !== old.provisioner) causes.push(forbidden('provisioner', 'updates to provisioner are forbidden.'))
    if (object.reclaimPolicy !== old.reclaimPolicy) causes.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'))
    immutable(causes, 'volumeBindingMode', object.volumeBindingMode, old.volumeBindingMode)
    return causes
  },
  warnings: ({ allowedTopologies = [] }) =>
    allowedTopologies.flatMap((term, i) =>
      (term.matchLabelExpressions ?? []).flatMap(({ key }, j) => {
        const message = deprecatedNodeLabel(key)
        return message ? [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${message}`] : []
      }),
    ),
}

export const volumeAttributesClassStrategy: ResourceStrategy<storage.VolumeAttributesClass> = {
  validate(object) {
    const causes: Causes = []
    validateProvisioner(causes, 'driverName', object.driverName)
    validateParameters(causes, object.parameters)
    if (Object.keys(object.parameters ?? {}).length === 0) causes.push(required('parameters', 'must contain at least one key/value pair'))
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (object.driverName !== old.driverName) causes.push(forbidden('driverName', 'updates to driverName are forbidden.'))
    if (!same(object.parameters, old.parameters)) causes.push(forbidden('parameters', 'updates to parameters are forbidden.'))
    return causes
  },
}

/** Names of provisioners are compared, and shown, without regard to case. */
function validateProvisioner(causes: Causes, path: string, name: string | undefined): void {
  if (!name) causes.push(required(path))
  else invalidEach(causes, path, name.toLowerCase(), qualifiedName(name.toLowerCase()))
}

const maxParameters = 512
const maxParameterBytes = 256 * 1024

function validateParameters(causes: Causes, parameters: DeepReadonly<Record<string, string>> | undefined): void {
  const entries = Object.entries(parameters ?? {})
  if (entries.length > maxParameters) {
    causes.push(tooLong('parameters', maxParameters))
    return
  }
  let bytes = 0
  for (const [key, value] of entries) {
    if (key === '') causes.push(invalid('parameters', key, 'field can not be empty.'))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > maxParameterBytes) causes.push(tooLong('parameters', maxParameterBytes))
}

function validateTopologies(causes: Causes, terms: DeepReadonly<core.TopologySelectorTerm[]> | undefined): void {
  const seen: string[] = []
  terms?.forEach((term, i) => {
    const at = `allowedTopologies[${i}].matchLabelExpressions`
    const keys = new Map<string, readonly string[]>()
    term.matchLabelExpressions?.forEach(({ key, values }, j) => {
      if (!values?.length) causes.push(required(`${at}[${j}].values`))
      values?.forEach((value, k) => {
        if (values.indexOf(value) < k) causes.push(duplicate(`${at}[${j}].values[${k}]`, value))
      })
      invalidEach(causes, `${at}[${j}].key`, key, qualifiedName(key))
      if (keys.has(key)) causes.push(duplicate(`${at}[${j}].key`, key))
      keys.set(key, [...(values ?? [])].sort())
    })
    const text = JSON.stringify([...keys].sort())
    if (keys.size === 0 || seen.includes(text)) causes.push(duplicate(at, ''))
    seen.push(text)
  })
}
