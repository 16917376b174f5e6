import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createAuthority, issueCertificate } from '../src/cluster/pki/index.ts'

/** Whether Debian's etcd is there to be tested against. */
export const etcdIsInstalled = spawnSync('etcd', ['--version']).status === 0

export interface EtcdMember {
  endpoint: string
  /** kill -9. */
  kill(): Promise<void>
  /** Stands still, with its connections open, until it is resumed. */
  pause(): void
  resume(): void
  start(): void
}

export interface EtcdCluster extends AsyncDisposable {
  endpoints: string[]
  members: EtcdMember[]
  /** Files of the authority and of a client, where it asks for certificates. */
  tls?: { ca: string; cert: string; key: string }
}

/** Runs etcd on a loopback address of its own, for tests, and answers when all members take connections; its data goes with it. */
export async function startEtcd(count = 1, { secure = false, flags = [] as string[] } = {}): Promise<EtcdCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-etcd-'))
  // its ports stay its own while a member is down: others are given theirs on 127.0.0.1
  const address = `127.${[1, 2, 3].map(() => randomInt(1, 255)).join('.')}`
  const ports = Array.from({ length: count * 2 }, (_, i) => 23790 + i)
  const tls = secure ? await certificates(dir, address) : undefined
  const url = (port: number) => `http://${address}:${port}`
  const clientUrl = (port: number) => (tls ? url(port).replace('http', 'https') : url(port))
  const initial = Array.from({ length: count }, (_, i) => `m${i}=${url(ports[count + i]!)}`).join(',')
  const members = Array.from({ length: count }, (_, i): EtcdMember => {
    const client = clientUrl(ports[i]!)
    const peer = url(ports[count + i]!)
    const args = ['--name', `m${i}`, '--data-dir', join(dir, `m${i}`), '--listen-client-urls', client, '--advertise-client-urls', client]
    const cluster = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', initial, '--log-level', 'error']
    let child: ChildProcess | undefined
    return {
      endpoint: `${address}:${ports[i]}`,
      start() {
        child = spawn('etcd', [...args, ...cluster, '--logger', 'zap', ...(tls ? tls.flags : []), ...flags], { stdio: 'ignore' })
      },
      pause: () => void child?.kill('SIGSTOP'),
      resume: () => void child?.kill('SIGCONT'),
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
  const cluster: EtcdCluster = {
    endpoints: members.map((m) => m.endpoint),
    ...(tls ? { tls: tls.client } : {}),
    members,
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((m) => m.kill()))
      rmSync(dir, { recursive: true, force: true })
    },
  }
  try {
    for (const port of ports.slice(0, count)) await takesConnections(address, port)
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
  return cluster
}

async function takesConnections(host: string, port: number): Promise<void> {
  for (const start = performance.now(); ;) {
    const socket = connect({ host, port })
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (performance.now() - start > 120_000) throw new Error(`etcd has not started within two minutes: ${String(error)}`, { cause: error })
      await setTimeout(50)
    } finally {
      socket.destroy()
    }
  }
}

/** An authority, a server's certificate and a client's, and the flags that make etcd ask for one. */
async function certificates(dir: string, address: string) {
  const ca = await createAuthority({ commonName: 'etcd-ca' })
  const server = await issueCertificate(ca, { commonName: 'etcd', names: [address, 'localhost'], usages: ['server', 'client'] })
  const client = await issueCertificate(ca, { commonName: 'k8ts', usages: ['client'] })
  const file = (name: string, content: string) => {
    writeFileSync(join(dir, name), content, { mode: 0o600 })
    return join(dir, name)
  }
  const authority = file('ca.crt', ca.certificate)
  return {
    client: { ca: authority, cert: file('client.crt', client.certificate), key: file('client.key', client.key) },
    flags: [
      '--client-cert-auth',
      '--trusted-ca-file',
      authority,
      '--cert-file',
      file('server.crt', server.certificate),
      '--key-file',
      file('server.key', server.key),
    ],
  }
}
