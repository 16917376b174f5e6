import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { createLogger, Teardown } from '#base'
import type { Report } from '#build'
import { builderParts, toolImage as standardToolImage } from '#build'
import { runCi } from '#ci'
import { saveKubeconfig } from '#client'
import { clusterAddress, ensurePullSecret, findRegistry } from '#registry'
import { clientFrom, clusterPki, internalServer, kubeconfigFor } from './access.ts'
import type { ClusterConfig } from './config.ts'
import { clusterPaths, loadCluster, rangesOf, saveCluster } from './config.ts'
import { clusterCgroup } from './local/cgroup.ts'
import { ensureToolImage } from './image/tool-image.ts'
import { exclusively } from './local/lock.ts'
import { ownProgram } from './local/program.ts'
import { findProcess, startProcess, stopProcess, waitUntil } from './local/process.ts'
import { choosePort } from './ports.ts'
import { ciRequirements, ensureInstalled, requireRoot } from './preflight.ts'

export const ciProcess = 'ci'
const defaultPort = 7443

/** Where people reach the CI service of a cluster that has one. */
export const ciUrl = (cluster: ClusterConfig): string | undefined => (cluster.ci ? `https://127.0.0.1:${cluster.ci.port}` : undefined)

const directoryOf = (cluster: string): string => join(clusterPaths(cluster).dir, 'ci')

export interface EnableCiOptions {
  /** Port of 127.0.0.1 and of the bridge; the first free one from 7443 on when absent. */
  port?: number
  /** The image of agents and machines; as before, or k8ts' own, when absent. */
  toolImage?: string
  report?: Report
}

/** Gives the cluster its CI service, or another tool image to the one it has, and starts it. From then on `k8ts up` does. */
export async function enableCi(name: string, options: EnableCiOptions = {}): Promise<ClusterConfig> {
  requireRoot('k8ts ci init')
  return exclusively(`ci/${name}`, async () => {
    const cluster = (await loadCluster(name))!
    if (cluster.nodes.length === 0) throw new Error(`cluster ${name} has no node that could run jobs`)
    if (cluster.ci && options.port !== undefined && options.port !== cluster.ci.port)
      throw new Error(`the CI service of cluster ${name} is at port ${cluster.ci.port}, which repositories' addresses name: it does not move`)
    const toolImage = options.toolImage ?? cluster.ci?.toolImage
    await ensureInstalled(ciRequirements)
    if (!toolImage) await ensureToolImage(cluster, options.report)
    // a port is taken by who writes it down: no other cluster may choose in between
    const changed = await exclusively('clusters', async () => {
      const port = cluster.ci?.port ?? (await choosePort({ first: defaultPort, asked: options.port, flag: '--port' }))
      const config: ClusterConfig = { ...(await loadCluster(name))!, ci: { port, ...(toolImage ? { toolImage } : {}) } }
      await saveCluster(config)
      return config
    })
    // jobs go on without the service: another one takes over
    if (toolImage !== cluster.ci?.toolImage) await stopProcess(clusterPaths(name).run, ciProcess)
    await startCi(changed)
    return changed
  })
}

/** Starts the CI service unless it runs, and waits until it answers. */
export async function startCi(cluster: ClusterConfig): Promise<void> {
  if (!cluster.ci) return
  const paths = clusterPaths(cluster.name)
  const pki = await clusterPki(cluster)
  await saveKubeconfig(join(paths.dir, 'ci.kubeconfig'), kubeconfigFor('ci', internalServer(cluster), pki.ca.certificate, pki.ci))
  if (!findProcess(paths.run, ciProcess))
    await startProcess({
      ...ownProgram('internal', 'ci', cluster.name),
      name: ciProcess,
      run: paths.run,
      logFile: join(paths.logs, `${ciProcess}.log`),
      cgroup: `${clusterCgroup(cluster.name)}/ci`,
    })
  const look = `see \`k8ts logs --name ${cluster.name} ${ciProcess}\``
  const answers = await waitUntil(async () => {
    if (!findProcess(paths.run, ciProcess)) throw new Error(`the CI service ended at its start; ${look}`)
    return ciAnswers(cluster)
  }, 30_000)
  if (!answers) throw new Error(`the CI service does not answer after 30 s; ${look}`)
}

async function ciAnswers(cluster: ClusterConfig): Promise<boolean> {
  const file = join(clusterPaths(cluster.name).pki, 'ca.crt')
  if (!existsSync(file)) return false
  const ca = await readFile(file)
  return new Promise((resolve) => {
    const probe = request(`${ciUrl(cluster)}/healthz`, { ca, agent: false, timeout: 2000 }, (response) => {
      response.resume()
      resolve(response.statusCode !== undefined)
    })
    probe.on('error', () => resolve(false))
    probe.on('timeout', () => probe.destroy())
    probe.end()
  })
}

/** The CI service and its controllers, in this process. */
export async function runCiService(cluster: ClusterConfig, signal: AbortSignal): Promise<void> {
  if (!cluster.ci) throw new Error(`cluster ${cluster.name} has no CI: \`k8ts ci init --name ${cluster.name}\``)
  const log = createLogger({ level: 'info' })
  await using teardown = new Teardown()
  const { client } = teardown.use(await clientFrom(join(clusterPaths(cluster.name).dir, 'ci.kubeconfig'), 'k8ts-ci'))
  const pki = await clusterPki(cluster)
  await runCi(
    {
      client,
      directory: directoryOf(cluster.name),
      addresses: [rangesOf(cluster.index).gateway, '127.0.0.1'],
      port: cluster.ci.port,
      publicUrl: ciUrl(cluster)!,
      tls: { cert: pki.apiserver.certificate, key: pki.apiserver.key, ca: pki.ca.certificate },
      toolImage: cluster.ci.toolImage ?? standardToolImage,
      async builder(namespace) {
        // of one cluster and one namespace; jobs on several nodes of this machine share it, and it goes with the cluster
        const layers = {
          name: 'layers',
          hostPath: { path: join(clusterPaths(cluster.name).dir, 'layers', namespace), type: 'DirectoryOrCreate' as const },
        }
        const registry = await findRegistry(client)
        if (!registry) return builderParts({ layers })
        const secret = await ensurePullSecret(client, namespace)
        return builderParts({ layers, registry: { host: registry.host, address: clusterAddress, secret } })
      },
      log,
    },
    signal,
  )
}
