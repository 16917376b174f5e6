import type { Pod } from './framework.ts'

/** Pods that preemption promised a node, while their victims are on the way out. */
export class Nominations {
  readonly #nodeOf = new Map<string, string>()
  readonly #byNode = new Map<string, Map<string, Pod>>()

  /** The pod as `status.nominatedNodeName` or `node` says. */
  set(pod: Pod, node = pod.status?.nominatedNodeName): void {
    const uid = pod.metadata.uid!
    this.delete(uid)
    if (!node) return
    this.#nodeOf.set(uid, node)
    const there = this.#byNode.get(node)
    if (there) there.set(uid, pod)
    else this.#byNode.set(node, new Map([[uid, pod]]))
  }

  delete(uid: string): void {
    const node = this.#nodeOf.get(uid)
    if (node === undefined) return
    this.#nodeOf.delete(uid)
    const there = this.#byNode.get(node)
    if (there?.delete(uid) && there.size === 0) this.#byNode.delete(node)
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid)
  }

  on(node: string): readonly Pod[] | undefined {
    if (this.#byNode.size === 0) return undefined
    const there = this.#byNode.get(node)
    return there && [...there.values()]
  }
}
