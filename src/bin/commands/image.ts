import type { Command } from 'commander'
import { cluster, interruptible, known, nameOption, outputOption, progress } from './options.ts'

const several = (one: string, all: string[] = []): string[] => [...all, one]

interface BuildFlags {
  tag: string[]
  file?: string
  buildArg: string[]
  label: string[]
  secret: string[]
  target?: string
  cache: boolean
  load: boolean
  push?: boolean
  pull?: boolean
  quiet?: boolean
  name: string
}

interface BaseFlags {
  suite?: string
  slim?: boolean
  include?: string
}

/** `k8ts image`: images of this machine and of the nodes. */
export function imageCommands(program: Command): void {
  const image = program.command('image').description('build images, and put them on the cluster’s nodes')

  image
    .command('load')
    .description('put docker or OCI archives, or images of this machine’s store, on every node')
    .argument('<archive or name...>')
    .addOption(nameOption())
    .action(async (given: string[], { name }: { name: string }) => {
      const { loadImages, loadNamed } = await cluster()
      const { existsSync } = await import('node:fs')
      const config = await known(name)
      // what has a slash in front, or an archive's ending, was meant as a file
      const isFile = (each: string) => existsSync(each) || /^[./]|\.(tar|tgz|gz)$/.test(each)
      const loaded = await loadImages(config, given.filter(isFile))
      const names = given.filter((each) => !isFile(each))
      if (names.length > 0) loaded.push(...(await loadNamed(config, names, await progress())))
      for (const each of loaded) console.log(each)
    })

  image
    .command('build')
    .description('build an image from a Dockerfile and put it on every node')
    .argument('<directory>', 'the build context')
    .requiredOption('-t, --tag <name>', 'name of the image, NAME:TAG; may be given several times', several)
    .option('-f, --file <path>', 'the Dockerfile (default: Dockerfile in the directory)')
    .option('--build-arg <name=value>', 'an argument of the Dockerfile; may be given several times', several, [])
    .option('--label <name=value>', 'a label for the image; may be given several times', several, [])
    .option('--secret <id=name,src=file>', 'a secret for RUN --mount=type=secret; may be given several times', several, [])
    .option('--target <stage>', 'the stage to build (default: the last)')
    .option('--no-cache', 'run every step again')
    .option('--push', 'send the image to the cluster’s registry (`k8ts registry up`) instead')
    .option('--pull', 'ask registries for base images that are not here')
    .option('--no-load', 'leave the image in this machine’s store')
    .option('-q, --quiet', 'print only the names of the image')
    .addOption(nameOption())
    .action(async (directory: string, flags: BuildFlags) => {
      const { buildImage } = await cluster()
      const built = await interruptible(async (signal) =>
        buildImage(flags.load || flags.push ? await known(flags.name) : undefined, {
          directory,
          tag: flags.tag,
          ...(flags.file ? { file: flags.file } : {}),
          ...(flags.target ? { target: flags.target } : {}),
          buildArgs: flags.buildArg,
          labels: flags.label,
          secrets: flags.secret,
          noCache: !flags.cache,
          push: flags.push === true,
          pull: flags.pull === true,
          ...(await progress(flags.quiet)),
          signal,
        }),
      )
      for (const reference of built) console.log(reference)
    })

  image
    .command('base')
    .description('make a base image of Debian’s packages, for FROM (debian:… is made by itself when a build needs it)')
    .argument('<name>', 'its name, NAME:TAG')
    .option('--suite <release>', 'Debian’s release (default: the one that this machine runs)')
    .option('--include <packages>', 'more packages, with commas between them')
    .option('--slim', 'without manuals, documentation and translations')
    .action(async (name: string, { suite, slim, include }: BaseFlags) => {
      const { makeBaseImage } = await cluster()
      const packages = include?.split(',').filter(Boolean) ?? []
      await makeBaseImage(name, { ...(suite ? { suite } : {}), slim: slim === true, include: packages, ...(await progress()) })
      console.log(name)
    })

  image
    .command('push')
    .description('send an image of this machine to the cluster’s registry')
    .argument('<image>')
    .addOption(nameOption())
    .action(async (name: string, flags: { name: string }) => {
      const { pushStored } = await cluster()
      console.log(await pushStored(await known(flags.name), name, (await progress()).report))
    })

  image
    .command('mirror')
    .description('put copies of base images into the cluster’s registry, where builds in pods find them for FROM')
    .argument('<image...>', 'e.g. debian:bookworm')
    .addOption(nameOption())
    .action(async (names: string[], flags: { name: string }) => {
      const { mirrorImage } = await cluster()
      for (const name of names) console.log(await mirrorImage(await known(flags.name), name, await progress()))
    })

  image
    .command('tools')
    .description('put the image of pipelines’ tools (git, kubectl, docker, Node) on every node')
    .addOption(nameOption())
    .action(async (flags: { name: string }) => {
      const { ensureToolImage } = await cluster()
      console.log(await ensureToolImage(await known(flags.name), (await progress()).report))
    })

  image
    .command('prune')
    .description('remove layers of earlier builds from this machine’s store; nodes keep their images')
    .option('-a, --all', 'and every image of the store, of other programs (podman, buildah), too')
    .action(async ({ all }: { all?: boolean }) => {
      const { pruneStore } = await cluster()
      console.log(`removed ${await pruneStore(all === true)} images`)
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
