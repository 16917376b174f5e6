import type { Command } from 'commander'
import { cluster, known, nameOption, outputOption } from './options.ts'

/** `k8ts image`: images of the nodes. */
export function imageCommands(program: Command): void {
  const image = program.command('image').description('images of the cluster’s nodes')

  image
    .command('load')
    .description('put docker or OCI archives on every node')
    .argument('<archive...>')
    .addOption(nameOption())
    .action(async (archives: string[], { name }: { name: string }) => {
      const { loadImages } = await cluster()
      for (const loaded of await loadImages(await known(name), archives)) console.log(loaded)
    })

  image
    .command('build')
    .description('build an image from a Dockerfile and put it on every node')
    .argument('<directory>')
    .requiredOption('-t, --tag <name>', 'name of the image')
    .option('-f, --file <path>', 'the Dockerfile')
    .option(
      '--build-arg <name=value>',
      'an argument of the Dockerfile; may be given several times',
      (one: string, all: string[]) => [...all, one],
      [],
    )
    .addOption(nameOption())
    .action(async (directory: string, flags: { tag: string; file?: string; buildArg: string[]; name: string }) => {
      const { buildImage } = await cluster()
      const built = await buildImage(await known(flags.name), {
        directory,
        tag: flags.tag,
        ...(flags.file ? { file: flags.file } : {}),
        buildArgs: flags.buildArg,
        onLine: (line) => console.error(line),
      })
      for (const reference of built) console.log(reference)
    })

  image
    .command('list')
    .description('list the images of every node')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output: string }) => {
      const { listImages } = await cluster()
      const lists = await listImages(await known(name))
      if (output === 'json') return console.log(JSON.stringify(lists, undefined, 2))
      for (const { node, images } of lists) for (const each of images) console.log(`${node}\t${each}`)
    })
}
