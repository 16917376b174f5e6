import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { CommandError } from '#base'
import type { BaseImages } from '../base-images.ts'
import { BuildError, buildImage } from '../build-image.ts'
import { buildah, inspectImage, pruneImages, pullImage, pushImage, tagImage } from '../buildah.ts'
import { buildPrinter } from '../printer.ts'
import { fullName, registryOf } from '../reference.ts'
import { toolImage } from '../tools/tool-image.ts'
import type { PodRegistry } from './credentials.ts'
import { authFile, fromPod, mirrorName, podRegistry, setCredentials } from './credentials.ts'
import type { DockerCommand } from './flags.ts'
import { DockerUsageError, parseDocker } from './flags.ts'

export interface DockerIo {
  env: NodeJS.ProcessEnv
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
}

/** The command `docker` of the tool image, over buildah: no daemon, no socket. Answers the exit code; throws for what went wrong. */
export async function docker(argv: readonly string[], io: DockerIo): Promise<number> {
  if (argv.length === 0 || argv[0] === '--help' || argv[0] === 'help' || argv[0] === '-h') {
    print(
      io,
      'docker of k8ts: builds, tags and pushes images with buildah, without a daemon.\nCommands: build, push, pull, tag, login, logout, images, rmi, save, load, inspect, history, run, version, info',
    )
    return 0
  }
  if (argv[0] === '--version' || argv[0] === '-v') return actions['version']!(parseDocker(['version']), io)
  const command = parseDocker(argv)
  try {
    return await actions[command.name]!(command, io)
  } catch (error) {
    if (error instanceof CommandError && /CLONE_NEWUSER|user namespace/.test(error.stderr))
      throw new Error('docker: this container may not make a user namespace; its securityContext needs `seccompProfile: { type: Unconfined }`', {
        cause: error,
      })
    if (error instanceof BuildError && /Temporary failure (in name resolution|resolving)|Could not resolve host/.test(error.message))
      throw new BuildError(
        `${error.message}\nPods reach no network outside of the cluster: build an image with what is wanted on the machine (\`k8ts image build -t NAME --push\`), and start FROM it`,
        { cause: error },
      )
    throw error
  }
}

type Action = (command: DockerCommand, io: DockerIo) => Promise<number>

const print = (io: DockerIo, text: string): void => void io.stdout.write(`${text}\n`)

const actions: Record<string, Action> = {
  async build({ lists, values, switches, args }, io) {
    const [directory, more] = args
    if (!directory || more !== undefined) throw new DockerUsageError('docker build takes one argument, the directory of the build')
    if (directory === '-' || /^(https?|git):\/\/|^git@/.test(directory))
      throw new DockerUsageError(`docker build: the context ${directory} is not supported here: use a directory`)
    const registry = podRegistry(io.env)
    const quiet = switches.has('quiet')
    const report = buildPrinter({
      write: (text) => void io.stdout.write(text),
      terminal: io.stdout.isTTY === true,
      ...(io.stdout.columns ? { columns: io.stdout.columns } : {}),
    })
    const untagged = 'localhost/untagged:latest'
    const { id, names } = await buildImage({
      tag: lists['tag'] ?? untagged,
      directory,
      ...(values['file'] ? { file: values['file'] } : {}),
      ...(values['target'] ? { target: values['target'] } : {}),
      buildArgs: lists['buildArg'] ?? [],
      labels: lists['label'] ?? [],
      secrets: lists['secret'] ?? [],
      noCache: switches.has('noCache'),
      bases: [clusterImages(registry, await authFile(io.env))],
      ...(quiet ? {} : { report }),
    })
    if (values['iidfile']) await writeFile(values['iidfile'], `sha256:${id}`)
    print(io, quiet ? `sha256:${id}` : `Successfully built ${id.slice(0, 12)}`)
    if (!quiet) for (const tag of lists['tag'] ?? []) print(io, `Successfully tagged ${tag}`)
    if (switches.has('push')) for (const name of names) await push(name, io)
    return 0
  },

  async push({ args }, io) {
    await push(one(args, 'push', 'an image'), io)
    return 0
  },

  async pull({ args, switches }, io) {
    const name = fullName(one(args, 'pull', 'an image'))
    const registry = podRegistry(io.env)
    if (!(await pull(name, registry, await authFile(io.env)))) throw new Error(unreachable(name, registry))
    print(io, switches.has('quiet') ? name : `Downloaded ${name}`)
    return 0
  },

  async tag({ args }) {
    const [from, to, more] = args
    if (!from || !to || more !== undefined) throw new DockerUsageError('docker tag takes two arguments: SOURCE and TARGET')
    await tagImage(await stored(from), fullName(to))
    return 0
  },

  async login({ args, values, switches }, io) {
    const { username } = values
    const host = args[0] ?? podRegistry(io.env)?.host
    if (!host) throw new DockerUsageError('docker login: name the registry')
    if (!username) throw new DockerUsageError('docker login needs -u USER and --password-stdin')
    const password = switches.has('passwordStdin') ? (await text(io.stdin)).replace(/\r?\n$/, '') : values['password']
    if (!password) throw new DockerUsageError('docker login needs a password: pipe it in with --password-stdin')
    const registry = podRegistry(io.env)
    const hosts = registry?.host === host ? [host, registry.address] : [host]
    const file = await setCredentials(io.env, hosts, { username, password })
    try {
      // asks the registry; the password goes by standard input, where no list of processes shows it
      await buildah(['login', '--authfile', file, '-u', username, '--password-stdin', '--', hosts.at(-1)!], { input: password })
    } catch (error) {
      await setCredentials(io.env, hosts, undefined)
      throw new Error(`docker login: ${host} does not accept this user and password${reason(error)}`, { cause: error })
    }
    print(io, 'Login Succeeded')
    return 0
  },

  async logout({ args }, io) {
    const registry = podRegistry(io.env)
    const host = args[0] ?? registry?.host
    if (!host) throw new DockerUsageError('docker logout: name the registry')
    await setCredentials(io.env, registry?.host === host ? [host, registry.address] : [host], undefined)
    print(io, `Removing login credentials for ${host}`)
    return 0
  },

  async images({ args, switches, values }, io) {
    const format = values['format']
    const list = await buildah([
      'images',
      '--format',
      '{{.Name}}|{{.Tag}}|{{.ID}}|{{.CreatedAt}}|{{.Size}}',
      '--noheading',
      ...(args[0] ? [fullName(args[0])] : []),
    ])
    const rows = list
      .split('\n')
      .filter((line) => line && !line.startsWith('<none>'))
      .map((line) => line.split('|'))
    const short = (name: string) => name.replace(/^docker\.io\/(library\/)?/, '')
    if (switches.has('quiet')) for (const row of rows) print(io, row[2]!)
    else if (format)
      for (const [name, tag, id, created, size] of rows)
        print(io, fill(format, { Repository: short(name!), Tag: tag!, ID: id!, CreatedAt: created!, Size: size! }))
    else {
      const table = [['REPOSITORY', 'TAG', 'IMAGE ID', 'SIZE'], ...rows.map(([name, tag, id, , size]) => [short(name!), tag!, id!, size!])]
      const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)))
      for (const row of table)
        print(
          io,
          row
            .map((cell, column) => cell.padEnd(widths[column]!))
            .join('   ')
            .trimEnd(),
        )
    }
    return 0
  },

  async rmi({ args, switches }, io) {
    if (args.length === 0) throw new DockerUsageError('docker rmi takes the names of images')
    for (const name of args) {
      await buildah(['rmi', ...(switches.has('force') ? ['--force'] : []), '--', await stored(name)])
      print(io, `Untagged: ${name}`)
    }
    return 0
  },

  async prune({ switches }, io) {
    // without names there are the layers of earlier builds; -a takes every image
    print(io, `Deleted ${await pruneImages(switches.has('all'))} images`)
    return 0
  },

  async save({ args, values }) {
    const name = await stored(one(args, 'save', 'an image'))
    const output = values['output']
    if (!output) throw new DockerUsageError('docker save needs -o FILE')
    await buildah(['push', '--quiet', '--', name, `docker-archive:${output}:${name}`])
    return 0
  },

  async load({ values }, io) {
    const { input } = values
    if (!input) throw new DockerUsageError('docker load needs -i FILE')
    const loaded = (await buildah(['pull', '--quiet', `docker-archive:${input}`])).trim()
    print(io, `Loaded image: ${loaded}`)
    return 0
  },

  async inspect({ args }, io) {
    if (args.length === 0) throw new DockerUsageError('docker inspect takes the names of images')
    const found = await Promise.all(
      args.map(async (name) => JSON.parse(await buildah(['inspect', '--type', 'image', await stored(name)])) as Inspected),
    )
    print(
      io,
      JSON.stringify(
        found.map(({ FromImageID, Docker, FromImage }) => ({
          Id: `sha256:${FromImageID}`,
          RepoTags: [FromImage],
          Created: Docker.created,
          Architecture: Docker.architecture,
          Os: Docker.os,
          Config: Docker.config,
          RootFS: Docker.rootfs,
        })),
        undefined,
        2,
      ),
    )
    return 0
  },

  async history({ args }, io) {
    const { Docker } = JSON.parse(await buildah(['inspect', '--type', 'image', await stored(one(args, 'history', 'an image'))])) as Inspected
    for (const { created, created_by: by } of [...(Docker.history ?? [])].reverse()) print(io, `${created}  ${by ?? ''}`)
    return 0
  },

  run,

  async version(_, io) {
    const buildahVersion = (await buildah(['--version'])).trim()
    print(io, `docker of ${toolImage.replace(/^localhost\//, '')}, ${buildahVersion}`)
    return 0
  },

  async info(_, io) {
    print(io, (await buildah(['info'])).trim())
    return 0
  },
}

interface Inspected {
  FromImage: string
  FromImageID: string
  Docker: { created: string; architecture: string; os: string; config: object; rootfs: object; history?: { created: string; created_by?: string }[] }
}

function one(args: readonly string[], command: string, what: string): string {
  const [first, more] = args
  if (!first || more !== undefined) throw new DockerUsageError(`docker ${command} takes one argument, the name of ${what}`)
  return first
}

/** The image's full name (or ID), when the store has it. */
async function stored(name: string): Promise<string> {
  if (await inspectImage(fullName(name))) return fullName(name)
  const id = name.replace(/^sha256:/, '')
  if (/^[0-9a-f]{6,64}$/.test(id) && (await inspectImage(id))) return id
  throw new Error(`there is no image ${name} here: \`docker images\` lists those that are`)
}

async function push(name: string, io: DockerIo): Promise<void> {
  const registry = podRegistry(io.env)
  const reference = await stored(name)
  if (registryOf(reference) === 'docker.io' || registryOf(reference) === 'localhost')
    throw new Error(`docker push: ${name} names no registry that can be pushed to${registry ? `: tag it ${registry.host}/NAME:TAG` : ''}`)
  const auth = await authFile(io.env)
  print(io, `The push refers to repository [${reference.replace(/[:@][^/]*$/, '')}]`)
  try {
    await pushImage(reference, { destination: fromPod(reference, registry), ...(auth ? { authFile: auth } : {}) })
  } catch (error) {
    throw new Error(`docker push ${name}: ${registryOf(reference)} did not take it${reason(error)}`, { cause: error })
  }
  print(io, `${reference.slice(reference.lastIndexOf(':') + 1)}: pushed`)
}

/** The last line of what buildah said, without the chain of what it was doing. */
function reason(error: unknown): string {
  if (!(error instanceof CommandError)) return ''
  const last = error.stderr
    .trim()
    .split('\n')
    .at(-1)!
    .replace(/^Error: /, '')
  if (/unauthorized|authentication required/.test(last)) return ': not logged in, or not allowed (docker login)'
  return `: ${last}`
}

/** Brings an image into the store from the cluster's registry: its own images, and its copies of base images. False when it has none of this name. */
async function pull(name: string, registry: PodRegistry | undefined, auth: string | undefined): Promise<boolean> {
  const own = fromPod(name, registry)
  const place = own !== name || !registry ? own : mirrorName(name, registry.address)
  if (!registry) return false
  try {
    await pullImage(place, auth ? { authFile: auth } : {})
  } catch (error) {
    if (error instanceof CommandError && /manifest unknown|name unknown|not found/i.test(error.stderr)) return false
    throw new Error(`${name} cannot be had from the registry of the cluster${reason(error)}`, { cause: error })
  }
  if (place !== name) {
    await tagImage(place, name)
    // of two names, this takes the one
    await buildah(['rmi', '--', place])
  }
  return true
}

const clusterImages = (registry: PodRegistry | undefined, auth: string | undefined): BaseImages => ({
  offers: registry ? `images of ${registry.host}, and base images that were put there with \`k8ts image mirror NAME\`` : '',
  provide: (reference) => pull(reference, registry, auth),
})

const unreachable = (name: string, registry: PodRegistry | undefined): string =>
  registry
    ? `the registry of the cluster has no ${name}: \`k8ts image mirror ${name}\` puts a base image there`
    : `${name} cannot be had: this pod knows no registry (K8TS_REGISTRY is not set)`

/** A process in the image's file system: chroot isolation, the pod's network, mounts for -v. */
async function run({ args, lists, values }: DockerCommand, io: DockerIo): Promise<number> {
  const [name, ...words] = args
  if (!name) throw new DockerUsageError('docker run takes an image and its command')
  if (values['network'] && values['network'] !== 'host')
    throw new DockerUsageError('docker run: --network is not supported here: a container uses the network of its pod')
  const reference = fullName(name)
  if (!(await inspectImage(reference)) && !(await pull(reference, podRegistry(io.env), await authFile(io.env))))
    throw new Error(unreachable(name, podRegistry(io.env)))
  const { Docker } = JSON.parse(await buildah(['inspect', '--type', 'image', reference])) as {
    Docker: { config: { Entrypoint?: string[] | null; Cmd?: string[] | null } }
  }
  const entrypoint = values['entrypoint'] === undefined ? (Docker.config.Entrypoint ?? []) : [values['entrypoint']].filter(Boolean)
  const command = words.length > 0 ? words : values['entrypoint'] === undefined ? (Docker.config.Cmd ?? []) : []
  const program = [...entrypoint, ...command]
  if (program.length === 0) throw new Error(`${name} has no command of its own: say what to run`)
  const files = (lists['envFile'] ?? []).flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#')),
  )
  const env = [...files, ...(lists['env'] ?? [])].flatMap((each) => {
    const set = each.includes('=') ? each : io.env[each] === undefined ? undefined : `${each}=${io.env[each]}`
    return set ? ['--env', set] : []
  })
  const container = (await buildah(['from', '--pull=never', '--', reference])).trim()
  try {
    return await attached('buildah', [
      'run',
      '--isolation=chroot',
      ...env,
      ...(lists['volume'] ?? []).flatMap((volume) => ['--volume', volume]),
      ...(values['workdir'] ? ['--workingdir', values['workdir']] : []),
      ...(values['user'] ? ['--user', values['user']] : []),
      '--',
      container,
      ...program,
    ])
  } finally {
    await buildah(['rm', '--', container])
  }
}

/** Runs a program on this one's input and output. */
const attached = (program: string, args: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}

const fill = (format: string, fields: Record<string, string>): string =>
  format.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => fields[name] ?? whole)
