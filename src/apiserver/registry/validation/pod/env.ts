import type { DeepReadonly, core } from '#api'
import { configMapKey, dns1123Subdomain, qualifiedName } from '#api'
import { type Causes, invalid, invalidEach, notSupported, required } from '../causes.ts'
import { relaxedEnvVarName } from '../names.ts'
import { compareQuantities } from '../quantities.ts'

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
const knownFieldPaths = new Set([...envFieldPaths, ...volumeFieldPaths, 'spec.restartPolicy', 'spec.schedulerName', 'status.phase'])

const resourceFields = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']
const sizeDivisors = ['0', '1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
const subscript = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/

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
  if (fileKeyRef) sources++
  if (variable.value) {
    if (sources > 0) causes.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  } else if (sources > 1) causes.push(invalid(path, '', 'may not have more than one field specified at a time'))
  if (sources === 0) causes.push(invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'))
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
  const parts = subscript.exec(ref.fieldPath)
  if (parts) {
    const [, map, key] = parts
    const messages = map === 'metadata.annotations' ? qualifiedName(key!.toLowerCase()) : qualifiedName(key!)
    invalidEach(causes, path, key, messages)
    return
  }
  if (!knownFieldPaths.has(ref.fieldPath))
    causes.push(invalid(`${path}.fieldPath`, ref.fieldPath, `error converting fieldPath: field label not supported: ${ref.fieldPath}`))
  else if (!supported.includes(ref.fieldPath)) causes.push(notSupported(`${path}.fieldPath`, ref.fieldPath, supported))
}

export function validateResourceFieldRef(causes: Causes, path: string, ref: DeepReadonly<core.ResourceFieldSelector>, inVolume: boolean): void {
  if (inVolume && !ref.containerName) causes.push(required(`${path}.containerName`))
  else if (!ref.resource) causes.push(required(`${path}.resource`))
  else if (!resourceFields.includes(ref.resource) && !/^(limits|requests)\.hugepages-/.test(ref.resource))
    causes.push(notSupported(`${path}.resource`, ref.resource, resourceFields))
  else if (ref.divisor && ref.divisor !== '0') validateDivisor(causes, `${path}.divisor`, ref.resource, ref.divisor)
}

function validateDivisor(causes: Causes, path: string, field: string, divisor: string): void {
  const resource = field.slice(field.indexOf('.') + 1)
  const allowed = resource === 'cpu' ? ['1m', '1'] : sizeDivisors
  if (allowed.some((one) => compareQuantities(one, divisor) === 0)) return
  const names = resource === 'cpu' ? '1m and 1' : '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei'
  const what =
    resource === 'cpu' ? 'cpu' : resource === 'memory' ? 'memory' : resource.startsWith('hugepages-') ? 'hugepages' : 'local ephemeral storage'
  causes.push(invalid(path, field, `only divisor's values ${names} are supported with the ${what} resource`))
}

export function validateEnvFrom(causes: Causes, path: string, sources: DeepReadonly<core.EnvFromSource[]> | undefined): void {
  sources?.forEach((source, i) => {
    const at = `${path}[${i}]`
    if (source.prefix) invalidEach(causes, `${at}.prefix`, source.prefix, relaxedEnvVarName(source.prefix))
    const { configMapRef, secretRef } = source
    if (configMapRef && !configMapRef.name) causes.push(required(`${at}.configMapRef.name`))
    if (secretRef && !secretRef.name) causes.push(required(`${at}.secretRef.name`))
    if (configMapRef && secretRef) causes.push(invalid(path, '', 'may not have more than one field specified at a time'))
    if (!configMapRef && !secretRef) causes.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
  })
}
