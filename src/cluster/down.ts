import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterConfig } from './config.ts'
import { clusterPaths, homeDirectory, loadCluster, removeCluster } from './config.ts'
import { removeUserContext } from './access.ts'
import { clusterCgroup, removeCgroup } from './local/cgroup.ts'
import { removeTraces } from './local/containerd.ts'
import { removeEdge } from './local/edge.ts'
import { unmountBelow } from './local/mounts.ts'
import { removeBridge, removeNodeNetwork } from './local/network.ts'
import { killGroup } from './local/process.ts'
import { requireRoot } from './preflight.ts'
import { removeLogins } from './registry/login.ts'
import { steps } from './steps.ts'
import { clearClusterStore } from './store.ts'

/**
 * Removes everything the cluster owns. It asks nothing of the cluster's own processes, so it does the same after a crash as
 * after a good day; a second call finds nothing and says so.
 */
export async function down(name: string): Promise<boolean> {
  requireRoot('k8ts down')
  const cluster = await loadCluster(name)
  if (!cluster) return false
  await steps([
    { title: 'Processes', task: () => stopEverything(cluster) },
    ...leaveMachine(cluster),
    {
      title: `Context k8ts-${name}`,
      task: async () => {
        await removeUserContext(name)
        await removeLogins(name)
      },
    },
    {
      title: 'Data',
      task: async (_, task) => {
        // an etcd that is not there any more must not keep a cluster from being removed
        await clearClusterStore(cluster).catch((error: Error) => (task.output = `what etcd holds of ${name} stays there: ${error.message}`))
        await removeCluster(name)
      },
    },
  ])
  // the last cluster takes the parents with it; anything else in them stays
  await rmdir('/run/k8ts').catch(() => {})
  await rmdir(homeDirectory()).catch(() => {})
  return true
}

/** Milliseconds that containers get to end by themselves. */
const stopGrace = 10_000

/**
 * Ends everything of the cluster that runs and keeps what it knows: objects, volumes, images and certificates. `up` starts it again. Containers are asked to end before they are killed; false when
 * there is no such cluster.
 */
export async function stop(name: string): Promise<boolean> {
  requireRoot('k8ts stop')
  const cluster = await loadCluster(name)
  if (!cluster) return false
  const drained = 5000 + (cluster.apiServer?.shutdownDelay ?? 0)
  await steps([{ title: 'Processes', task: () => stopEverything(cluster, stopGrace, drained) }, ...leaveMachine(cluster)])
  return true
}

/** What is on the machine beside files: it comes back with the next start. */
function leaveMachine(cluster: ClusterConfig): { title: string; task: () => Promise<void> }[] {
  const paths = clusterPaths(cluster.name)
  return [
    {
      title: 'Mounts',
      task: async () => {
        for (const node of cluster.nodes) await removeTraces(paths.node(node.name))
        await unmountBelow(join('/run/k8ts', cluster.name))
        await unmountBelow(paths.dir)
      },
    },
    {
      title: 'Network',
      task: async () => {
        await removeEdge(cluster)
        for (const node of cluster.nodes) await removeNodeNetwork(cluster, node)
        await removeBridge(cluster)
      },
    },
  ]
}

/** `grace` is for everything but the control plane, which has its own: it may have been asked to go on serving for a while. Milliseconds. */
async function stopEverything(cluster: ClusterConfig, grace = 0, controlPlaneGrace = 2000): Promise<void> {
  const group = clusterCgroup(cluster.name)
  // the control plane and the agents first, so that nobody restarts what is ended after them
  await killGroup(`${group}/control-plane`, controlPlaneGrace)
  await killGroup(`${group}/ci`, 1000)
  for (const node of cluster.nodes) await killGroup(`${group}/${node.name}/agent`, 1000)
  await killGroup(group, grace)
  await removeCgroup(group)
}
