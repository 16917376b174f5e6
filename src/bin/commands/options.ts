import { InvalidArgumentError, Option } from 'commander'

// What several commands share. Commands import what they need when they run: `k8ts --help` and the start of a component do not load what they do not use.
export const cluster = () => import('#cluster')

export const nameOption = (): Option => new Option('--name <name>', 'the cluster').env('K8TS_NAME').default('default')
export const outputOption = (): Option => new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text')

export const positive = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is expected')
  return value
}
export const port = (text: string): number => {
  const value = positive(text)
  if (value < 1 || value > 65535) throw new InvalidArgumentError('a port is between 1 and 65535')
  return value
}

export async function known(name: string) {
  const { loadCluster } = await cluster()
  const found = await loadCluster(name)
  if (!found) throw new Error(`there is no cluster ${name}: make it with \`k8ts up${name === 'default' ? '' : ` --name ${name}`}\``)
  return found
}

/** Runs something that an interruption ends in good order; the process then says so by its exit code. A second interruption ends it at once. */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new Error('interrupted'))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await run(controller.signal)
  } catch (error) {
    if (controller.signal.aborted) process.exit(130)
    throw error
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

/** Runs until it ends by itself or the process is asked to; a second request ends it at once. */
export async function untilStopped(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  await run(controller.signal)
}

/** Shows what goes on, on standard error: standard output has the names. */
export async function progress(quiet = false) {
  if (quiet) return {}
  const { buildPrinter } = await import('#build')
  const { stderr } = process
  const report = buildPrinter({ write: (text) => void stderr.write(text), terminal: stderr.isTTY === true, columns: stderr.columns })
  return { report, onLine: (line: string) => report({ type: 'note', text: line }) }
}
