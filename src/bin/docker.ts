// The program behind `docker` in the tool image.
import { enableCompileCache } from 'node:module'
import { docker } from '#build'

enableCompileCache()

// `docker images | head` has read enough
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

try {
  process.exitCode = await docker(process.argv.slice(2), process)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
