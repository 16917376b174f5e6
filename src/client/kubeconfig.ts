import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { execSource } from './credentials.ts'
import type { HttpsTransportOptions } from './https-transport.ts'

// The fields of clientcmd's v1 Config that k8ts reads or writes; others survive a load and save.

export interface KubeconfigCluster {
  server: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
}

export interface KubeconfigUser {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
  username?: string
  password?: string
  as?: string
  'as-uid'?: string
  'as-groups'?: string[]
  'as-user-extra'?: Record<string, string[]>
  exec?: {
    apiVersion: string
    command: string
    args?: string[] | null
    env?: { name: string; value: string }[] | null
    installHint?: string
    provideClusterInfo?: boolean
  }
}

export interface KubeconfigContext {
  cluster: string
  user: string
  namespace?: string
}

export interface Kubeconfig {
  apiVersion: 'v1'
  kind: 'Config'
  'current-context'?: string
  clusters: { name: string; cluster: KubeconfigCluster }[]
  users: { name: string; user: KubeconfigUser }[]
  contexts: { name: string; context: KubeconfigContext }[]
  preferences?: object
}

export const emptyKubeconfig = (): Kubeconfig => ({ apiVersion: 'v1', kind: 'Config', clusters: [], users: [], contexts: [], 'current-context': '' })

/** Reads a kubeconfig; relative file names in it are made absolute against `directory`. Throws where it is not one. */
export function parseKubeconfig(text: string, directory = '.'): Kubeconfig {
  const value: unknown = parse(text)
  if (value === null || value === undefined) return emptyKubeconfig()
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error('not a kubeconfig: a mapping is expected')
  const config = { ...emptyKubeconfig(), ...value } as Kubeconfig
  // kubectl writes null for an empty list
  config.clusters ??= []
  config.users ??= []
  config.contexts ??= []
  const absolute = <K extends string>(holder: { [key in K]?: string }, ...keys: K[]) => {
    for (const key of keys) {
      const path = holder[key]
      if (path && !isAbsolute(path)) (holder as Record<string, string>)[key] = resolve(directory, path)
    }
  }
  for (const { cluster } of config.clusters) absolute(cluster, 'certificate-authority')
  for (const { user } of config.users) {
    absolute(user, 'client-certificate', 'client-key', 'tokenFile')
    // a bare name is looked up in PATH
    if (user.exec && user.exec.command.includes('/')) absolute(user.exec, 'command')
  }
  return config
}

/** The files that kubectl would read: KUBECONFIG's list, or `~/.kube/config`. */
export function kubeconfigPaths(env: Record<string, string | undefined> = process.env): string[] {
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter(Boolean)
  return listed.length > 0 ? [...new Set(listed)] : [join(env.HOME ?? homedir(), '.kube', 'config')]
}

/** Loads and merges files; those that do not exist count as empty. */
export async function loadKubeconfig(paths: string[] = kubeconfigPaths()): Promise<Kubeconfig> {
  const configs: Kubeconfig[] = []
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) continue
    try {
      configs.push(parseKubeconfig(text, dirname(resolve(path))))
    } catch (cause) {
      throw new Error(`error loading config file "${path}": ${(cause as Error).message}`, { cause })
    }
  }
  return mergeKubeconfigs(configs)
}

/** The first file that names a cluster, user, context or current context wins, as with kubectl. */
export function mergeKubeconfigs(configs: Kubeconfig[]): Kubeconfig {
  const merged = emptyKubeconfig()
  for (const config of configs) {
    merged['current-context'] ||= config['current-context'] ?? ''
    for (const list of ['clusters', 'users', 'contexts'] as const) {
      const known = new Set(merged[list].map((entry) => entry.name))
      merged[list].push(...(config[list].filter((entry) => !known.has(entry.name)) as never[]))
    }
  }
  return { ...configs[0], ...merged }
}

/** `config` with one context, its cluster and its user set under one name, replacing what had that name. */
export function withContext(
  config: Kubeconfig,
  name: string,
  entry: { cluster: KubeconfigCluster; user: KubeconfigUser; namespace?: string },
): Kubeconfig {
  const { clusters, users, contexts } = withoutContext(config, name)
  const { cluster, user, namespace } = entry
  return {
    ...config,
    clusters: [...clusters, { name, cluster }],
    users: [...users, { name, user }],
    contexts: [...contexts, { name, context: { cluster: name, user: name, ...(namespace ? { namespace } : {}) } }],
  }
}

/** `config` without the context of this name and the cluster and user that nobody else uses. */
export function withoutContext(config: Kubeconfig, name: string): Kubeconfig {
  const gone = config.contexts.find((c) => c.name === name)?.context ?? { cluster: name, user: name }
  const contexts = config.contexts.filter((c) => c.name !== name)
  const used = (key: 'cluster' | 'user', value: string) => contexts.some((c) => c.context[key] === value)
  return {
    ...config,
    contexts,
    clusters: config.clusters.filter((c) => c.name !== gone.cluster || used('cluster', c.name)),
    users: config.users.filter((u) => u.name !== gone.user || used('user', u.name)),
    'current-context': config['current-context'] === name ? '' : config['current-context'],
  }
}

/** Writes the file whole or not at all, readable by its owner alone. */
export async function saveKubeconfig(path: string, config: Kubeconfig): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.tmp`
  await writeFile(temporary, stringify(config, { lineWidth: 0 }), { mode: 0o600 })
  await rename(temporary, path)
}

export interface ResolvedContext {
  transport: HttpsTransportOptions
  /** The context's namespace; `default` when it names none. */
  namespace: string
}

/** What a context says about reaching its cluster; the current one when `name` is absent. */
export async function resolveContext(config: Kubeconfig, name?: string): Promise<ResolvedContext> {
  const wanted = name || config['current-context']
  if (!wanted) throw new Error('no context is set: name one, or set current-context in the kubeconfig')
  const context = config.contexts.find((c) => c.name === wanted)?.context
  if (!context) throw new Error(`context "${wanted}" does not exist`)
  const cluster = config.clusters.find((c) => c.name === context.cluster)?.cluster
  if (!cluster?.server) throw new Error(`cluster "${context.cluster}" of context "${wanted}" does not exist or has no server`)
  const user = config.users.find((u) => u.name === context.user)?.user ?? {}
  return { transport: { ...(await clusterOptions(cluster)), ...(await userOptions(user, cluster)) }, namespace: context.namespace || 'default' }
}

async function clusterOptions(cluster: KubeconfigCluster): Promise<HttpsTransportOptions> {
  return {
    server: cluster.server,
    ca: await pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
    insecureSkipVerify: cluster['insecure-skip-tls-verify'],
    serverName: cluster['tls-server-name'],
  }
}

async function userOptions(user: KubeconfigUser, cluster: KubeconfigCluster): Promise<Partial<HttpsTransportOptions>> {
  const { exec } = user
  return {
    clientCert: await pem(user['client-certificate-data'], user['client-certificate']),
    clientKey: await pem(user['client-key-data'], user['client-key']),
    // clientcmd prefers the file, because it is the one that is rotated
    ...(user.tokenFile ? { tokenFile: user.tokenFile } : user.token ? { token: user.token } : {}),
    ...(user.username ? { basic: { username: user.username, password: user.password ?? '' } } : {}),
    ...(user.as ? { impersonate: { user: user.as, uid: user['as-uid'], groups: user['as-groups'], extra: user['as-user-extra'] } } : {}),
    ...(exec
      ? {
          credentials: execSource({
            ...exec,
            args: exec.args ?? [],
            env: exec.env ?? [],
            ...(exec.provideClusterInfo ? { cluster: { ...cluster } } : {}),
          }),
        }
      : {}),
  }
}

async function pem(data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data) return Buffer.from(data, 'base64').toString()
  return path ? readFile(path, 'utf8') : undefined
}

const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'

/** How a pod reaches its own cluster; undefined outside of one. */
export async function inClusterConfig(
  options: { env?: Record<string, string | undefined>; directory?: string } = {},
): Promise<ResolvedContext | undefined> {
  const { env = process.env, directory = serviceAccountDirectory } = options
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (!host || !port) return undefined
  const ca = await readFile(join(directory, 'ca.crt'), 'utf8')
  const namespace = await readFile(join(directory, 'namespace'), 'utf8').catch(() => 'default')
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return { transport: { server, ca, tokenFile: join(directory, 'token') }, namespace: namespace.trim() }
}
