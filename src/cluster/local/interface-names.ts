import { createHash } from 'node:crypto'

/** Interface names have at most 15 characters: a digest of the cluster's name keeps them apart. */
const digest = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 8)

/** The bridge that a cluster's nodes are on. */
export const bridgeName = (cluster: string): string => `k8-${digest(cluster)}`

/** The host's end of a node's link to the bridge. */
export const hostLinkName = (cluster: string, nodeIndex: number): string => `k8${digest(cluster)}${nodeIndex}`

/** The packet filter's table that is the cluster's on the host; further ones have this name and an ending. */
export const tableName = (cluster: string): string => `k8ts_${digest(cluster)}`
