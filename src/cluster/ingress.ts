import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Logger } from '#base'
import { CommandError, describeError, run } from '#base'
import type { Certificate, ProxyProcess } from '#ingress'
import { addressController, addressPool, haproxyDataPlane, ingressController, servedIngresses } from '#ingress'
import type { Controller } from '#runtime'
import { clusterPki } from './access.ts'
import type { ClusterConfig, ClusterPaths } from './config.ts'
import { clusterPaths, nodeAddress, rangesOf, writeAtomically } from './config.ts'
import { clusterCgroup } from './local/cgroup.ts'
import { edgeNamespace, ensureEdge, enterAt } from './local/edge.ts'
import { findProcess, startProcess, stopProcess } from './local/process.ts'
import { issueCertificate } from './pki/index.ts'

/** Names the process, its log and its control group. */
export const ingressProcess = 'ingress'

/** The controllers that give load balancers their addresses and serve Ingresses. A cluster without real nodes has the addresses alone. */
export function ingressControllers(cluster: ClusterConfig, log: Logger, signal: AbortSignal): Controller[] {
  const pool = addressPool(rangesOf(cluster.index).balancers)
  if (cluster.runtime === 'fake' || cluster.nodes.length === 0) return [addressController({ pool })]
  const network = edgeOnce(cluster)
  const prepare = () =>
    void network().catch((error: unknown) => signal.aborted || log.warn('addresses lead nowhere yet', { error: describeError(error) }))
  const served = servedIngresses()
  return [
    addressController({ pool, prepare, served, ...(cluster.nodes.length > 1 ? { enterAt: (nodes) => enterAt(cluster, nodes) } : {}) }),
    ingressController({
      served,
      fallback: () => fallbackCertificate(cluster),
      dataPlane: (named) =>
        haproxyDataPlane({
          // a socket's path is at most 107 bytes
          run: join('/run/k8ts', cluster.name, ingressProcess),
          namespace: edgeNamespace(cluster.name),
          nameservers: cluster.nodes.map((node) => nodeAddress(cluster.index, node)),
          process: haproxyProcess(cluster),
          prepare: network,
          localPorts: () => chooseLocalPorts(cluster),
          log: named,
        }),
    }),
  ]
}

/** Makes the edge at the first call; a failure is tried again at the next. */
function edgeOnce(cluster: ClusterConfig): () => Promise<void> {
  let made: Promise<void> | undefined
  return () =>
    (made ??= ensureEdge(cluster).catch((error: unknown) => {
      made = undefined
      throw error
    }))
}

function haproxyProcess(cluster: ClusterConfig): ProxyProcess {
  const paths = clusterPaths(cluster.name)
  return {
    running: () => findProcess(paths.run, ingressProcess) !== undefined,
    start: async (args) => {
      await startProcess({
        name: ingressProcess,
        program: 'haproxy',
        args,
        run: paths.run,
        logFile: join(paths.logs, `${ingressProcess}.log`),
        cgroup: `${clusterCgroup(cluster.name)}/${ingressProcess}`,
      })
    },
    stop: () => stopProcess(paths.run, ingressProcess, 1000),
    check: async (file) => {
      try {
        await run('haproxy', ['-c', '-f', file])
        return undefined
      } catch (error) {
        if (error instanceof CommandError) return error.stderr
        throw error
      }
    },
  }
}

async function fallbackCertificate(cluster: ClusterConfig): Promise<Certificate> {
  const { ca } = await clusterPki(cluster)
  const pair = await issueCertificate(ca, { commonName: 'k8ts ingress', names: ['ingress.k8ts.invalid'], usages: ['server'] })
  const pem = `${pair.certificate}${pair.key}`
  return { id: createHash('sha256').update(pem).digest('hex').slice(0, 32), pem }
}

const portsFile = (paths: ClusterPaths) => join(paths.dir, 'ingress.json')

/** Where Ingresses answer on 127.0.0.1; undefined as long as nothing was served. */
export async function ingressPorts(paths: ClusterPaths): Promise<{ http: number; https: number } | undefined> {
  if (!existsSync(portsFile(paths))) return undefined
  return JSON.parse(await readFile(portsFile(paths), 'utf8')) as { http: number; https: number }
}

/** The ports that were asked for, or were chosen before; others where these are not free, because one taken port must not keep all else from being served. */
async function chooseLocalPorts(cluster: ClusterConfig): Promise<{ http: number; https: number }> {
  const paths = clusterPaths(cluster.name)
  const before = await ingressPorts(paths)
  // who runs has its ports already
  if (before && findProcess(paths.run, ingressProcess)) return before
  const wanted = cluster.ingressPorts ?? before
  const http = await firstFree([...(wanted ? [wanted.http] : []), 80, ...from(8080)])
  const https = await firstFree([...(wanted ? [wanted.https] : []), 443, ...from(8443)], http)
  await writeAtomically(portsFile(paths), JSON.stringify({ http, https }))
  return { http, https }
}

const from = (first: number) => Array.from({ length: 300 }, (_, i) => first + i)

async function firstFree(candidates: readonly number[], except?: number): Promise<number> {
  for (const port of candidates) if (port !== except && (await isFree(port))) return port
  throw new Error(`no port is free on 127.0.0.1 among ${candidates.length} tried`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
