import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Kms } from '#apiserver'
import { encryptedStore, parseEncryptionConfig } from '#apiserver'
import type { Logger } from '#base'
import { realClock } from '#base'
import type { EtcdAddress, Store } from '#store'
import { clearEtcd, memoryStore, openEtcdStore, openSqliteStore, parseEtcdUrl } from '#store'
import type { ClusterConfig } from './config.ts'
import { clusterPaths, writeAtomically } from './config.ts'

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

/** The store as the API server sees it, and the plugins that it needs for that. */
export async function readableStore(cluster: ClusterConfig, store: Store): Promise<{ store: Store; kms: readonly Kms[] }> {
  const file = clusterPaths(cluster.name).encryption
  if (!existsSync(file)) return { store, kms: [] }
  const rules = await parseEncryptionConfig(await readFile(file, 'utf8'), realClock)
  return { store: encryptedStore(store, rules), kms: rules.kms }
}

/** Keeps a copy of an EncryptionConfiguration for the cluster; answers whether it is another one than before. Throws when it is none. */
export async function setEncryption(cluster: ClusterConfig, file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8')
  const { kms } = await parseEncryptionConfig(text, realClock)
  for (const plugin of kms) plugin.close()
  const own = clusterPaths(cluster.name).encryption
  if (existsSync(own) && (await readFile(own, 'utf8')) === text) return false
  await writeAtomically(own, text)
  return true
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
