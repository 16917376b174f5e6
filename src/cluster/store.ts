import type { Logger } from '#base'
import type { EtcdAddress, Store } from '#store'
import { clearEtcd, memoryStore, openEtcdStore, openSqliteStore, parseEtcdUrl } from '#store'
import type { ClusterConfig } from './config.ts'
import { clusterPaths } from './config.ts'

const isEtcd = (store: string) => store.startsWith('etcd://')

/** `sqlite`, `memory` or an address of etcd. Throws Error that says what is wrong. */
export function checkStoreName(store: string): string {
  if (isEtcd(store)) parseEtcdUrl(store)
  else if (store !== 'sqlite' && store !== 'memory')
    throw new Error('sqlite, memory or etcd://HOST:PORT[,HOST:PORT…][/PREFIX][?ca=FILE&cert=FILE&key=FILE] is expected')
  return store
}

/** Opens the store that a cluster was made with. */
export function openClusterStore(cluster: ClusterConfig, log: Logger): Promise<Store> {
  if (isEtcd(cluster.store)) return openEtcdStore({ ...etcdAddress(cluster), log })
  return cluster.store === 'memory' ? Promise.resolve(memoryStore()) : openSqliteStore({ path: clusterPaths(cluster.name).store })
}

/** Deletes what a cluster keeps outside of its directory. */
export async function clearClusterStore(cluster: ClusterConfig): Promise<void> {
  if (isEtcd(cluster.store)) await clearEtcd(etcdAddress(cluster))
}

/** Clusters that share an etcd have a prefix each, unless the address says which. */
function etcdAddress({ name, store }: ClusterConfig): EtcdAddress {
  const address = parseEtcdUrl(store)
  return { ...address, prefix: address.prefix || `/k8ts/${name}` }
}
