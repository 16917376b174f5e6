import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterConfig } from '#cluster'
import { clusterPki, ownProgram } from '#cluster'
import type { Running } from './process.ts'
import { runProgram } from './process.ts'
import type { Parts, Subject } from './subject.ts'
import { processorTime, residentMemory, untilReady } from './subject.ts'

const name = 'bench'
const token = 'benchtoken'
const port = 26444

/** The control plane's process as `k8ts up` starts it, for a cluster without nodes in `dir`. */
export function k8tsSubject(dir: string): Subject {
  const url = `https://127.0.0.1:${port}`
  let server: Running | undefined

  async function start(parts: Parts): Promise<number> {
    const home = join(dir, 'k8ts')
    const tokenFile = join(home, 'tokens.csv')
    const without: ('scheduler' | 'controllers')[] = [
      ...(parts.scheduler ? [] : ['scheduler' as const]),
      ...(parts.controllers ? [] : ['controllers' as const]),
    ]
    const cluster: ClusterConfig = { name, index: 0, apiPort: port, store: 'sqlite', runtime: 'fake', nodes: [], hollow: 0, without, tokenFile }
    await mkdir(join(home, name), { recursive: true })
    await writeFile(tokenFile, `${token},admin,admin,system:masters\n`)
    await writeFile(join(home, name, 'cluster.json'), JSON.stringify(cluster))
    await makeKeys(home, cluster)
    // e.g. --cpu-prof
    const nodeFlags = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []
    const { program, args } = ownProgram('internal', 'control-plane', name)
    const since = performance.now()
    server = runProgram(program, [...nodeFlags, ...args], {
      logFile: join(dir, 'logs', 'k8ts.log'),
      cwd: dir,
      env: { K8TS_HOME: home },
    })
    return untilReady(url, since, server.died)
  }

  const stop = async () => {
    await server?.stop()
    server = undefined
  }
  return {
    name: 'k8ts',
    url,
    token,
    start,
    stop,
    change: async (parts) => {
      await stop()
      await start(parts)
    },
    memory: () => residentMemory(server!.pid),
    cpu: () => processorTime(server!.pid),
    clear: async () => {
      await stop()
      await rm(join(dir, 'k8ts'), { recursive: true, force: true })
    },
  }
}

/** `k8ts up` makes keys and certificates before it starts the control plane; the reference's are there before, too. */
async function makeKeys(home: string, cluster: ClusterConfig): Promise<void> {
  const before = process.env['K8TS_HOME']
  process.env['K8TS_HOME'] = home
  try {
    await clusterPki(cluster)
  } finally {
    if (before === undefined) delete process.env['K8TS_HOME']
    else process.env['K8TS_HOME'] = before
  }
}
