import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether Debian's etcd is there to be tested against. */
export const etcdIsInstalled = spawnSync('etcd', ['--version']).status === 0

export interface EtcdMember {
  endpoint: string
  /** kill -9. */
  kill(): Promise<void>
  start(): void
}

export interface EtcdCluster extends AsyncDisposable {
  endpoints: string[]
  members: EtcdMember[]
}

/** Runs etcd on loopback ports, for tests; its data goes with it. */
export async function startEtcd(count = 1): Promise<EtcdCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-etcd-'))
  const ports = await freePorts(count * 2)
  const url = (port: number) => `http://127.0.0.1:${port}`
  const initial = Array.from({ length: count }, (_, i) => `m${i}=${url(ports[count + i]!)}`).join(',')
  const members = Array.from({ length: count }, (_, i): EtcdMember => {
    const client = url(ports[i]!)
    const peer = url(ports[count + i]!)
    const args = ['--name', `m${i}`, '--data-dir', join(dir, `m${i}`), '--listen-client-urls', client, '--advertise-client-urls', client]
    const cluster = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', initial, '--log-level', 'error']
    let child: ChildProcess | undefined
    return {
      endpoint: `127.0.0.1:${ports[i]}`,
      start() {
        child = spawn('etcd', [...args, ...cluster, '--logger', 'zap'], { stdio: 'ignore' })
      },
      async kill() {
        const running = child
        if (!running || running.exitCode !== null || running.signalCode !== null) return
        const gone = new Promise((resolve) => running.once('exit', resolve))
        running.kill('SIGKILL')
        await gone
      },
    }
  })
  for (const member of members) member.start()
  return {
    endpoints: members.map((m) => m.endpoint),
    members,
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((m) => m.kill()))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<ReturnType<typeof createServer>>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
