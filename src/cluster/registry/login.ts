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
interface Login {
  host: string
  auth: string
  authFile: string
  caFile: string
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
  await exclusively(`logins/${cluster.name}`, async () => {
    // written down first: what is half done is taken back, too
    const others = (await loginsOf(cluster.name)).filter((each) => each.authFile !== login.authFile || each.host !== host)
    await writeAtomically(loginsFile(cluster.name), JSON.stringify([...others, login], undefined, 2))
    await mkdir(dirname(login.caFile), { recursive: true })
    await writeAtomically(login.caFile, ca.certificate, 0o644)
    await changeAuths(login.authFile, (auths) => ({ ...auths, [host]: { auth } }))
  })
  return { host, authFile: login.authFile, caFile: login.caFile }
}

/** Takes back what `registryLogin` wrote; what others changed since stays. */
export async function removeLogins(cluster: string): Promise<void> {
  await exclusively(`logins/${cluster}`, async () => {
    for (const { host, auth, authFile, caFile } of await loginsOf(cluster)) {
      await rm(caFile, { force: true })
      await rmdir(dirname(caFile)).catch(() => {})
      if (existsSync(authFile))
        await changeAuths(authFile, ({ [host]: own, ...others }) => (own && own['auth'] !== auth ? { ...others, [host]: own } : others))
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

/** Changes `auths` alone of a docker `config.json`: the rest is the user's. */
async function changeAuths(file: string, change: (auths: Auths) => Auths): Promise<void> {
  const text = existsSync(file) ? await readFile(file, 'utf8') : '{}'
  let config: { auths?: Auths }
  try {
    config = JSON.parse(text || '{}') as { auths?: Auths }
  } catch (cause) {
    throw new Error(`${file} is no JSON: repair it, or name another file with --auth-file`, { cause })
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeAtomically(file, `${JSON.stringify({ ...config, auths: change(config.auths ?? {}) }, undefined, 2)}\n`)
}
