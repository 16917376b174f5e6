import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Clock, Logger } from '#base'
import { realClock } from '#base'
import type { Applied, Backend, Certificate, DataPlane, Desired } from '../desired.ts'
import type { ConfigOptions } from './config.ts'
import { haproxyFiles, masterSocket, statsSocket } from './config.ts'
import { endpointChange } from './endpoints.ts'
import { command, workerPid } from './runtime.ts'

/** The process of HAProxy, which outlives us; whoever composes the cluster knows where it runs. */
export interface ProxyProcess {
  running(): boolean
  /** Starts it with these arguments. */
  start(args: readonly string[]): Promise<void>
  stop(): Promise<void>
  /** Whether a configuration is taken; what HAProxy says when it is not. */
  check(file: string): Promise<string | undefined>
}

export interface HaproxyOptions extends Omit<ConfigOptions, 'dir' | 'local'> {
  process: ProxyProcess
  /** Makes the pool's addresses lead to the namespace. */
  prepare(): Promise<void>
  /** Ports on the host's own address; asked for when HAProxy is started, with those it had before. */
  localPorts(): Promise<{ http: number; https: number }>
  log: Logger
  clock?: Clock
}

/** When an endpoint that gets no more requests is forgotten, milliseconds: most answers are over by then. */
const forgetAfterMs = 15_000

/** What HAProxy has loaded: the files as text, and what it serves by now. */
interface Loaded {
  structure: string
  desired: Desired
  dir: string
  refused: Map<string, string>
}

/**
 * HAProxy as a data plane. Endpoints are changed at run time. Everything else is a reload: a new process takes over the listening sockets, the old one
 * ends with its last connection. A process that dies is started again with what it had.
 */
export function haproxyDataPlane(options: HaproxyOptions): DataPlane {
  const { process, run, log, clock = realClock } = options
  const stats = statsSocket(run)
  const stopping = new AbortController()
  let loaded: Loaded | undefined
  let wanted: Desired | undefined
  /** The newest that is known of endpoints; what is being loaded may be older. */
  let newest: readonly Backend[] = []
  let loading = false
  let ports: { http: number; https: number } | undefined
  let generation = 0
  let watched = false
  const scheduled = new Set<() => void>()

  // endpoints do not wait for configurations
  const oneByOne = sequence()
  const oneChangeByOne = sequence()

  async function apply(desired: Desired): Promise<Applied> {
    wanted = desired
    if (desired.sites.length === 0) {
      loaded = undefined
      if (process.running()) await process.stop()
      return { refused: new Map(), reloaded: false }
    }
    if (!process.running()) loaded = undefined
    const local = loaded && ports ? ports : await ((ports = undefined), options.localPorts())
    ports = local
    const reloaded = !loaded || structureOf(desired, local) !== loaded.structure
    if (reloaded) {
      loading = true
      try {
        await load(desired, local)
      } finally {
        loading = false
        // also when it is not taken: what is served meanwhile must not lead to pods that are gone
        await endpoints()
      }
    } else await endpoints()
    return { refused: loaded!.refused, reloaded }
  }
  /** Everything but endpoints, as text that is equal when nothing changed. */
  function structureOf(desired: Desired, local: { http: number; https: number }): string {
    const { files, config } = haproxyFiles(desired, { ...options, dir: '.', local })
    return JSON.stringify([config(desired.backends.map((b) => ({ ...b, endpoints: [] }))), ...files])
  }

  async function load(desired: Desired, local: { http: number; https: number }): Promise<void> {
    await options.prepare()
    // HAProxy passes through it as its own user; what is in it is closed to others
    await mkdir(run, { recursive: true, mode: 0o711 })
    const refused = new Map<string, string>()
    const accepted = await write(desired, local, refused)
    await rm(join(run, 'next'), { force: true })
    await symlink(accepted.dir, join(run, 'next'))
    await rename(join(run, 'next'), join(run, 'current'))
    // the check took its time: what starts has the endpoints of now
    const served = { structure: structureOf(desired, local), desired: withEndpoints(desired, newest), dir: accepted.dir, refused }
    await keep(served)
    if (process.running()) await reload()
    else await start()
    await oneChangeByOne(async () => {
      loaded = served
    })
    for (const name of await readdir(run))
      if (/^config-\d+$/.test(name) && join(run, name) !== accepted.dir) await rm(join(run, name), { recursive: true, force: true })
    if (!watched) void watch()
  }

  /** Writes the files, leaving out certificates that HAProxy does not take: they must not keep the rest from being served. */
  async function write(desired: Desired, local: { http: number; https: number }, refused: Map<string, string>): Promise<{ dir: string }> {
    for (;;) {
      const dir = join(run, `config-${clock.now()}${generation++}`)
      const { files, config } = haproxyFiles(without(desired, refused), { ...options, dir, local })
      await mkdir(dir, { mode: 0o700 })
      for (const [name, text] of files) await writeFile(join(dir, name), text, { mode: 0o600 })
      await writeFile(join(dir, 'haproxy.cfg'), config(desired.backends), { mode: 0o600 })
      const complaint = await process.check(join(dir, 'haproxy.cfg'))
      if (complaint === undefined) return { dir }
      await rm(dir, { recursive: true, force: true })
      const bad = desired.certificates.filter((c) => !refused.has(c.id) && complaint.includes(`${c.id}.pem`))
      if (bad.length === 0) throw new Error(`HAProxy does not take its configuration: ${complaint}`)
      for (const { id } of bad) refused.set(id, reasonOf(complaint, id))
    }
  }

  async function start(): Promise<void> {
    const started = clock.monotonic()
    await rm(stats, { force: true })
    await process.start(['-W', '-f', join(run, 'current', 'haproxy.cfg'), '-S', `${masterSocket(run)},mode,600`])
    await answering((pid) => pid !== undefined)
    log.info('HAProxy runs', { ms: Math.round(clock.monotonic() - started) })
  }

  async function reload(): Promise<void> {
    const started = clock.monotonic()
    const before = await workerPid(stats)
    await command(masterSocket(run), 'reload').catch(() => {})
    await answering((pid) => pid !== undefined && pid !== before)
    log.info('HAProxy has a new configuration', { ms: Math.round(clock.monotonic() - started) })
  }

  /** Waits for a process to answer: HAProxy has no other way to say that it serves. */
  async function answering(right: (pid: number | undefined) => boolean): Promise<void> {
    const end = clock.monotonic() + 10_000
    while (!right(await workerPid(stats))) {
      if (!process.running()) throw new Error('HAProxy ended at its start')
      if (clock.monotonic() > end) throw new Error('HAProxy does not serve its configuration after 10 s')
      await clock.sleep(5, stopping.signal)
    }
  }

  /** Brings the process to the newest endpoints; those of earlier configurations hand their requests over to it. */
  const endpoints = () => oneChangeByOne(changeEndpoints)

  async function changeEndpoints(): Promise<void> {
    if (!loaded || !process.running()) return
    const desired = withEndpoints(loaded.desired, newest)
    const { add, drain } = endpointChange(loaded.desired.backends, desired.backends)
    if (add.length + drain.length === 0) return
    loaded = { ...loaded, desired }
    const started = clock.monotonic()
    const steps = [
      ...add.flatMap(({ backend, endpoint, keywords }) => [
        // one that is still being drained is there already
        { text: `add server ${backend}/${endpoint} ${endpoint}${keywords}`, expect: /registered|already exists/i },
        { text: `set server ${backend}/${endpoint} state ready`, expect: /^$/ },
      ]),
      ...drain.map(({ backend, endpoint }) => ({ text: `set server ${backend}/${endpoint} state maint`, expect: /^$/ })),
    ]
    try {
      for (const { text, expect } of steps) {
        const said = await command(stats, text)
        if (!expect.test(said)) throw new Error(`${text}: ${said}`)
      }
    } catch (error) {
      // a configuration that is being loaded gets them in the end; otherwise the file has them
      if (!loading) {
        log.warn('HAProxy is reloaded, for it did not take a change of endpoints', { error: error as Error })
        void oneByOne(async () => {
          if (process.running()) await reload()
        }).catch(() => {})
      }
    }
    log.debug('HAProxy has new endpoints', { added: add.length, drained: drain.length, ms: Math.round(clock.monotonic() - started) })
    await keep(loaded)
    if (drain.length > 0) {
      const cancel = clock.schedule(forgetAfterMs, () => {
        scheduled.delete(cancel)
        void oneChangeByOne(() => forget(drain)).catch(() => {})
      })
      scheduled.add(cancel)
    }
  }

  /** Writes the endpoints to the configuration: who dies comes back with them. */
  async function keep({ dir, desired }: Loaded): Promise<void> {
    const { config } = haproxyFiles(desired, { ...options, dir, local: ports! })
    const file = join(dir, 'haproxy.cfg')
    try {
      await writeFile(`${file}.tmp`, config(desired.backends), { mode: 0o600 })
      await rename(`${file}.tmp`, file)
    } catch (error) {
      // another configuration has taken its place
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** Removes endpoints that answer nothing any more; one that still does goes with the next reload. */
  async function forget(drained: readonly { backend: string; endpoint: string }[]): Promise<void> {
    if (stopping.signal.aborted) return
    for (const { backend, endpoint } of drained) {
      const back = loaded?.desired.backends.find((b) => b.id === backend)?.endpoints.includes(endpoint)
      if (!back) await command(stats, `del server ${backend}/${endpoint}`).catch(() => '')
    }
  }

  /** Holds a connection to the master: its end tells at once that the process died. */
  async function watch(): Promise<void> {
    watched = true
    while (!stopping.signal.aborted && loaded) {
      await closed(masterSocket(run), stopping.signal)
      if (stopping.signal.aborted) break
      await oneByOne(async () => {
        if (process.running() || !loaded) return
        log.warn('HAProxy died and is started again')
        try {
          // what it had was taken before, and is on disk
          await start()
        } catch (error) {
          log.warn('HAProxy does not start with what it had', { error })
          loaded = undefined
          if (wanted) await apply(wanted)
        }
      }).catch((error: unknown) => log.error('HAProxy cannot be started again', { error: error as Error }))
      await clock.sleep(50, stopping.signal).catch(() => {})
    }
    watched = false
  }

  return {
    apply(desired) {
      newest = desired.backends
      return oneByOne(() => apply(desired))
    },
    endpoints(backends) {
      newest = backends
      return endpoints()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      for (const cancel of scheduled) cancel()
      await oneByOne(async () => {})
      await oneChangeByOne(async () => {})
    },
  }
}

/** Runs steps one after another, whatever becomes of each. */
function sequence(): <T>(step: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (step) => {
    const result = last.then(step)
    last = result.catch(() => {})
    return result
  }
}

/** The same with newer endpoints, where a backend has any. */
function withEndpoints(desired: Desired, newer: readonly Backend[]): Desired {
  const endpoints = new Map(newer.map((b) => [b.id, b.endpoints]))
  return { ...desired, backends: desired.backends.map((b) => ({ ...b, endpoints: endpoints.get(b.id) ?? b.endpoints })) }
}

/** Resolves when the connection ends, or cannot be made. */
function closed(socket: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    const stop = () => connection.destroy()
    signal.addEventListener('abort', stop, { once: true })
    connection.on('error', () => {})
    connection.resume()
    connection.on('close', () => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
  })
}

function without(desired: Desired, refused: ReadonlyMap<string, string>): Desired {
  if (refused.size === 0) return desired
  const kept = (certificate: Pick<Certificate, 'id'>) => !refused.has(certificate.id)
  return {
    ...desired,
    certificates: desired.certificates.filter(kept),
    sites: desired.sites.map((site) => (site.tls ? { ...site, tls: { certificates: site.tls.certificates.filter(kept) } } : site)),
  }
}

/** The line that names the certificate, without our paths. */
function reasonOf(complaint: string, id: string): string {
  const line = complaint.split('\n').find((each) => each.includes(`${id}.pem`)) ?? complaint
  return line
    .replace(/^.*?: (?=unable|cannot|error|inconsist)/i, '')
    .replaceAll(/'?\/\S*\.pem'?/g, 'the certificate')
    .slice(0, 200)
}
