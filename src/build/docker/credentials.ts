import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** The registry of the cluster, as a pod is told it. */
export interface PodRegistry {
  /** As images name it: `localhost:5000`. */
  host: string
  /** Where it is from inside a pod. */
  address: string
}

/** Variables that tell a pod where the registry of its cluster is. */
export const registryVariables = { host: 'K8TS_REGISTRY', address: 'K8TS_REGISTRY_ADDRESS' } as const

export function podRegistry(env: Readonly<Record<string, string | undefined>>): PodRegistry | undefined {
  const host = env[registryVariables.host]
  const address = env[registryVariables.address]
  return host && address ? { host, address } : undefined
}

/** The name that reaches the image from inside a pod, where `localhost` is the pod itself. */
export const fromPod = (reference: string, registry: PodRegistry | undefined): string =>
  registry && reference.startsWith(`${registry.host}/`) ? registry.address + reference.slice(registry.host.length) : reference

/** Where the registry keeps copies of base images of other registries: `debian:bookworm` stands at `…/docker.io/library/debian:bookworm`. */
export const mirrorName = (reference: string, address: string): string => `${address}/${reference}`

interface DockerConfig {
  auths?: Record<string, { auth?: string }>
  [key: string]: unknown
}

const directory = (env: Readonly<Record<string, string | undefined>>): string => env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.docker')

/** Where a Secret with credentials is mounted: read, never written. */
export const mountedCredentials = '/run/secrets/k8ts-registry/config.json'

/**
 * The file that `docker login` writes and pushes use: docker's own, with what the pod was given by a Secret in it. Undefined when there are no
 * credentials at all.
 */
export async function authFile(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const own = join(directory(env), 'config.json')
  const mounted = read(mountedCredentials)
  if (!mounted) return existsSync(own) ? own : undefined
  const config = read(own) ?? {}
  const auths = { ...mounted.auths, ...config.auths }
  if (Object.keys(auths).length !== Object.keys(config.auths ?? {}).length) await write(own, { ...config, auths })
  return own
}

/** Changes what docker's configuration says of a registry; undefined forgets it. */
export async function setCredentials(
  env: Readonly<Record<string, string | undefined>>,
  hosts: readonly string[],
  login: { username: string; password: string } | undefined,
): Promise<string> {
  const own = join(directory(env), 'config.json')
  const config = read(own) ?? {}
  const auths = { ...config.auths }
  for (const host of hosts)
    if (login) auths[host] = { auth: Buffer.from(`${login.username}:${login.password}`).toString('base64') }
    else delete auths[host]
  await write(own, { ...config, auths })
  return own
}

function read(file: string): DockerConfig | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DockerConfig
  } catch (error) {
    throw new Error(`${file} is no docker configuration: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

async function write(file: string, config: DockerConfig): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.tmp`, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.tmp`, file)
}
