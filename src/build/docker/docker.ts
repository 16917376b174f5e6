import { writeFile } from 'node:fs/promises'
import { CommandError } from '#base'
import { BuildError, buildImage } from '../build-image.ts'
import { buildah, pruneImages, tagImage } from '../buildah.ts'
import { buildPrinter } from '../printer.ts'
import { fullName } from '../reference.ts'
import { toolImage } from '../tools/tool-image.ts'
import { authFile, podRegistry, setCredentials } from './credentials.ts'
import type { DockerCommand } from './flags.ts'
import { DockerUsageError, parseDocker } from './flags.ts'
import type { DockerIo } from './io.ts'
import { print } from './io.ts'
import { run } from './run.ts'
import { clusterImages, pull, push, reason, stored, unreachable } from './transfer.ts'

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
      ...(io.signal ? { signal: io.signal } : {}),
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
      const why = reason(error)
      throw new Error(`docker login ${host}: ${why.startsWith('not logged in') ? 'it does not accept this user and password' : why}`, {
        cause: error,
      })
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

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}

const fill = (format: string, fields: Record<string, string>): string =>
  format.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => fields[name] ?? whole)
