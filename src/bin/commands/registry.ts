import type { Command } from 'commander'
import { Option } from 'commander'
import { cluster, known, nameOption, outputOption, port, positive, untilStopped } from './options.ts'

const json = (value: unknown) => console.log(JSON.stringify(value, undefined, 2))

/** `k8ts registry`: the cluster's image registry. */
export function registryCommands(program: Command): void {
  const registry = program.command('registry').description('the cluster’s image registry: images are named localhost:PORT/NAME:TAG everywhere')

  registry
    .command('up')
    .description('make the registry, or bring it into this form')
    .addOption(new Option('--port <port>', 'port on this machine, part of every image’s name; the first free one from 5000 on').argParser(port))
    .option('--storage <size>', 'size of its volume, e.g. 20Gi')
    .option('--node-credentials', 'nodes pull without a pod’s imagePullSecrets (so it is when nothing is said)')
    .option('--no-node-credentials', 'every pod needs imagePullSecrets')
    .addOption(new Option('--wait <seconds>', 'how long to wait for it').argParser(positive).default(120))
    .addOption(nameOption())
    .action(async (flags: { name: string; port?: number; storage?: string; nodeCredentials?: boolean; wait: number }) => {
      const { registryUp } = await cluster()
      await known(flags.name)
      const { wait, name, ...rest } = flags
      const { registry: made } = await registryUp(name, { ...rest, waitSeconds: wait })
      const of = name === 'default' ? '' : ` --name ${name}`
      console.log(`
The registry is localhost:${made!.port}. Next:
  k8ts registry login${of}          # docker, podman, buildah and skopeo may use it
  podman push my-app:1 localhost:${made!.port}/my-app:1
  kubectl create deployment my-app --image localhost:${made!.port}/my-app:1
  k8ts registry list${of}`)
    })

  registry
    .command('status')
    .description('where the registry is, and how it is')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output: string }) => {
      const { registryStatus } = await cluster()
      const status = await registryStatus(await known(name))
      if (output === 'json') json(status)
      else {
        const rows: [string, unknown][] = [
          ['registry', status.host === undefined ? 'none' : `${status.host} (${status.state})`],
          ['in pods', status.cluster],
          ['nodes', status.nodeCredentials === undefined ? undefined : status.nodeCredentials ? 'pull by themselves' : 'need imagePullSecrets'],
          ['volume', status.storage],
          ['repositories', status.repositories],
        ]
        for (const [label, value] of rows) if (value !== undefined) console.log(`${label.padEnd(12)}  ${value}`)
      }
      if (status.state !== 'running') process.exitCode = 1
    })

  registry
    .command('login')
    .description('let docker, podman, buildah and skopeo of this machine use the registry')
    .option('--auth-file <path>', 'where credentials are written; docker’s config.json when absent')
    .addOption(nameOption())
    .action(async ({ name, authFile }: { name: string; authFile?: string }) => {
      const { registryLogin } = await cluster()
      const login = await registryLogin(await known(name), authFile === undefined ? {} : { authFile })
      console.log(`${login.host}: credentials in ${login.authFile}, authority in ${login.caFile}`)
    })

  registry
    .command('credentials')
    .description('print user and password, for other machines and tools')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output: string }) => {
      const { adminClient, registryAccess } = await cluster()
      const config = await known(name)
      await using admin = await adminClient(name)
      const { host, username, password } = await registryAccess(config, admin.client)
      if (output === 'json') json({ host, username, password })
      else console.log(`registry  ${host}\nuser      ${username}\npassword  ${password}`)
    })

  registry
    .command('pull-secret')
    .description('put the credentials into a namespace, as a Secret for imagePullSecrets')
    .argument('<namespace>')
    .option('--secret <name>', 'name of the Secret', 'k8ts-registry')
    .option('--default', 'let pods of the namespace’s default service account use it without naming it', false)
    .addOption(nameOption())
    .action(async (namespace: string, flags: { name: string; secret: string; default: boolean }) => {
      const { adminClient } = await cluster()
      const { ensurePullSecret, useByDefault } = await import('#registry')
      await known(flags.name)
      await using admin = await adminClient(flags.name)
      const secret = await ensurePullSecret(admin.client, namespace, flags.secret)
      if (flags.default) await useByDefault(admin.client, namespace, secret)
      console.log(`secret/${secret}`)
    })

  registry
    .command('list')
    .description('list images that have a tag')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output: string }) => {
      const { adminClient, openRegistry } = await cluster()
      const { hostAddress, listRegistry } = await import('#registry')
      const config = await known(name)
      await using admin = await adminClient(name)
      using client = await openRegistry(config, admin.client)
      const host = hostAddress(config.registry!.port)
      const images = (await listRegistry(client)).map((image) => ({ name: `${host}/${image.repository}:${image.tag}`, ...image }))
      if (output === 'json') json(images)
      else for (const { name: full, digest, size } of images) console.log(`${full}\t${digest}\t${(size / 2 ** 20).toFixed(1)} MiB`)
    })

  registry
    .command('delete')
    .description('delete images: REPOSITORY:TAG takes the tag alone, REPOSITORY@DIGEST the image with all its tags')
    .argument('<image...>')
    .addOption(nameOption())
    .action(async (images: string[], { name }: { name: string }) => {
      const { adminClient, openRegistry } = await cluster()
      const { deleteFromRegistry, hostAddress, parseImage } = await import('#registry')
      const config = await known(name)
      await using admin = await adminClient(name)
      using client = await openRegistry(config, admin.client)
      // all names are understood before anything is deleted
      const parsed = images.map((text) => ({ text, image: parseImage(text, hostAddress(config.registry!.port)) }))
      for (const { text, image } of parsed) {
        const done = await deleteFromRegistry(client, image)
        if (done.kind === 'absent') throw new Error(`the registry has no image ${text}: see \`k8ts registry list\``)
        console.log(
          done.kind === 'tag'
            ? `deleted tag ${image.repository}:${done.tag}`
            : `deleted ${image.repository}@${done.digest}, tags: ${done.tags.join(', ') || 'none'}`,
        )
      }
      console.log('Its layers stay on the disk until `k8ts registry gc`.')
    })

  registry
    .command('gc')
    .description('free what no tag leads to; the registry is read-only meanwhile')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output: string }) => {
      const { collectGarbage } = await cluster()
      const config = await known(name)
      await untilStopped(async (signal) => {
        const done = await collectGarbage(config, { signal, silent: output === 'json' })
        if (output === 'json') json(done)
        else
          console.log(
            `${done.uploads} unfinished uploads and ${done.manifests} manifests without a tag deleted; ${done.blobs} blobs freed, ${done.kept} kept`,
          )
      })
    })

  registry
    .command('down')
    .description('remove the registry and all its images')
    .addOption(nameOption())
    .action(async ({ name }: { name: string }) => {
      const { registryDown } = await cluster()
      await known(name)
      if (!(await registryDown(name))) console.log(`cluster ${name} has no registry`)
    })
}
