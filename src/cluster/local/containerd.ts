import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { run, succeeds } from '#base'
import type { ClusterConfig, ClusterPaths, NodeConfig, NodePaths } from '../config.ts'
import { nodePodCidr } from '../config.ts'
import { pauseImage, pauseImageArchive } from '../image/pause.ts'
import { nodeCgroup } from './cgroup.ts'
import { netnsName, netnsPath } from './network.ts'
import { findProcess, startProcess, waitUntil } from './process.ts'

/** Where images live in containerd for CRI to see them. */
const imageNamespace = 'k8s.io'

/** The runtime handler of pods without host ports and bandwidth limits: what has nothing to do for them is not run. */
export const plainNetworkHandler = 'plain-network'

/** Starts the node's containerd (unless it runs) and gives it the pause image. Its containers survive its restart. */
export async function ensureContainerd(cluster: ClusterConfig, node: NodeConfig, paths: ClusterPaths): Promise<void> {
  const at = paths.node(node.name)
  const name = `containerd-${node.name}`
  if (!findProcess(paths.run, name)) {
    // of containers that were killed with it; containerd itself forgets them when it starts
    await removeTraces(at)
    await mkdir(at.cniConf, { recursive: true })
    await mkdir(at.containerdState, { recursive: true })
    await writeFile(at.containerdConfig, containerdConfig(cluster, node, paths))
    await writeNetworks(cluster, node, at)
    await startProcess({
      name,
      program: 'containerd',
      args: ['--config', at.containerdConfig],
      run: paths.run,
      logFile: join(paths.logs, `${name}.log`),
      cgroup: `${nodeCgroup(cluster.name, node.name)}/runtime`,
      netns: netnsPath(cluster.name, node.name),
    })
  }
  const ready = () => existsSync(at.containerdSocket) && succeeds('ctr', ['-a', at.containerdSocket, '--connect-timeout', '1s', 'version'])
  if (!(await waitUntil(ready, 20_000, 30)))
    throw new Error(`containerd of node ${node.name} does not answer; see \`k8ts logs --name ${cluster.name} ${name}\``)
  if (!(await imageNames(at.containerdSocket)).includes(pauseImage)) await importImage(at.containerdSocket, await pauseImageArchive(paths.dir))
}

export async function importImage(socket: string, archive: string, signal?: AbortSignal): Promise<string[]> {
  const printed = await run('ctr', ['-a', socket, '-n', imageNamespace, 'images', 'import', '--all-platforms', archive], signal ? { signal } : {})
  return [...printed.matchAll(/^unpacking (\S+)/gm)].map((match) => match[1]!)
}

export async function imageNames(socket: string): Promise<string[]> {
  return (await run('ctr', ['-a', socket, '-n', imageNamespace, 'images', 'list', '-q']))
    .split('\n')
    .filter((name) => name && !name.startsWith('sha256:'))
}

/**
 * containerd 1.6's configuration (version 2). Shims stay in the control group that containerd was started in. `restrict_oom_score_adj` lets it run
 * where CAP_SYS_RESOURCE is missing.
 */
function containerdConfig(cluster: ClusterConfig, node: NodeConfig, paths: ClusterPaths): string {
  const at = paths.node(node.name)
  const runtime = (handler: string, program: string, more = '') => `
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${handler}]
  runtime_type = "io.containerd.runc.v2"
${more}  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${handler}.options]
    BinaryName = "${program}"
    Root = "${join(at.containerdState, 'oci')}"
    SystemdCgroup = false
`
  const runtimes = ['runc', 'crun']
    .filter((program) => existsSync(`/usr/bin/${program}`) || existsSync(`/usr/sbin/${program}`))
    .map((program) => runtime(program, program))
  runtimes.push(runtime(plainNetworkHandler, defaultRuntime(), `  cni_conf_dir = "${plainNetworkDir(at)}"\n  cni_max_conf_num = 1\n`))
  return `version = 2
root = "${at.containerdRoot}"
state = "${at.containerdState}"
oom_score = 0
[grpc]
  address = "${at.containerdSocket}"
[debug]
  level = "warn"
[plugins."io.containerd.internal.v1.opt"]
  path = "${at.dir}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  max_container_log_line_size = 16384
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${at.cniConf}"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "${paths.registryHosts}"

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "${defaultRuntime()}"
${runtimes.join('')}`
}

/** crun starts a container several times faster than runc, but refuses machines where cgroup v1 and v2 both have controllers. */
function defaultRuntime(): 'crun' | 'runc' {
  const hybrid = '/sys/fs/cgroup/unified/cgroup.controllers'
  const mixed = existsSync(hybrid) && readFileSync(hybrid, 'utf8').trim() !== ''
  return existsSync('/usr/bin/crun') && !mixed ? 'crun' : 'runc'
}

const plainNetworkDir = (at: NodePaths) => join(at.cniConf, 'plain')

/** One network, set up with all plugins or with only those that every pod needs. */
async function writeNetworks(cluster: ClusterConfig, node: NodeConfig, at: NodePaths): Promise<void> {
  const write = (dir: string, plugins: object[]) => {
    const config = { cniVersion: '0.4.0', name: netnsName(cluster.name, node.name), plugins }
    return writeFile(join(dir, '10-k8ts.conflist'), JSON.stringify(config, undefined, 2))
  }
  const link = podLink(nodePodCidr(cluster.index, node), join(at.dir, 'ipam'))
  await mkdir(plainNetworkDir(at), { recursive: true })
  await write(plainNetworkDir(at), [link])
  await write(at.cniConf, [
    link,
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    { type: 'bandwidth', capabilities: { bandwidth: true } },
  ])
}

/**
 * Each pod has a link of its own to the node, and all its traffic is routed there: so traffic between two pods of one node passes the service rules in
 * both directions, which a bridge would short-cut.
 */
const podLink = (podCidr: string, dataDir: string) => ({
  type: 'ptp',
  ipam: { type: 'host-local', dataDir, ranges: [[{ subnet: podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
})

/**
 * Removes what the containers of a node leave outside of its directories when they are killed, where no configuration reaches: the sockets of their
 * shims, and what CNI remembers of their loopback. Reads what containerd wrote and needs no containerd. Containers whose shim still answers are left
 * alone.
 */
export async function removeTraces(at: NodePaths): Promise<void> {
  const tasks = join(at.containerdState, 'io.containerd.runtime.v2.task', imageNamespace)
  for (const id of existsSync(tasks) ? await readdir(tasks) : []) {
    const address = await readFile(join(tasks, id, 'address'), 'utf8').catch(() => '')
    const socket = /^unix:\/\/(\/run\/containerd\/s\/[0-9a-f]{64})$/.exec(address.trim())?.[1]
    if (!socket || (await answers(socket))) continue
    await rm(socket, { force: true })
    await rm(`/var/lib/cni/results/cni-loopback-${id}-lo`, { force: true })
  }
}

/** Whether somebody listens on a unix socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** The programs of Debian's package; asked for by preflight. */
export async function cniPlugins(): Promise<string[]> {
  return existsSync('/usr/lib/cni') ? readdir('/usr/lib/cni') : []
}
