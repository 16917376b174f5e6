import { createRequire } from 'node:module'
import { enableCompileCache } from 'node:module'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

enableCompileCache()

// Commands are imported when they run: `k8ts --help` and the start of a component do not load what they do not need.
const cluster = () => import('#cluster')

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
const program = new Command('k8ts')
  .description('Kubernetes in TypeScript: a cluster with real containers')
  .version(version)
  .showHelpAfterError('(run with --help for the flags)')

const nameOption = () => new Option('--name <name>', 'the cluster').default('default')
const outputOption = () => new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text')

const positive = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is expected')
  return value
}
const port = (text: string): number => {
  const value = positive(text)
  if (value < 1 || value > 65535) throw new InvalidArgumentError('a port is between 1 and 65535')
  return value
}
const storeName = (text: string): string => {
  if (text !== 'sqlite' && text !== 'memory') throw new InvalidArgumentError('sqlite or memory is expected')
  return text
}

program
  .command('up')
  .description('make and start a cluster, or start what of it does not run')
  .addOption(nameOption())
  .addOption(new Option('--nodes <count>', 'number of nodes').argParser(positive))
  .addOption(new Option('--runtime <runtime>', 'what runs containers').choices(['containerd', 'fake']))
  .addOption(new Option('--store <store>', 'where objects are kept: sqlite or memory').argParser(storeName))
  .addOption(new Option('--compat <release>', 'behave as clients and components of this release expect').choices(['1.20']))
  .addOption(new Option('--api-port <port>', 'port of the API server').argParser(port))
  .addOption(new Option('--wait <seconds>', 'how long to wait for a node').argParser(positive).default(120))
  .action(
    async (flags: {
      name: string
      nodes?: number
      runtime?: 'containerd' | 'fake'
      store?: string
      compat?: '1.20'
      apiPort?: number
      wait: number
    }) => {
      const { up, explainNext } = await cluster()
      const { wait, ...rest } = flags
      console.log(explainNext(await up({ ...rest, waitSeconds: wait })))
    },
  )

program
  .command('down')
  .description('remove a cluster and everything it owns')
  .addOption(nameOption())
  .action(async ({ name }: { name: string }) => {
    const { down } = await cluster()
    if (!(await down(name))) console.log(`there is no cluster ${name}`)
  })

program
  .command('status')
  .description('what runs')
  .addOption(nameOption())
  .addOption(outputOption())
  .action(async ({ name, output }: { name: string; output: string }) => {
    const { clusterStatus, describeStatus } = await cluster()
    const status = await clusterStatus(await known(name))
    console.log(output === 'json' ? JSON.stringify(status, undefined, 2) : describeStatus(status))
    if (status.state !== 'running') process.exitCode = 1
  })

program
  .command('kubeconfig')
  .description('print the kubeconfig of the cluster')
  .addOption(nameOption())
  .action(async ({ name }: { name: string }) => {
    const { clusterPaths } = await cluster()
    const { readFile } = await import('node:fs/promises')
    await known(name)
    process.stdout.write(await readFile(clusterPaths(name).kubeconfig, 'utf8'))
  })

program
  .command('logs')
  .description('print the logs of the cluster’s own processes (of a pod: kubectl logs)')
  .argument('[of]', 'a component or a node; everything when absent')
  .addOption(nameOption())
  .option('-f, --follow', 'go on printing', false)
  .addOption(new Option('-n, --lines <count>', 'how many lines back').argParser(positive).default(100))
  .action(async (of: string | undefined, { name, follow, lines }: { name: string; follow: boolean; lines: number }) => {
    const { printLogs } = await cluster()
    await printLogs(await known(name), { ...(of === undefined ? {} : { of }), follow, lines })
  })

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
  .option('--build-arg <name=value>', 'an argument of the Dockerfile; may be given several times', (one: string, all: string[]) => [...all, one], [])
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

program
  .command('doctor')
  .description('check what a cluster needs of this machine')
  .action(async () => {
    const { diagnose } = await cluster()
    const findings = await diagnose()
    for (const { ok, what, advice } of findings) console.log(`${ok ? 'ok     ' : 'missing'}  ${what}${ok ? '' : ` — ${advice}`}`)
    if (findings.some((f) => !f.ok)) process.exitCode = 1
  })

const internal = program.command('internal', { hidden: true }).description('processes that `k8ts up` starts')
internal
  .command('control-plane')
  .argument('<cluster>')
  .action(async (name: string) => {
    const { runControlPlane } = await import('#cluster/control-plane')
    await untilStopped(async (signal) => runControlPlane(await known(name), signal))
  })
internal
  .command('agent')
  .argument('<cluster>')
  .argument('<node>')
  .action(async (name: string, node: string) => {
    const { runAgent } = await import('#cluster/agent')
    await untilStopped(async (signal) => runAgent(await known(name), node, signal))
  })

async function known(name: string) {
  const { loadCluster } = await cluster()
  const found = await loadCluster(name)
  if (!found) throw new Error(`there is no cluster ${name}: make it with \`k8ts up${name === 'default' ? '' : ` --name ${name}`}\``)
  return found
}

/** Runs until it ends by itself or the process is asked to; a second request ends it at once. */
async function untilStopped(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  await run(controller.signal)
}

program.exitOverride()
for (const command of [...program.commands, ...image.commands, ...internal.commands]) command.exitOverride()

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
