import type { DeepReadonly, core } from '#api'
import { configMapKey, dns1123Label, dns1123Subdomain, qualifiedName } from '#api'
import { type Causes, invalid, invalidEach, notFound, notSupported, required } from '../causes.ts'
import { relaxedEnvVarName } from '../names.ts'
import { isZeroQuantity, quantityText } from '../quantities.ts'
import { forEveryContainer } from './every-container.ts'
import { validateNoBacksteps } from './paths.ts'

const envFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const volumeFieldPaths = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
// What the API can convert at all: anything else is a malformed path rather than an unsupported one.
const knownFieldPaths = new Set([...envFieldPaths, ...volumeFieldPaths, 'spec.restartPolicy', 'spec.schedulerName', 'spec.host', 'status.phase'])

const resourceFields = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']
const sizes = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei'
const sizeDivisors = sizes.split(', ')
const subscripted = /^(.*)\['(.*)'\]$/

export function validateEnv(causes: Causes, path: string, env: DeepReadonly<core.EnvVar[]> | undefined): void {
  if (!env) return
  for (let i = 0; i < env.length; i++) {
    const variable = env[i]!
    if (!variable.name) causes.push(required(`${path}[${i}].name`))
    else invalidEach(causes, `${path}[${i}].name`, variable.name, relaxedEnvVarName(variable.name))
    if (variable.valueFrom) validateValueFrom(causes, `${path}[${i}].valueFrom`, variable)
  }
}

function validateValueFrom(causes: Causes, path: string, variable: DeepReadonly<core.EnvVar>): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = variable.valueFrom!
  let sources = 0
  if (fieldRef) {
    sources++
    validateFieldRef(causes, `${path}.fieldRef`, fieldRef, envFieldPaths)
  }
  if (resourceFieldRef) {
    sources++
    validateResourceFieldRef(causes, `${path}.resourceFieldRef`, resourceFieldRef, false)
  }
  if (configMapKeyRef) {
    sources++
    validateKeyRef(causes, `${path}.configMapKeyRef`, configMapKeyRef)
  }
  if (secretKeyRef) {
    sources++
    validateKeyRef(causes, `${path}.secretKeyRef`, secretKeyRef)
  }
  if (fileKeyRef) {
    sources++
    validateFileKeyRef(causes, `${path}.fileKeyRef`, fileKeyRef)
  }
  if (sources === 0)
    causes.push(invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'))
  else if (variable.value) causes.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  else if (sources > 1) causes.push(invalid(path, '', 'may not have more than one field specified at a time'))
}

function validateFileKeyRef(causes: Causes, path: string, { key, volumeName, path: file }: DeepReadonly<core.FileKeySelector>): void {
  if (!key) causes.push(required(`${path}.key`))
  else invalidEach(causes, `${path}.key`, key, relaxedEnvVarName(key))
  if (!volumeName) causes.push(required(`${path}.volumeName`))
  else invalidEach(causes, `${path}.volumeName`, volumeName, dns1123Label(volumeName))
  if (!file) causes.push(required(`${path}.path`))
  else validateNoBacksteps(causes, `${path}.path`, file)
}

/** Variables that come from files want a volume which containers can write to and nobody else fills. */
export function validateFileKeyVolumes(causes: Causes, path: string, spec: DeepReadonly<core.PodSpec>): void {
  forEveryContainer(spec, path, ({ env }, at) =>
    env?.forEach(({ valueFrom }, i) => {
      if (!valueFrom?.fileKeyRef) return
      const { volumeName = '' } = valueFrom.fileKeyRef
      const field = `${at}.env[${i}].valueFrom.fileKeyRef.volumeName`
      const volume = spec.volumes?.findLast(({ name }) => name === volumeName)
      if (!volume) causes.push(notFound(field, volumeName))
      else if (!volume.emptyDir) causes.push(invalid(field, volumeName, 'referenced volume must be of type emptyDir'))
    }),
  )
}

function validateKeyRef(causes: Causes, path: string, ref: DeepReadonly<{ name?: string; key: string }>): void {
  invalidEach(causes, `${path}.name`, ref.name ?? '', dns1123Subdomain(ref.name ?? ''))
  if (!ref.key) causes.push(required(`${path}.key`))
  else invalidEach(causes, `${path}.key`, ref.key, configMapKey(ref.key))
}

export function validateDownwardFieldRef(causes: Causes, path: string, ref: DeepReadonly<core.ObjectFieldSelector>): void {
  validateFieldRef(causes, path, ref, volumeFieldPaths)
}

function validateFieldRef(causes: Causes, path: string, ref: DeepReadonly<core.ObjectFieldSelector>, supported: readonly string[]): void {
  if (!ref.apiVersion) {
    causes.push(required(`${path}.apiVersion`))
    return
  }
  if (!ref.fieldPath) {
    causes.push(required(`${path}.fieldPath`))
    return
  }
  const wrong = conversionProblem(ref.apiVersion, ref.fieldPath)
  if (wrong) {
    causes.push(invalid(`${path}.fieldPath`, ref.fieldPath, `error converting fieldPath: ${wrong}`))
    return
  }
  const [, map, key] = subscripted.exec(ref.fieldPath) ?? []
  if (key !== undefined) {
    invalidEach(
      causes,
      path,
      map === 'metadata.annotations' ? key.toLowerCase() : key,
      qualifiedName(map === 'metadata.annotations' ? key.toLowerCase() : key),
    )
    return
  }
  const field = ref.fieldPath === 'spec.host' ? 'spec.nodeName' : ref.fieldPath
  if (!supported.includes(field)) causes.push(notSupported(`${path}.fieldPath`, field, supported))
}

/** Why a field path means nothing in this version of the API. */
function conversionProblem(apiVersion: string, fieldPath: string): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`
  const map = subscripted.exec(fieldPath)?.[1]
  if (map === undefined) return knownFieldPaths.has(fieldPath) ? undefined : `field label not supported: ${fieldPath}`
  return map === 'metadata.annotations' || map === 'metadata.labels' ? undefined : `field label does not support subscript: ${fieldPath}`
}

export function validateResourceFieldRef(causes: Causes, path: string, ref: DeepReadonly<core.ResourceFieldSelector>, inVolume: boolean): void {
  if (inVolume && !ref.containerName) causes.push(required(`${path}.containerName`))
  else if (!ref.resource) causes.push(required(`${path}.resource`))
  else if (!resourceFields.includes(ref.resource) && !/^(limits|requests)\.hugepages-/.test(ref.resource))
    causes.push(notSupported(`${path}.resource`, ref.resource, resourceFields))
  if (ref.divisor && ref.divisor !== '0' && !isZeroQuantity(ref.divisor)) validateDivisor(causes, `${path}.divisor`, ref.resource ?? '', ref.divisor)
}

/** What each resource may be divided by, and what messages call it. */
const divisible: [resource: RegExp, name: string, divisors: readonly string[], listed: string][] = [
  [/^(limits|requests)\.cpu$/, 'cpu', ['1m', '1'], '1m and 1'],
  [/^(limits|requests)\.memory$/, 'memory', sizeDivisors, sizes],
  [/^(limits|requests)\.ephemeral-storage$/, 'local ephemeral storage', sizeDivisors, sizes],
  [/^(limits|requests)\.hugepages-/, 'hugepages', sizeDivisors, sizes],
]

function validateDivisor(causes: Causes, path: string, field: string, divisor: string): void {
  const found = divisible.find(([resource]) => resource.test(field))
  if (!found) return
  const [, name, divisors, listed] = found
  if (!divisors.includes(quantityText(divisor)))
    causes.push(invalid(path, field, `only divisor's values ${listed} are supported with the ${name} resource`))
}

export function validateEnvFrom(causes: Causes, path: string, sources: DeepReadonly<core.EnvFromSource[]> | undefined): void {
  sources?.forEach((source, i) => {
    const at = `${path}[${i}]`
    if (source.prefix) invalidEach(causes, `${at}.prefix`, source.prefix, relaxedEnvVarName(source.prefix))
    const { configMapRef, secretRef } = source
    if (configMapRef) validateSourceName(causes, `${at}.configMapRef.name`, configMapRef.name)
    if (secretRef) validateSourceName(causes, `${at}.secretRef.name`, secretRef.name)
    if (configMapRef && secretRef) causes.push(invalid(path, '', 'may not have more than one field specified at a time'))
    if (!configMapRef && !secretRef) causes.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
  })
}

function validateSourceName(causes: Causes, path: string, name: string | undefined): void {
  if (!name) causes.push(required(path))
  // upstream lets a name end with a dash here, as if it were the prefix of one
  else invalidEach(causes, path, name, dns1123Subdomain(name.length > 1 && name.endsWith('-') ? `${name.slice(0, -1)}a` : name))
}
