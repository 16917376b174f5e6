import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { buildah, inspectImage } from '../buildah.ts'
import { fullName } from '../reference.ts'
import { authFile, podRegistry } from './credentials.ts'
import type { DockerIo } from './io.ts'
import type { DockerCommand } from './flags.ts'
import { DockerUsageError } from './flags.ts'
import { pull, unreachable } from './transfer.ts'

/** `docker run`: a process in the image's file system, with chroot isolation, the pod's network, and mounts for -v. */
export async function run({ args, lists, values }: DockerCommand, io: DockerIo): Promise<number> {
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
