import { readFile, statfs } from 'node:fs/promises'
import { arch, cpus, release, totalmem } from 'node:os'
import type { core } from '#api'

/** What the machine is and has. */
export interface Machine {
  capacity: { cpu: number; memoryBytes: number; storageBytes: number }
  /** Whether the kernel enforces AppArmor profiles; it does not when absent. */
  appArmor?: boolean
  info: Pick<core.NodeSystemInfo, 'machineID' | 'systemUUID' | 'bootID' | 'kernelVersion' | 'osImage' | 'operatingSystem' | 'architecture'>
}

const architectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm', s390x: 's390x', ppc64: 'ppc64le' }

/** Go's name of this machine's architecture, as labels and images use it. */
export const architecture = (): string => architectures[arch()] ?? arch()

/** Reads the machine's facts; `rootDir` says whose filesystem the pods' ephemeral storage is. */
export async function readMachine(rootDir: string): Promise<Machine> {
  const text = (path: string) =>
    readFile(path, 'utf8').then(
      (s) => s.trim(),
      () => '',
    )
  const [machineID, productUUID, bootID, osRelease, appArmor, fs] = await Promise.all([
    text('/etc/machine-id'),
    text('/sys/class/dmi/id/product_uuid'),
    text('/proc/sys/kernel/random/boot_id'),
    text('/etc/os-release'),
    text('/sys/module/apparmor/parameters/enabled'),
    statfs(rootDir).catch(() => undefined),
  ])
  const pretty = /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease)?.[1] ?? ''
  return {
    capacity: { cpu: cpus().length, memoryBytes: totalmem(), storageBytes: fs ? fs.blocks * fs.bsize : 0 },
    appArmor: appArmor.startsWith('Y'),
    info: {
      machineID,
      systemUUID: productUUID || machineID,
      bootID,
      kernelVersion: release(),
      osImage: pretty || 'linux',
      operatingSystem: 'linux',
      architecture: architecture(),
    },
  }
}
