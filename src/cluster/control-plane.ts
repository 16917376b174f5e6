import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resources } from '#api'
import type { Kms, StandardApiServer } from '#apiserver'
import { bootstrapObjects, countedResources, loopbackUser, openAudit, openTracing, quotaStatus, standardApiServer } from '#apiserver'
import { horizontalPodAutoscaler, kubeletMetrics, metricsApi } from '#autoscaling'
import type { Client } from '#client'
import { createLogger, describeError, realClock, Teardown } from '#base'
import type { Logger } from '#base'
import { controllers } from '#controllers'
import type { Controller, QueueMetrics } from '#runtime'
import { createContext, queueMetrics, runControllers } from '#runtime'
import { runScheduler } from '#scheduler'
import type { Store } from '#store'
import { clusterPki } from './access.ts'
import { backupPath, backupResponse } from './backup-endpoint.ts'
import { admissionOptions, auditOptions } from './apiserver-settings.ts'
import type { ClusterConfig } from './config.ts'
import { clusterPaths, nodeAddress, rangesOf } from './config.ts'
import { controllerUser } from './controller-user.ts'
import { ensureDefaults, metricsUser } from './defaults.ts'
import { type KeyPair, certificateAuthority } from './pki/index.ts'
import { openClusterStore, readableStore } from './store.ts'
import { ingressControllers } from './ingress.ts'
import { bridgeName } from './local/interface-names.ts'
import { keepServiceRoutes } from './local/service-routes.ts'

/** Everything of a cluster that is not on a node, in this process: API server, scheduler, controllers. Runs until the signal aborts. */
export async function runControlPlane(cluster: ClusterConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger({ level: 'info' })
  await using teardown = new Teardown()
  const raw = await openClusterStore(cluster, log.named('store'))
  const { store, kms } = await readableStore(cluster, raw)
  teardown.use(store)
  const bootstrap = { done: false }
  const queues = queueMetrics(realClock)
  const server = teardown.use(await startApiServer(cluster, { store, raw, kms }, bootstrap, queues, log))
  const client = (user: string) => server.client({ username: user, groups: ['system:authenticated'] }, user.replace(/^system:/, ''))
  // what the components need is there before they start; each starts on its own and waits for its caches
  const own = server.client(loopbackUser, 'kube-apiserver')
  await bootstrapObjects(own)
  await ensureDefaults(cluster, own)
  bootstrap.done = true
  const { ca } = await clusterPki(cluster)
  const runs = (component: 'scheduler' | 'controllers') => !cluster.without?.includes(component)
  const running = [aborted(signal)]
  if (runs('scheduler')) running.push(runSchedulerAs(client('system:kube-scheduler'), log, signal))
  if (runs('controllers')) running.push(runControllersAs(cluster, client('system:kube-controller-manager'), server, ca, queues, log, signal))
  // the machine's own routes, where it has any nodes of this cluster
  if (cluster.nodes.length > 0 && cluster.runtime === 'containerd') running.push(routeServices(cluster, own, log, signal))
  log.info('control plane is running', { cluster: cluster.name, url: server.url })
  await Promise.all(running)
}

async function routeServices(cluster: ClusterConfig, client: Client, log: Logger, signal: AbortSignal): Promise<void> {
  await using context = createContext({ client, component: 'service-routes', log: log.named('routes') })
  await keepServiceRoutes(
    {
      serviceCidrs: context.cache(resources.serviceCIDRs),
      own: rangesOf(cluster.index).services,
      dev: bridgeName(cluster.name),
      via: nodeAddress(cluster.index, { name: 'node-1', index: 1 }),
      log: log.named('routes'),
    },
    signal,
  )
}

interface Stores {
  store: Store
  /** With values as they are kept: what a backup holds is encrypted where the store is. */
  raw: Store
  kms: readonly Kms[]
}

async function startApiServer(
  cluster: ClusterConfig,
  { store, raw, kms }: Stores,
  bootstrap: { done: boolean },
  queues: QueueMetrics,
  log: Logger,
): Promise<StandardApiServer> {
  const pki = await clusterPki(cluster)
  const { services, gateway } = rangesOf(cluster.index)
  const metrics: { client?: Client } = {}
  const audited = auditOptions(cluster)
  const seams = { clock: realClock, log: log.named('apiserver') }
  const tracingFile = clusterPaths(cluster.name).tracing
  const source = kubeletMetrics({ client: lazily(() => metrics.client!), clock: realClock })
  const server = standardApiServer({
    store,
    port: cluster.apiPort,
    // without a node there is no bridge whose gateway could be listened on
    addresses: cluster.nodes.length > 0 ? ['127.0.0.1', gateway] : ['127.0.0.1'],
    tls: { cert: pki.apiserver.certificate, key: pki.apiserver.key, clientCa: pki.ca.certificate },
    serviceAccounts: { privateKey: pki.serviceAccountKey, issuer: 'https://kubernetes.default.svc.cluster.local' },
    kubelet: { cert: pki.apiserverKubeletClient.certificate, key: pki.apiserverKubeletClient.key, ca: pki.ca.certificate },
    serviceCidr: services,
    ...(cluster.tokenFile ? { staticTokens: await readFile(cluster.tokenFile, 'utf8') } : {}),
    extensions: [metricsApi({ source, client: lazily(() => metrics.client!) })],
    // whoever is told that the server is ready may count on roles, namespaces and default services
    readiness: [
      ...[
        'poststarthook/start-system-namespaces-controller',
        'poststarthook/bootstrap-controller',
        'poststarthook/rbac/bootstrap-roles',
        'poststarthook/scheduling/bootstrap-system-priority-classes',
        'poststarthook/priority-and-fairness-config-producer',
      ].map((name) => ({
        name,
        check() {
          if (!bootstrap.done) throw new Error('not finished')
        },
      })),
      ...kms.map((plugin, i) => ({ name: `kms-provider-${i}`, check: () => plugin.check() })),
    ],
    ...(audited ? { audit: await openAudit(audited, seams) } : {}),
    ...(existsSync(tracingFile) ? { tracing: await openTracing(tracingFile, seams) } : {}),
    ...(cluster.apiServer?.shutdownDelay ? { shutdownDelay: cluster.apiServer.shutdownDelay } : {}),
    admission: await admissionOptions(cluster),
    metrics: [queues],
    paths: { [backupPath]: () => backupResponse(cluster, raw, new Date()) },
    ...(cluster.compat ? { compat: cluster.compat } : {}),
    log,
  })
  metrics.client = server.client({ username: metricsUser, groups: ['system:authenticated'] }, 'metrics-server')
  await server.start()
  return server
}

/** A client that is asked for when it is first used: the group it serves is part of the server that it talks to. */
function lazily(client: () => Client): Client {
  return { resource: (ref) => client().resource(ref), raw: (...args) => client().raw(...args) }
}

async function runSchedulerAs(client: Client, log: Logger, signal: AbortSignal): Promise<void> {
  await using context = createContext({ client, component: 'default-scheduler', log: log.named('scheduler') })
  await survive('scheduler', log, signal, () => runScheduler({ context }, signal))
}

async function runControllersAs(
  cluster: ClusterConfig,
  client: Client,
  server: StandardApiServer,
  ca: KeyPair,
  queues: QueueMetrics,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  await using context = createContext({ client, component: 'kube-controller-manager', log: log.named('controllers') })
  const all = [
    ...controllers({
      rootCA: ca.certificate,
      authority: certificateAuthority(ca),
      ...(cluster.compat ? { compat: cluster.compat } : {}),
      quota: { quotaStatus, countedResources },
      legacyTokens: { sign: (claims) => server.keys.sign(claims as never) },
    }),
    horizontalPodAutoscaler(),
    ...ingressControllers(cluster, log, signal),
  ]
  // every controller writes as itself, with the rights of its own role; what they read is shared
  const run = (controller: Controller) => {
    const own = server.client(controllerUser(controller.name), `${controller.name}-controller`)
    return runControllers(
      [controller],
      { ...context, client: own, cache: context.cache },
      { signal, metrics: { queue: (name) => queues.queue(name) } },
    )
  }
  await survive('controllers', log, signal, async () => void (await Promise.all(all.map(run))))
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
}

async function survive(what: string, log: Logger, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (signal.aborted) return
    log.error(`${what} ended`, { error: describeError(error) })
    throw error
  }
}
