// The program behind `docker` in the tool image.
import { enableCompileCache } from 'node:module'
import { docker } from '#build'

enableCompileCache()

// `docker images | head` has read enough
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    // a build ends its step and cleans up; what else there is ends at once
    if (stop.signal.aborted || !process.argv.includes('build')) process.exit(130)
    stop.abort(new Error('docker: interrupted'))
  })

try {
  const { env, stdin, stdout } = process
  process.exitCode = await docker(process.argv.slice(2), { env, stdin, stdout, signal: stop.signal })
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = stop.signal.aborted ? 130 : 1
}
