import { isDeepStrictEqual } from 'node:util'
import type { apps, core } from '#api'
import { controllerOf, isStatus, resources, selectorFromLabelSelector } from '#api'
import { describeError } from '#base'
import type { Controller } from '#runtime'
import { mapped, owned, primary } from '#runtime'
import { claim } from '../workload/claim.ts'
import { isActive, ownedBy } from '../workload/pods.ts'
import { templateHash } from './hash.ts'
import { growNew, isScaling, planCleanup, planProportional, planRecreate, planRollingUpdate, rollingLimits } from './plan.ts'
import type { Deployment, ReplicaSet } from './revision.ts'
import { annotation, copiedAnnotations, hashLabel, newestSet, revisionAnnotations, revisionOf } from './revision.ts'
import type { StatusInput } from './status.ts'
import { deploymentStatus } from './status.ts'

/** Moves a deployment's pods from one template to the next, through replica sets. */
export const deploymentController: Controller = {
  name: 'deployment',
  setup: ({ client, cache, clock, events }) => {
    const deployments = cache<apps.Deployment>(resources.deployments)
    const sets = cache<apps.ReplicaSet>(resources.replicaSets)
    const pods = cache<core.Pod>(resources.pods)
    const deploymentClient = client.resource(resources.deployments)
    const setClient = client.resource(resources.replicaSets)

    async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
      const deployment = deployments.get(key)
      if (!deployment) return
      const selector = selectorFromLabelSelector(deployment.spec.selector)
      if (selector.empty)
        return events.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
      const mine = await claim<apps.ReplicaSet>(deployment, selector, sets.list(deployment.metadata.namespace), setClient)
      if (deployment.metadata.deletionTimestamp)
        return writeStatus({ deployment, ...split(deployment, mine), collisionCount: deployment.status?.collisionCount, now: clock.now() })

      if (deployment.spec.paused || isScaling(deployment, mine)) {
        for (const { set, replicas } of planProportional(deployment, mine)) await scale(deployment, set, replicas)
        await annotateSizes(deployment, mine)
        if (deployment.spec.paused) await cleanUp(deployment, split(deployment, mine).oldSets)
        return writeStatus({ deployment, ...split(deployment, mine), collisionCount: deployment.status?.collisionCount, now: clock.now() })
      }
      return roll(deployment, mine)
    }

    async function roll(deployment: Deployment, mine: readonly ReplicaSet[]): Promise<{ requeueAfter: number } | void> {
      const { newSet: found, oldSets } = split(deployment, mine)
      const recreate = deployment.spec.strategy?.type === 'Recreate'
      const plan = recreate
        ? planRecreate(
            deployment,
            found,
            oldSets,
            oldSets.some((set) => hasPods(set)),
          )
        : undefined
      const collisions = { count: deployment.status?.collisionCount }
      let progress: StatusInput['progress']
      let newSet = found
      if (!newSet && (plan?.mayCreate ?? true)) {
        newSet = await createSet(deployment, oldSets, collisions)
        if (newSet) progress = { reason: 'NewReplicaSetCreated', message: `Created new replica set "${newSet.metadata.name}"` }
      } else if (newSet) {
        newSet = await adoptRevision(deployment, newSet, oldSets)
        if (!deployment.status?.conditions?.some((c) => c.type === 'Progressing'))
          progress = { reason: 'FoundNewReplicaSet', message: `Found new replica set "${newSet.metadata.name}"` }
      }
      const scaling = plan ? plan.scale : newSet ? planRollingUpdate(deployment, newSet, oldSets) : []
      const resized = new Map<string, ReplicaSet>()
      for (const { set, replicas } of scaling) resized.set(set.metadata.uid!, await scale(deployment, set, replicas))
      const current = (set: ReplicaSet) => resized.get(set.metadata.uid!) ?? set
      const olds = oldSets.map(current)
      const newest = newSet && current(newSet)
      const again = await writeStatus({
        deployment,
        newSet: newest,
        oldSets: olds,
        collisionCount: collisions.count,
        now: clock.now(),
        ...(progress ? { progress } : {}),
      })
      if (newest && isComplete(deployment, newest, olds)) await cleanUp(deployment, olds)
      return again
    }

    /** Makes the set for the deployment's template. Another set may have its name already: then the hash is counted on. */
    async function createSet(
      deployment: Deployment,
      oldSets: readonly ReplicaSet[],
      collisions: { count: number | undefined },
    ): Promise<ReplicaSet | undefined> {
      const hash = templateHash(deployment.spec.template, collisions.count)
      const labels = { ...deployment.spec.template.metadata?.labels, [hashLabel]: hash }
      const revision = Math.max(0, ...oldSets.map(revisionOf)) + 1
      const replicas = growNew(deployment, undefined, oldSets)
      const name = `${deployment.metadata.name}-${hash}`
      const wanted: apps.ReplicaSet = structuredClone({
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name,
          namespace: deployment.metadata.namespace!,
          labels,
          annotations: { ...copiedAnnotations(deployment), ...revisionAnnotations(undefined, revision), ...sizes(deployment) },
          ownerReferences: [ownedBy(deployment)],
        },
        spec: {
          replicas,
          ...(deployment.spec.minReadySeconds === undefined ? {} : { minReadySeconds: deployment.spec.minReadySeconds }),
          selector: { ...deployment.spec.selector, matchLabels: { ...deployment.spec.selector.matchLabels, [hashLabel]: hash } },
          template: { ...deployment.spec.template, metadata: { ...deployment.spec.template.metadata, labels } },
        },
      }) as apps.ReplicaSet
      try {
        const created = await setClient.create(wanted)
        await setRevision(deployment, revision)
        if (replicas > 0) events.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} to ${replicas} from 0`)
        return created
      } catch (error) {
        if (isStatus(error, 'AlreadyExists')) {
          const other = await setClient.get(name, deployment.metadata.namespace)
          // our own from a moment ago, which the cache has not seen yet
          if (controllerOf(other)?.uid === deployment.metadata.uid && newestSet(deployment, [other])) return other
          collisions.count = (collisions.count ?? 0) + 1
          await deploymentClient.updateStatus({ ...deployment, status: { ...deployment.status, collisionCount: collisions.count } } as Deployment)
          throw error
        }
        const message = `Failed to create new replica set "${name}": ${describeError(error)}`
        events.event(deployment, 'Warning', 'ReplicaSetCreateError', message)
        throw error
      }
    }

    /** An old set that is the wanted one again (a roll-back) gets the newest revision. */
    async function adoptRevision(deployment: Deployment, set: ReplicaSet, oldSets: readonly ReplicaSet[]): Promise<ReplicaSet> {
      const revision = Math.max(0, ...oldSets.map(revisionOf)) + 1
      const wanted = { ...copiedAnnotations(deployment), ...revisionAnnotations(set, revision) }
      const missing = Object.entries(wanted).some(([key, value]) => set.metadata.annotations?.[key] !== value)
      const minReadySeconds = deployment.spec.minReadySeconds ?? 0
      const updated =
        missing || (set.spec.minReadySeconds ?? 0) !== minReadySeconds
          ? await setClient.patch(set.metadata.name, set.metadata.namespace, 'strategic', {
              metadata: { annotations: wanted },
              spec: { minReadySeconds },
            })
          : set
      await setRevision(deployment, Math.max(revisionOf(updated), 1))
      return updated
    }

    async function setRevision(deployment: Deployment, revision: number): Promise<void> {
      if (revisionOf(deployment) === revision) return
      await deploymentClient.patch(deployment.metadata.name, deployment.metadata.namespace, 'strategic', {
        metadata: { annotations: { [annotation.revision]: String(revision) } },
      })
    }

    async function scale(deployment: Deployment, set: ReplicaSet, replicas: number): Promise<ReplicaSet> {
      const before = set.spec.replicas ?? 1
      const updated = await setClient.patch(set.metadata.name, set.metadata.namespace, 'strategic', {
        metadata: { annotations: sizes(deployment), resourceVersion: set.metadata.resourceVersion },
        spec: { replicas },
      })
      events.event(
        deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled ${replicas > before ? 'up' : 'down'} replica set ${set.metadata.name} to ${replicas} from ${before}`,
      )
      return updated
    }

    /** Sets that keep their size remember what they were sized for. */
    async function annotateSizes(deployment: Deployment, mine: readonly ReplicaSet[]): Promise<void> {
      const wanted = sizes(deployment)
      for (const set of mine) {
        const current = sets.get(`${set.metadata.namespace}/${set.metadata.name}`)
        if (!current || (set.spec.replicas ?? 1) === 0 || Object.entries(wanted).every(([k, v]) => current.metadata.annotations?.[k] === v)) continue
        await setClient.patch(set.metadata.name, set.metadata.namespace, 'strategic', { metadata: { annotations: wanted } })
      }
    }

    async function cleanUp(deployment: Deployment, oldSets: readonly ReplicaSet[]): Promise<void> {
      for (const set of planCleanup(deployment, oldSets))
        try {
          await setClient.delete(set.metadata.name, set.metadata.namespace, { preconditions: { uid: set.metadata.uid! } })
        } catch (error) {
          if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
        }
    }

    async function writeStatus(input: StatusInput): Promise<{ requeueAfter: number } | void> {
      const { status, recheckAfter } = deploymentStatus(input)
      if (!isDeepStrictEqual(status, input.deployment.status))
        await deploymentClient.updateStatus({
          ...deployments.get(`${input.deployment.metadata.namespace}/${input.deployment.metadata.name}`)!,
          status,
        } as Deployment)
      if (recheckAfter !== undefined) return { requeueAfter: recheckAfter }
    }

    const hasPods = (set: ReplicaSet) =>
      pods
        .list(set.metadata.namespace)
        .some((pod) => controllerOf(pod)?.uid === set.metadata.uid && (isActive(pod) || pod.metadata.deletionTimestamp !== undefined))

    return {
      reconcile,
      watches: [
        primary(deployments),
        owned(sets, 'Deployment'),
        // Recreate waits for the last old pod to end
        mapped(pods, (pod) => {
          const owner = controllerOf(pod)
          const set = owner?.kind === 'ReplicaSet' ? sets.get(`${pod.metadata.namespace}/${owner.name}`) : undefined
          const deployment = set && controllerOf(set)
          const key = deployment && `${pod.metadata.namespace}/${deployment.name}`
          return key && deployments.get(key)?.spec.strategy?.type === 'Recreate' ? [key] : []
        }),
      ],
    }
  },
}

function split(deployment: Deployment, mine: readonly ReplicaSet[]): { newSet: ReplicaSet | undefined; oldSets: ReplicaSet[] } {
  const newSet = newestSet(deployment, mine)
  return { newSet, oldSets: mine.filter((set) => set.metadata.uid !== newSet?.metadata.uid) }
}

function sizes(deployment: Deployment): Record<string, string> {
  const replicas = deployment.spec.replicas ?? 1
  return { [annotation.desired]: String(replicas), [annotation.max]: String(replicas + rollingLimits(deployment).maxSurge) }
}

function isComplete(deployment: Deployment, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): boolean {
  const wanted = deployment.spec.replicas ?? 1
  return (
    (newSet.status?.replicas ?? 0) === wanted &&
    (newSet.status?.availableReplicas ?? 0) === wanted &&
    oldSets.every((set) => (set.status?.replicas ?? 0) === 0)
  )
}
