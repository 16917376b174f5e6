import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dockerConfig } from '#registry'
import { adminClient } from '../access.ts'
import type { ClusterConfig } from '../config.ts'
import { clusterPaths } from '../config.ts'
import { registryAccess } from '../registry/access.ts'

/** The cluster's registry for a program on this machine; disposing it removes the files with certificate and credentials. */
export interface HostRegistry extends AsyncDisposable {
  /** `localhost:PORT`. */
  host: string
  certDir: string
  authFile: string
}

/** An error says what to do when there is no registry. */
export async function hostRegistry(cluster: ClusterConfig): Promise<HostRegistry> {
  await using owned = await adminClient(cluster.name)
  const access = await registryAccess(cluster, owned.client)
  // buildah would try for minutes
  if (!(await answers(access.host)))
    throw new Error(
      `the registry at ${access.host} does not answer: see \`k8ts registry status${cluster.name === 'default' ? '' : ` --name ${cluster.name}`}\``,
    )
  const dir = await mkdtemp(join(tmpdir(), 'k8ts-registry-'))
  await copyFile(join(clusterPaths(cluster.name).pki, 'ca.crt'), join(dir, 'ca.crt'))
  const authFile = join(dir, 'config.json')
  await writeFile(authFile, JSON.stringify(dockerConfig(access)), { mode: 0o600 })
  return { host: access.host, certDir: dir, authFile, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

/** Whether somebody listens at `localhost:PORT`; waits two seconds at most. */
function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(host.slice(host.lastIndexOf(':') + 1)), timeout: 2000 })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => end(true))
    socket.on('timeout', () => end(false))
    socket.on('error', () => end(false))
  })
}
