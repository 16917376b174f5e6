import type { Command } from 'commander'
import type { ClusterConfig } from '#cluster'
import { cluster, known, untilStopped } from './options.ts'

/** The processes of a cluster, as `k8ts up` starts them. */
export function internalCommands(program: Command): void {
  const internal = program.command('internal', { hidden: true }).description('processes that `k8ts up` starts')
  internal
    .command('control-plane')
    .argument('<cluster>')
    .action(async (name: string) => {
      const { runControlPlane } = await import('#cluster/control-plane')
      await component(name, runControlPlane)
    })
  internal
    .command('ci')
    .argument('<cluster>')
    .action(async (name: string) => {
      const { runCiService } = await import('#cluster/ci')
      await component(name, runCiService)
    })
  internal
    .command('agent')
    .argument('<cluster>')
    .argument('<node>')
    .action(async (name: string, node: string) => {
      const { runAgent } = await import('#cluster/agent')
      await component(name, (config, signal) => runAgent(config, node, signal))
    })
}

/** Runs until it is asked to stop, with no more memory than it needs. */
async function component(name: string, run: (config: ClusterConfig, signal: AbortSignal) => Promise<void>): Promise<void> {
  const config = await known(name)
  const { returnOwnIdleMemory } = await cluster()
  using _ = returnOwnIdleMemory()
  await untilStopped((signal) => run(config, signal))
}
