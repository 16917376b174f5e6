// The program behind `docker` in the tool image.
import { enableCompileCache } from 'node:module'
import { docker } from '#build'

enableCompileCache()

try {
  process.exitCode = await docker(process.argv.slice(2), process)
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
