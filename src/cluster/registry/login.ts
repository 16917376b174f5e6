import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, rmdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { adminClient, clusterPki } from '../access.ts'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths, writeAtomically } from '../config.ts'
import { exclusively } from '../local/lock.ts'
import { registryAccess } from './access.ts'

/** What a login wrote, for it to be taken back. */
export interface Login {
  host: string
  auth: string
  authFile: string
  caFile: string
  /** Whether the login made the file with the credentials. */
  made?: boolean
}

export interface LoginOptions {
  /** A docker `config.json` or a podman `auth.json`; docker's own when absent, which podman, buildah and skopeo read as well. */
  authFile?: string
}

/** Where docker looks for authorities, and podman, buildah and skopeo when they have none of their own. */
const certificatesDirectory = '/etc/docker/certs.d'

/** docker's file with credentials, unless its environment names another place. */
export const defaultAuthFile = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json')

/** Lets docker, podman, buildah and skopeo of this machine use the registry, as the user that calls. */
export async function registryLogin(cluster: ClusterConfig, options: LoginOptions = {}): Promise<{ host: string; authFile: string; caFile: string }> {
  await using admin = await adminClient(cluster.name)
  const { host, username, password } = await registryAccess(cluster, admin.client)
  const { ca } = await clusterPki(cluster)
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  const login: Login = { host, auth, authFile: options.authFile ?? defaultAuthFile(), caFile: join(certificatesDirectory, host, 'ca.crt') }
  await writeLogin(cluster.name, login, ca.certificate)
  return { host, authFile: login.authFile, caFile: login.caFile }
}

/** Credentials into one file, the authority (PEM) into another. */
export async function writeLogin(cluster: string, login: Login, ca: string): Promise<void> {
  const { host, auth, authFile, caFile } = login
  await exclusively(`logins/${cluster}`, async () => {
    const auths = await authsChange(authFile, (present) => ({ ...present, [host]: { auth } }))
    // written down first: what is half done is taken back, too
    const known = await loginsOf(cluster)
    const made = !existsSync(authFile) || known.some((each) => each.authFile === authFile && each.made)
    const others = known.filter((each) => each.authFile !== authFile || each.host !== host)
    await writeAtomically(loginsFile(cluster), JSON.stringify([...others, { ...login, made }], undefined, 2))
    await mkdir(dirname(caFile), { recursive: true })
    await writeAtomically(caFile, ca, 0o644)
    await auths.write()
  })
}

/** Takes back what `registryLogin` wrote; what others changed since stays. */
export async function removeLogins(cluster: string): Promise<void> {
  await exclusively(`logins/${cluster}`, async () => {
    for (const { host, auth, authFile, caFile, made } of await loginsOf(cluster)) {
      await rm(caFile, { force: true })
      // and the directories above it that nobody else uses
      for (let dir = dirname(caFile), depth = 0; depth < 3; dir = dirname(dir), depth++) await rmdir(dir).catch(() => {})
      if (!existsSync(authFile)) continue
      try {
        const changed = await authsChange(authFile, ({ [host]: own, ...others }) =>
          own && own['auth'] !== auth ? { ...others, [host]: own } : others,
        )
        await (made && changed.empty ? rm(authFile, { force: true }) : changed.write())
      } catch (error) {
        // a user's file that cannot be read any more does not keep a cluster from going
        console.error(`credentials of ${host} stay in ${authFile}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    await rm(loginsFile(cluster), { force: true })
  })
}

const loginsFile = (cluster: string) => join(clusterPaths(cluster).dir, 'registry-logins.json')

async function loginsOf(cluster: string): Promise<Login[]> {
  const file = loginsFile(cluster)
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Login[]) : []
}

type Auths = Record<string, Record<string, unknown>>

/** A change of `auths` alone of a docker `config.json`: the rest is the user's. `empty`: nothing is left in the file. */
async function authsChange(file: string, change: (auths: Auths) => Auths): Promise<{ empty: boolean; write(): Promise<void> }> {
  const text = existsSync(file) ? await readFile(file, 'utf8') : '{}'
  let config: { auths?: Auths }
  try {
    config = JSON.parse(text || '{}') as { auths?: Auths }
  } catch (cause) {
    throw new Error(`${file} is no JSON: repair it, or name another file with --auth-file`, { cause })
  }
  const auths = change(config.auths ?? {})
  return {
    empty: Object.keys(auths).length === 0 && Object.keys(config).every((key) => key === 'auths'),
    async write() {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeAtomically(file, `${JSON.stringify({ ...config, auths }, undefined, 2)}\n`)
    },
  }
}
