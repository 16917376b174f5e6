import { resources } from '#api'
import { type Controller, primary } from '#runtime'
import { type BlockRange, firstFree } from './ranges.ts'

export interface NodeIpamOptions {
  /** Ranges of pod addresses, one per family: each node gets a block of each. */
  ranges: BlockRange[]
}

/** Gives every node its share of the pod addresses (`spec.podCIDRs`). */
export function nodeIpamController({ ranges }: NodeIpamOptions): Controller {
  return {
    name: 'nodeipam',
    // one after the other: two at once would take the same block
    concurrency: 1,
    setup({ client, events, cache }) {
      const nodes = cache(resources.nodes)
      const api = client.resource(resources.nodes)
      // given out, and not in the cache yet
      const given = new Map<string, string[]>()
      return {
        watches: [primary(nodes)],
        async reconcile(name, signal) {
          const node = nodes.get(name)
          if (!node || node.spec?.podCIDR || node.metadata.deletionTimestamp) return void given.delete(name)
          const used = [...nodes.list().flatMap((n) => n.spec?.podCIDRs ?? (n.spec?.podCIDR ? [n.spec.podCIDR] : [])), ...[...given.values()].flat()]
          // an earlier try may have been written without an answer: the same blocks again
          const blocks = given.get(name) ?? ranges.map((range) => firstFree(range, used))
          if (!blocks.every((b) => b !== undefined)) {
            events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
            return { requeueAfter: 30_000 }
          }
          given.set(name, blocks)
          await api.patch(
            name,
            undefined,
            'strategic',
            { metadata: { uid: node.metadata.uid }, spec: { podCIDR: blocks[0], podCIDRs: blocks } },
            { signal },
          )
        },
      }
    },
  }
}
