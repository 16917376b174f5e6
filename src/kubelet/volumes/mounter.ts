import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Mounts on this machine, in the kubelet's mount namespace. */
export interface Mounter {
  tmpfs(dir: string, options: string[]): Promise<void>
  /** Bind-mounts `source`, which is taken as it is: no symlink in it is resolved beforehand. */
  bind(source: string, target: string): Promise<void>
  unmount(path: string): Promise<void>
  /** Mount points at or below `dir`, deepest first. */
  below(dir: string): Promise<string[]>
}

const run = promisify(execFile)

export const systemMounter: Mounter = {
  async tmpfs(dir, options) {
    await mountCommand('mount', ['-t', 'tmpfs', ...(options.length > 0 ? ['-o', options.join(',')] : []), 'tmpfs', dir])
  },
  async bind(source, target) {
    await mountCommand('mount', ['--no-canonicalize', '--bind', source, target])
  },
  async unmount(path) {
    // a lazy unmount would let a later removal run into what is still mounted
    await mountCommand('umount', [path])
  },
  async below(dir) {
    const table = await readFile('/proc/self/mountinfo', 'utf8')
    return mountPoints(table)
      .filter((point) => point === dir || point.startsWith(`${dir}/`))
      .reverse()
  },
}

/** The mount points of a mountinfo table, in the order in which they were mounted. */
export function mountPoints(table: string): string[] {
  return table
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map((point) => point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
}

async function mountCommand(command: string, args: string[]): Promise<void> {
  try {
    await run(command, args)
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed: ${stderr.trim() || (error as Error).message}`, { cause: error })
  }
}
