import type { apps } from '#api'
import { controllerOf, isStatus } from '#api'
import { describeError } from '#base'
import type { ResourceClient } from '#client'
import type { EventRecorder } from '#runtime'
import { isNamespaceTerminating, ownedBy } from '../workload/pods.ts'
import { templateHash } from '../workload/hash.ts'
import { growNew, planCleanup, rollingLimits } from './plan.ts'
import type { Deployment, ReplicaSet } from './revision.ts'
import { annotation, copiedAnnotations, hashLabel, newestSet, nextRevision, revisionAnnotations } from './revision.ts'

/** What became of the attempt to make a set. */
export type Creation =
  | { result: 'created' | 'present'; set: ReplicaSet }
  /** A set of another template has the name: the next attempt takes another one. */
  | { result: 'collision' }
  | { result: 'failed'; message: string; error: unknown }

/** The writes on a deployment's replica sets, each with its event. */
export interface ReplicaSetWriter {
  create(deployment: Deployment, oldSets: readonly ReplicaSet[]): Promise<Creation>
  /** Brings the set of the current template up to date: one that is wanted again after a roll-back gets the newest revision. */
  refresh(deployment: Deployment, set: ReplicaSet, oldSets: readonly ReplicaSet[]): Promise<ReplicaSet>
  scale(deployment: Deployment, set: ReplicaSet, replicas: number): Promise<ReplicaSet>
  /** Notes the wanted size on a set that keeps its own. */
  noteSizes(deployment: Deployment, set: ReplicaSet): Promise<ReplicaSet>
  /** Deletes old sets beyond the history limit. */
  cleanUp(deployment: Deployment, oldSets: readonly ReplicaSet[]): Promise<void>
}

export function replicaSetWriter(client: ResourceClient<apps.ReplicaSet>, events: EventRecorder): ReplicaSetWriter {
  const scaled = (deployment: Deployment, set: ReplicaSet, from: number, to: number) =>
    events.event(
      deployment,
      'Normal',
      'ScalingReplicaSet',
      `Scaled ${to > from ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${to}`,
    )

  return {
    async create(deployment, oldSets) {
      const wanted = newSetFor(deployment, oldSets)
      const { name, namespace } = wanted.metadata
      try {
        const set = await client.create(wanted)
        if (wanted.spec.replicas! > 0) scaled(deployment, set, 0, wanted.spec.replicas!)
        return { result: 'created', set }
      } catch (error) {
        if (isStatus(error, 'AlreadyExists')) {
          const other = await client.get(name, namespace)
          // our own from a moment ago, which the cache has not seen yet
          if (controllerOf(other)?.uid === deployment.metadata.uid && newestSet(deployment, [other])) return { result: 'present', set: other }
          return { result: 'collision' }
        }
        const message = `Failed to create new replica set "${name}": ${describeError(error)}`
        if (!isNamespaceTerminating(error)) events.event(deployment, 'Warning', 'ReplicaSetCreateError', message)
        return { result: 'failed', message, error }
      }
    },

    async refresh(deployment, set, oldSets) {
      const revision = nextRevision(oldSets)
      const wanted = { ...copiedAnnotations(deployment), ...revisionAnnotations(set, revision) }
      const minReadySeconds = deployment.spec.minReadySeconds ?? 0
      const current = Object.entries(wanted).every(([key, value]) => set.metadata.annotations?.[key] === value)
      if (current && (set.spec.minReadySeconds ?? 0) === minReadySeconds) return set
      return client.patch(set.metadata.name, set.metadata.namespace, 'strategic', { metadata: { annotations: wanted }, spec: { minReadySeconds } })
    },

    async scale(deployment, set, replicas) {
      const { name, namespace, resourceVersion } = set.metadata
      const updated = await client.patch(name, namespace, 'strategic', {
        metadata: { annotations: sizes(deployment), resourceVersion },
        spec: { replicas },
      })
      scaled(deployment, set, set.spec.replicas ?? 1, replicas)
      return updated
    },

    async noteSizes(deployment, set) {
      const annotations = sizes(deployment)
      if (Object.entries(annotations).every(([key, value]) => set.metadata.annotations?.[key] === value)) return set
      return client.patch(set.metadata.name, set.metadata.namespace, 'strategic', { metadata: { annotations } })
    },

    async cleanUp(deployment, oldSets) {
      for (const set of planCleanup(deployment, oldSets))
        try {
          await client.delete(set.metadata.name, set.metadata.namespace, { preconditions: { uid: set.metadata.uid! } })
        } catch (error) {
          if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
        }
    },
  }
}

/** The set for the deployment's template, with the hash of the template in its name, its labels and its selector. */
function newSetFor(deployment: Deployment, oldSets: readonly ReplicaSet[]): apps.ReplicaSet {
  const { spec, status, metadata } = deployment
  const hash = templateHash(spec.template, status?.collisionCount)
  const labels = { ...spec.template.metadata?.labels, [hashLabel]: hash }
  const revision = nextRevision(oldSets)
  return structuredClone({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace!,
      labels,
      annotations: { ...copiedAnnotations(deployment), ...revisionAnnotations(undefined, revision), ...sizes(deployment) },
      ownerReferences: [ownedBy(deployment)],
    },
    spec: {
      replicas: growNew(deployment, undefined, oldSets),
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [hashLabel]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  }) as apps.ReplicaSet
}

function sizes(deployment: Deployment): Record<string, string> {
  const replicas = deployment.spec.replicas ?? 1
  return { [annotation.desired]: String(replicas), [annotation.max]: String(replicas + rollingLimits(deployment).maxSurge) }
}
