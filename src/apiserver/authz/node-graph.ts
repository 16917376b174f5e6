import type { DeepReadonly, core } from '#api'
import type { ObjectChange, ObjectReader } from '../object-reader.ts'
import { podReferences } from '../pod-references.ts'

export type NodeReference = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims'

/** Which objects the pods bound to a node name: what a kubelet may see. Kept as pods change. */
export interface NodeGraph extends Disposable {
  refers(node: string, kind: NodeReference, namespace: string, name: string): boolean
  /** The `namespace/name` of all objects of a kind that the node's pods name. */
  references(node: string, kind: NodeReference): Iterable<string>
}

const mirrorAnnotation = 'kubernetes.io/config.mirror'

export function nodeGraph(reader: ObjectReader): NodeGraph {
  // node -> kind -> namespace/name -> how many pods name it
  const nodes = new Map<string, Map<NodeReference, Map<string, number>>>()

  const count = (pod: DeepReadonly<core.Pod>, change: 1 | -1) => {
    const node = pod.spec?.nodeName
    // a mirror pod is the node's own word: it must not give it access to anything
    if (!node || pod.metadata.annotations?.[mirrorAnnotation]) return
    let kinds = nodes.get(node)
    if (!kinds) nodes.set(node, (kinds = new Map()))
    for (const [kind, key] of referencesOf(pod)) {
      let keys = kinds.get(kind)
      if (!keys) kinds.set(kind, (keys = new Map()))
      const total = (keys.get(key) ?? 0) + change
      if (total > 0) keys.set(key, total)
      else keys.delete(key)
    }
    if ([...kinds.values()].every((keys) => keys.size === 0)) nodes.delete(node)
  }
  const change = (event: ObjectChange<core.Pod>) => {
    if (event.type === 'updated' && samePlace(event.previous, event.object)) return
    if (event.type === 'updated') count(event.previous, -1)
    count(event.object, event.type === 'deleted' ? -1 : 1)
  }
  let stop: (() => void) | undefined
  // the reader may still be empty when this is made: what is there is read with the first question
  const open = () => {
    if (stop) return nodes
    stop = reader.onChange<core.Pod>('', 'pods', change)
    for (const pod of reader.list<core.Pod>('', 'pods')) count(pod, 1)
    return nodes
  }

  return {
    refers: (node, kind, namespace, name) => open().get(node)?.get(kind)?.has(`${namespace}/${name}`) ?? false,
    references: (node, kind) => open().get(node)?.get(kind)?.keys() ?? [],
    [Symbol.dispose]: () => stop?.(),
  }
}

/** What a pod refers to is fixed once it is bound, but for ephemeral containers and the claims that its status names: most updates change nothing here. */
function samePlace(before: DeepReadonly<core.Pod>, after: DeepReadonly<core.Pod>): boolean {
  return (
    before.spec?.nodeName === after.spec?.nodeName &&
    (before.spec?.ephemeralContainers?.length ?? 0) === (after.spec?.ephemeralContainers?.length ?? 0) &&
    (before.status?.resourceClaimStatuses?.length ?? 0) === (after.status?.resourceClaimStatuses?.length ?? 0)
  )
}

function referencesOf(pod: DeepReadonly<core.Pod>): [NodeReference, string][] {
  const { secrets, configMaps, claims, resourceClaims } = podReferences(pod)
  const namespace = pod.metadata.namespace
  const keys = (kind: NodeReference, names: Iterable<string>) => [...names].map((name): [NodeReference, string] => [kind, `${namespace}/${name}`])
  return [
    ...keys('secrets', secrets),
    ...keys('configmaps', configMaps),
    ...keys('persistentvolumeclaims', claims),
    ...keys('resourceclaims', resourceClaims),
    ...keys('serviceaccounts', pod.spec?.serviceAccountName ? [pod.spec.serviceAccountName] : []),
  ]
}
