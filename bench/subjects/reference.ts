import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Running } from './process.ts'
import { runProgram } from './process.ts'
import type { Parts, Subject } from './subject.ts'
import { processorTime, residentMemory, untilReady } from './subject.ts'

const token = 'benchtoken'
const ports = { api: 26443, etcd: 22379, peer: 22380 }

/** Where Kubernetes' own programs are built; `K8TS_REFERENCE` names another directory. */
export const referencePrograms = (): string => process.env['K8TS_REFERENCE'] ?? '/opt/upstream/bin'

export function referenceIsThere(): boolean {
  const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
  return programs.every((program) => existsSync(join(referencePrograms(), program))) && ['/usr/bin/etcd', '/usr/local/bin/etcd'].some(existsSync)
}

/** etcd, kube-apiserver, kube-scheduler and kube-controller-manager. Nothing in them is slowed: no request is refused for its rate, and clients are not throttled. */
export function referenceSubject(dir: string): Subject {
  const home = join(dir, 'reference')
  const url = `https://127.0.0.1:${ports.api}`
  const running = new Map<string, Running>()
  const at = (file: string) => join(home, file)

  function run(name: string, program: string, ...args: string[]): Running {
    const started = runProgram(program, args, { logFile: join(dir, 'logs', `${name}.log`), cwd: home })
    running.set(name, started)
    return started
  }
  const own = (name: string, ...args: string[]) => run(name, join(referencePrograms(), name), ...args)

  async function prepare(): Promise<void> {
    if (existsSync(at('sa.key'))) return
    await mkdir(home, { recursive: true })
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: home, stdio: 'ignore' })
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '10', '-subj', '/CN=ca')
    openssl('genrsa', '-out', 'sa.key', '2048')
    await writeFile(at('tokens.csv'), `${token},admin,admin,system:masters\n`)
    await writeFile(at('kubeconfig'), kubeconfig(url))
  }

  async function start(parts: Parts): Promise<number> {
    await prepare()
    const since = performance.now()
    const etcdUrl = `http://127.0.0.1:${ports.etcd}`
    const peerUrl = `http://127.0.0.1:${ports.peer}`
    const etcdUrls = ['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl, '--listen-peer-urls', peerUrl]
    run('etcd', 'etcd', '--data-dir', 'etcd-data', ...etcdUrls, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`)
    const server = own(
      'kube-apiserver',
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${ports.api}`,
      '--cert-dir=certs',
      '--token-auth-file=tokens.csv',
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-account-signing-key-file=sa.key',
      '--service-account-key-file=sa.key',
      '--service-cluster-ip-range=10.97.0.0/16',
      '--advertise-address=127.0.0.1',
      '--bind-address=127.0.0.1',
      '--client-ca-file=ca.crt',
      // without controllers there are no token secrets, which this release's plugin waits for
      ...(parts.controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
      '--max-requests-inflight=3000',
      '--max-mutating-requests-inflight=1000',
    )
    const took = await untilReady(url, since, server.died)
    await change(parts)
    return took
  }

  async function change(parts: Parts): Promise<void> {
    const wanted = { 'kube-scheduler': parts.scheduler, 'kube-controller-manager': parts.controllers }
    for (const [name, want] of Object.entries(wanted)) if (!want) await end(name)
    const fast = ['--kubeconfig=kubeconfig', '--kube-api-qps=5000', '--kube-api-burst=5000', '--leader-elect=false']
    // their own ports are not asked for anything
    if (parts.scheduler && !running.has('kube-scheduler')) own('kube-scheduler', ...fast, '--port=0', '--secure-port=0')
    if (parts.controllers && !running.has('kube-controller-manager'))
      own(
        'kube-controller-manager',
        ...fast,
        '--port=0',
        '--secure-port=0',
        '--service-account-private-key-file=sa.key',
        '--root-ca-file=certs/apiserver.crt',
        '--use-service-account-credentials',
        '--cluster-signing-cert-file=ca.crt',
        '--cluster-signing-key-file=ca.key',
      )
  }

  async function end(name: string): Promise<void> {
    await running.get(name)?.stop()
    running.delete(name)
  }

  const stop = async () => {
    for (const name of ['kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd']) await end(name)
  }
  return {
    name: 'reference',
    url,
    token,
    start,
    change,
    stop,
    memory: () => [...running.values()].reduce((sum, { pid }) => sum + residentMemory(pid), 0),
    cpu: () => [...running.values()].reduce((sum, { pid }) => sum + processorTime(pid), 0),
    clear: async () => {
      await stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

const kubeconfig = (server: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
