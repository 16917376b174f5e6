import { join } from 'node:path'
import { readdir } from 'node:fs/promises'
import type { DeepReadonly, ci } from '#api'
import { resources } from '#api'
import { type Clock, type Logger, Teardown, describeError, realClock } from '#base'
import type { Client } from '#client'
import { createContext, runControllers } from '#runtime'
import { compileConfig } from './config/index.ts'
import { type CiOptions, ciControllers } from './controllers/index.ts'
import { agentProgram } from './controllers/agent-program.ts'
import { ciCaches, keyOf } from './controllers/context.ts'
import { createRepositories } from './git/repositories.ts'
import { createGitSource } from './git/source.ts'
import { notificationsController } from './notify/index.ts'
import { agentRoutes } from './service/agent-routes.ts'
import { openLogs } from './service/logs.ts'
import { readerRoutes } from './service/reader-routes.ts'
import { openReports } from './service/reports.ts'
import { startServiceServer } from './service/server.ts'
import { ensureKey, openStorage } from './service/storage.ts'
import { jobTokens } from './service/tokens.ts'
import { createEdge, pipelineAddress } from './edge.ts'

export interface CiRunOptions {
  client: Client
  /** Where repositories, logs, caches and artifacts are kept. */
  directory: string
  /** Where the service listens; agents reach it at the first. */
  addresses: readonly string[]
  port: number
  /** How people reach it, e.g. `https://127.0.0.1:7443`. */
  publicUrl: string
  /** The service's own certificate, and the authority that signed it and its readers' ones. PEM. */
  tls: { cert: string; key: string; ca: string }
  /** The image of agents and machines. */
  toolImage: string
  builder: CiOptions['builder']
  clock?: Clock
  log: Logger
}

const sweepEvery = 10 * 60_000

/** The service and the controllers of pipelines, in this process. Runs until the signal aborts; jobs go on without it, and their agents wait for the next one. */
export async function runCi(options: CiRunOptions, signal: AbortSignal): Promise<void> {
  const { client, directory, addresses, port, publicUrl, tls, toolImage, builder, clock = realClock, log } = options
  await using teardown = new Teardown()
  const storage = openStorage(directory)
  const tokens = jobTokens(await ensureKey(directory))
  const [logs, reports] = [openLogs(), openReports(storage)]
  const repositories = createRepositories({ directory: join(directory, 'git') })
  const git = createGitSource({ repositories, client })
  const context = teardown.use(createContext({ client, component: 'k8ts-ci', clock, log }))
  const { jobs } = ciCaches(context)
  // a token is judged by its job: nobody is answered before jobs are known
  await jobs.ready(signal)
  const job = (namespace: string, name: string): DeepReadonly<ci.Job> | undefined => jobs.get(keyOf(namespace, name))
  const edge = createEdge({ client, repositories, tokens, publicUrl, clock, log, job, storage, logs, reports })
  const server = teardown.use(
    await startServiceServer({
      addresses,
      port,
      tls: { cert: tls.cert, key: tls.key, clientCa: tls.ca },
      routes: [...agentRoutes({ tokens, job, storage, logs, reports }), ...readerRoutes({ client, job, storage, logs, reports }), ...edge.routes],
      log: log.named('service'),
    }),
  )
  const service = { url: `https://${addresses[0]}:${server.port}`, ca: tls.ca }
  const controllers = [
    ...ciControllers({ git, compile: compileConfig, reports, tokens, service, publicUrl, toolImage, builder, program: await agentProgram() }),
    notificationsController({ addressOf: (pipeline) => pipelineAddress(publicUrl, pipeline) }),
  ]
  log.info('CI is running', { url: publicUrl })
  await Promise.all([runControllers(controllers, context, { signal }), edge.run(signal), sweep()])

  /** What a job left goes when its object has gone. */
  async function sweep(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(sweepEvery, signal).catch(() => {})
      if (signal.aborted) return
      try {
        const kept = new Set((await client.resource(resources.ciJobs).list()).items.map((one) => one.metadata.uid!))
        const stored = await readdir(join(directory, 'jobs')).catch(() => [])
        for (const uid of stored) if (!kept.has(uid)) await reports.forget(uid)
      } catch (error) {
        log.warn('old jobs were not swept', { error: describeError(error) })
      }
    }
  }
}
