import type { core, DeepReadonly } from '#api'
import { isStatus } from '#api'
import { parseEnvFile } from './env-file.ts'
import { expand } from './expand.ts'
import type { PodRuntimeFacts } from './field-ref.ts'
import { fieldValue } from './field-ref.ts'
import type { ObjectSource } from './object-source.ts'
import { resourceFieldValue } from './resource-field.ts'
import { serviceVariables } from './service-variables.ts'

/** A container that cannot be created as its environment is written; the kubelet reports it as the waiting reason. */
export class ContainerConfigError extends Error {
  readonly reason = 'CreateContainerConfigError'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ContainerConfigError'
  }
}

export interface EnvironmentSources extends PodRuntimeFacts {
  objects: Pick<ObjectSource, 'get'>
  /** All services that the node knows, of every namespace. */
  services: readonly DeepReadonly<core.Service>[]
  /** The node's allocatable resources: what a limit that is not set amounts to. */
  allocatable: DeepReadonly<Record<string, string>>
  /** Called with the text of an `InvalidEnvironmentVariableNames` warning when keys of an envFrom are skipped. */
  onInvalidNames?: (message: string) => void
  /** A file in a volume of the pod; undefined when it is not there. Rejects when there is no such volume. */
  readVolumeFile?(volume: string, path: string): Promise<string | undefined>
  signal?: AbortSignal
}

export interface EnvironmentVariable {
  key: string
  value: string
}

type Data = ReadonlyMap<string, string>

/**
 * The environment of a container, in order: envFrom, env, then what announces services. Later definitions of a name win and keep the earlier's
 * place. Rejects with ContainerConfigError when something it refers to does not exist.
 */
export async function containerEnvironment(
  pod: DeepReadonly<core.Pod>,
  container: DeepReadonly<core.Container>,
  sources: EnvironmentSources,
): Promise<EnvironmentVariable[]> {
  const namespace = pod.metadata.namespace ?? 'default'
  const announced = serviceVariables(sources.services, namespace, pod.spec.enableServiceLinks ?? true)
  const environment = new Map<string, string>()
  const read = new Map<string, Promise<Data | undefined>>()
  const dataOf = (kind: 'ConfigMap' | 'Secret', name: string, optional: boolean | undefined): Promise<Data | undefined> => {
    const id = `${kind}/${name}`
    if (!read.has(id)) read.set(id, readData(sources, kind, namespace, name))
    return read.get(id)!.then((data) => {
      if (data || optional) return data
      throw new ContainerConfigError(`${kind.toLowerCase()} "${name}" not found`)
    })
  }

  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const kind = configMapRef ? 'ConfigMap' : 'Secret'
    const ref = configMapRef ?? secretRef
    if (!ref) continue
    const data = await dataOf(kind, ref.name ?? '', ref.optional)
    const invalid: string[] = []
    for (const [key, value] of data ?? []) {
      if (isEnvironmentName(prefix + key)) environment.set(prefix + key, value)
      else invalid.push(prefix + key)
    }
    if (invalid.length > 0) {
      const source = `${configMapRef ? 'configMap' : 'secret'} ${namespace}/${ref.name}`
      sources.onInvalidNames?.(
        `Keys [${invalid.sort().join(', ')}] from the EnvFrom ${source} were skipped since they are considered invalid environment variable names.`,
      )
    }
  }

  const lookup = (name: string) => environment.get(name) ?? announced.get(name)
  for (const variable of container.env ?? []) {
    const value = variable.value || !variable.valueFrom ? expand(variable.value ?? '', lookup) : await valueFrom(variable.valueFrom)
    if (value !== undefined) environment.set(variable.name, value)
  }
  for (const [name, value] of announced) if (!environment.has(name)) environment.set(name, value)
  return [...environment].map(([key, value]) => ({ key, value }))

  async function valueFrom(source: DeepReadonly<core.EnvVarSource>): Promise<string | undefined> {
    const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
    const keyRef = configMapKeyRef ?? secretKeyRef
    if (keyRef) {
      const kind = configMapKeyRef ? 'ConfigMap' : 'Secret'
      const data = await dataOf(kind, keyRef.name ?? '', keyRef.optional)
      const value = data?.get(keyRef.key)
      if (value === undefined && !keyRef.optional)
        throw new ContainerConfigError(`couldn't find key ${keyRef.key} in ${kind} ${namespace}/${keyRef.name}`)
      return value
    }
    if (fileKeyRef) return fileValue(fileKeyRef)
    try {
      if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, sources)
      if (resourceFieldRef) return resourceFieldValue(pod, resourceFieldRef, container, sources.allocatable)
    } catch (error) {
      throw new ContainerConfigError((error as Error).message, { cause: error })
    }
    return ''
  }

  async function fileValue({ volumeName, path, key, optional }: DeepReadonly<core.FileKeySelector>): Promise<string | undefined> {
    try {
      const text = await sources.readVolumeFile?.(volumeName, path)
      const value = text === undefined ? undefined : parseEnvFile(text).get(key)
      if (value === undefined && !optional) throw new Error(`environment variable key "${key}" not found in file "${path}"`)
      return value
    } catch (error) {
      throw new ContainerConfigError(`couldn't read env file "${path}" of volume "${volumeName}": ${(error as Error).message}`, { cause: error })
    }
  }
}

/** Undefined when the object does not exist. */
async function readData(sources: EnvironmentSources, kind: 'ConfigMap' | 'Secret', namespace: string, name: string): Promise<Data | undefined> {
  try {
    const { data = {} } = await sources.objects.get(kind, namespace, name, sources.signal)
    const decode = kind === 'Secret' ? (value: string) => Buffer.from(value, 'base64').toString('utf8') : (value: string) => value
    return new Map(
      Object.entries(data)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, decode(value)]),
    )
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw new ContainerConfigError((error as Error).message, { cause: error })
  }
}

/** Any printable ASCII but the sign that ends a name (KEP-4369): what programs read as their settings has colons, dots and dashes in it. */
function isEnvironmentName(name: string): boolean {
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(name)
}
