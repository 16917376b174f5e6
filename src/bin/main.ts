import { createRequire } from 'node:module'
import { enableCompileCache } from 'node:module'
import { Command, CommanderError } from 'commander'
import { addressCommands } from './commands/address.ts'
import { backupCommands } from './commands/backup.ts'
import { ciCommands } from './commands/ci.ts'
import { clusterCommands } from './commands/cluster.ts'
import { imageCommands } from './commands/image.ts'
import { internalCommands } from './commands/internal.ts'
import { registryCommands } from './commands/registry.ts'

enableCompileCache()

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
const program = new Command('k8ts')
  .description('Kubernetes in TypeScript: a cluster with real containers')
  .version(version)
  .showHelpAfterError('(run with --help for the flags)')

for (const add of [clusterCommands, backupCommands, imageCommands, registryCommands, addressCommands, ciCommands, internalCommands]) add(program)

exitByThrowing(program)

/** Commander ends the process by itself otherwise, with its own exit codes. */
function exitByThrowing(command: Command): void {
  command.exitOverride()
  for (const each of command.commands) exitByThrowing(each)
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    console.error(`k8ts: ${error instanceof Error ? error.message : String(error)}`)
    if (process.env['K8TS_DEBUG']) console.error(error)
    process.exitCode = 1
  }
}
