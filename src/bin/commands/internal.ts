import type { Command } from 'commander'
import { known, untilStopped } from './options.ts'

/** The processes of a cluster, as `k8ts up` starts them. */
export function internalCommands(program: Command): void {
  const internal = program.command('internal', { hidden: true }).description('processes that `k8ts up` starts')
  internal
    .command('control-plane')
    .argument('<cluster>')
    .action(async (name: string) => {
      const { runControlPlane } = await import('#cluster/control-plane')
      await untilStopped(async (signal) => runControlPlane(await known(name), signal))
    })
  internal
    .command('ci')
    .argument('<cluster>')
    .action(async (name: string) => {
      const { runCiService } = await import('#cluster/ci')
      await untilStopped(async (signal) => runCiService(await known(name), signal))
    })
  internal
    .command('agent')
    .argument('<cluster>')
    .argument('<node>')
    .action(async (name: string, node: string) => {
      const { runAgent } = await import('#cluster/agent')
      await untilStopped(async (signal) => runAgent(await known(name), node, signal))
    })
}
