import { isStatus } from '#api'
import type { Client } from '#client'

/** The disks of nodes, as far as volumes on them go. */
export interface NodeStorage {
  /** Makes the volume's directory, unless it is there, and answers its path on the node. With `more` it is there, and grows by so many bytes. */
  provide(node: string, volume: string, bytes: number, options: { more?: boolean; signal: AbortSignal }): Promise<string>
  /** Deletes the volume's directory with all data. */
  remove(node: string, volume: string, options: { signal: AbortSignal }): Promise<void>
}

/** A node that has too little room, which another may have. */
export class NoRoomError extends Error {}

const noRoom = 507

/** Asks the nodes' own agents, by way of the API server: only they touch their disks, and nodes need no rights over volumes for it. */
export function nodeStorage(client: Client): NodeStorage {
  const path = (node: string, volume: string) => `/api/v1/nodes/${encodeURIComponent(node)}/proxy/localVolumes/${encodeURIComponent(volume)}`
  const asked = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer
    } catch (error) {
      if (!isStatus(error)) throw error
      const said = error.status.details?.causes?.[0]?.message ?? error.message
      throw error.code === noRoom ? new NoRoomError(said, { cause: error }) : new Error(said, { cause: error })
    }
  }
  return {
    async provide(node, volume, bytes, { more = false, signal }) {
      const answer = await asked(
        client.raw<{ path?: unknown }>('PUT', path(node, volume), { bytes, more }, { signal, headers: { 'content-type': 'application/json' } }),
      )
      if (typeof answer?.path !== 'string' || !answer.path.startsWith('/')) throw new Error(`node ${node} did not say where the volume is`)
      return answer.path
    },
    async remove(node, volume, { signal }) {
      await asked(client.raw('DELETE', path(node, volume), undefined, { signal }))
    },
  }
}
