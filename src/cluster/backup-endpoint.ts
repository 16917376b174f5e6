import type { Response } from '#client'
import type { Store } from '#store'
import { exportStore } from '#store'
import type { ClusterConfig } from './config.ts'
import { rangesOf } from './config.ts'

/** Where the API server gives out a backup, to those who may get this URL. */
export const backupPath = '/k8ts/backup'

/** Answers a backup of a store that goes on being written to. */
export const backupResponse = (cluster: ClusterConfig, store: Store, now: Date): Response => ({
  status: 200,
  headers: { 'content-type': 'application/octet-stream' },
  body: { stream: exportStore(store, now, aboutOf(cluster)) },
})

/** What must be the same where it is restored: addresses of services and pods stand in the objects. */
export const aboutOf = ({ name, index }: ClusterConfig) => ({ cluster: name, range: String(index), services: rangesOf(index).services })
