import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What a cluster could leave on the machine, each as text that tells it apart. */
export type Machine = Record<'processes' | 'mounts' | 'namespaces' | 'links' | 'addresses' | 'routes' | 'tables' | 'cgroups' | 'files', Set<string>>

const home = process.env['K8TS_HOME'] ?? '/var/lib/k8ts'
// where programs that a cluster runs keep things by default, when they are not told to keep them elsewhere
const places = [
  home,
  '/run/k8ts',
  '/run/netns',
  '/run/containerd',
  '/var/lib/containerd',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/pods',
  '/var/log/containers',
  '/var/run/calico',
  '/etc/cni/net.d',
]

export function lookAtMachine(): Machine {
  const print = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '')
  const json = (...args: string[]) => JSON.parse(print('ip', '-json', ...args) || '[]') as Record<string, unknown>[]
  return {
    processes: new Set(processes()),
    mounts: new Set(lines(readFileSync('/proc/self/mountinfo', 'utf8')).map((line) => line.split(' ').slice(2, 5).join(' '))),
    namespaces: new Set(existsSync('/run/netns') ? readdirSync('/run/netns') : []),
    links: new Set(json('link').map((link) => `${String(link['ifname'])} ${String(link['address'])}`)),
    addresses: new Set(lines(print('ip', '-brief', 'address'))),
    routes: new Set(lines(print('ip', 'route', 'show', 'table', 'all'))),
    tables: new Set(lines(print('nft', 'list', 'tables'))),
    // what other clusters drop while we look is no error
    cgroups: new Set(lines(print('find', '/sys/fs/cgroup', '-ignore_readdir_race', '-type', 'd'))),
    files: new Set(
      places.filter((place) => existsSync(place)).flatMap((place) => lines(print('find', place, '-ignore_readdir_race', '-maxdepth', '3'))),
    ),
  }
}

/** Id, start time and program of every process, so that a reused id is another one. */
function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(join('/proc', pid, 'stat'), 'utf8')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return fields[0] === 'Z' ? [] : [`${pid} ${fields[19]} ${stat.slice(stat.indexOf('('), stat.lastIndexOf(')') + 1)}`]
      } catch {
        return [] // it ended while we looked
      }
    })
}

/** What of `made` is still there in `after`, a word for each. */
export function leftovers(made: Machine, after: Machine): string[] {
  return (Object.keys(made) as (keyof Machine)[]).flatMap((kind) =>
    [...made[kind]].filter((item) => after[kind].has(item)).map((item) => `${kind}: ${item}`),
  )
}

/** What came up between two looks; `belongs` keeps out what others on this machine did meanwhile. */
export function appeared(before: Machine, during: Machine, belongs: (kind: keyof Machine, item: string) => boolean): Machine {
  return Object.fromEntries(
    (Object.keys(during) as (keyof Machine)[]).map((kind) => [
      kind,
      new Set([...during[kind]].filter((item) => !before[kind].has(item) && belongs(kind, item))),
    ]),
  ) as Machine
}
