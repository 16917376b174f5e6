import type { Command } from 'commander'
import { cluster, known, nameOption, outputOption } from './options.ts'

/** `k8ts backup` and `k8ts restore`: the objects of a cluster as a file. */
export function backupCommands(program: Command): void {
  program
    .command('backup')
    .description('write the objects of a cluster to a file while it runs; secrets are in it')
    .argument('<file>')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async (file: string, { name, output }: { name: string; output: string }) => {
      const { backupCluster } = await cluster()
      const summary = await backupCluster(await known(name), file)
      console.log(
        output === 'json' ? JSON.stringify(summary, undefined, 2) : `${file}: ${summary.keys} objects of revision ${summary.revision}, verified`,
      )
    })

  program
    .command('restore')
    .description('make a cluster hold the objects of a backup and nothing else; pods go on running meanwhile')
    .argument('<file>')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async (file: string, { name, output }: { name: string; output: string }) => {
      const { restoreCluster } = await cluster()
      const summary = await restoreCluster(await known(name), file)
      console.log(
        output === 'json'
          ? JSON.stringify(summary, undefined, 2)
          : `${summary.keys} objects of ${summary.time} are back: what differs now is made so by the controllers`,
      )
    })
}
