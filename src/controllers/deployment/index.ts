import { isDeepStrictEqual } from 'node:util'
import type { apps, core } from '#api'
import { controllerOf, resources } from '#api'
import type { Controller } from '#runtime'
import { mapped, owned, primary } from '#runtime'
import { byController, cachedSelector, candidatesFor, claim } from '../workload/claim.ts'
import { isNamespaceTerminating } from '../workload/pods.ts'
import { isScaling, planRecreate, planRollingUpdate, planScale } from './plan.ts'
import { replicaSetWriter } from './replica-sets.ts'
import type { Deployment, ReplicaSet } from './revision.ts'
import { annotation, newestSet, revisionOf } from './revision.ts'
import type { Progress } from './status.ts'
import { deploymentStatus, isComplete } from './status.ts'

type Settled = { requeueAfter: number } | void

/** A deployment's sets: the one of its template, if there is one, and all others. */
interface Sets {
  newSet: ReplicaSet | undefined
  oldSets: readonly ReplicaSet[]
}

/** Moves a deployment's pods from one template to the next, through replica sets. */
export const deploymentController: Controller = {
  name: 'deployment',
  eventSource: 'deployment-controller',
  setup: ({ client, cache, clock, events }) => {
    const deployments = cache<apps.Deployment>(resources.deployments)
    const sets = cache<apps.ReplicaSet>(resources.replicaSets, byController)
    const pods = cache<core.Pod>(resources.pods, byController)
    const deploymentClient = client.resource(resources.deployments)
    const setClient = client.resource(resources.replicaSets)
    const writer = replicaSetWriter(setClient, events)

    async function reconcile(key: string): Promise<Settled> {
      const deployment = deployments.get(key)
      if (!deployment) return
      const selector = cachedSelector(deployment.spec.selector)
      if (selector.empty)
        return events.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
      const mine = await claim<apps.ReplicaSet>({
        owner: deployment,
        selector,
        candidates: candidatesFor(sets, deployment),
        client: setClient,
        current: () => deploymentClient.get(deployment.metadata.name, deployment.metadata.namespace),
      })
      if (deployment.metadata.deletionTimestamp) return writeStatus(deployment, split(deployment, mine), { rollout: false })
      if (deployment.spec.paused || isScaling(deployment, mine)) return resize(deployment, split(deployment, mine))
      return roll(deployment, split(deployment, mine))
    }

    /** Paused, or only the size changed: the sets keep their templates. */
    async function resize(deployment: Deployment, { newSet: found, oldSets }: Sets): Promise<Settled> {
      const newSet = found && (await writer.refresh(deployment, found, oldSets))
      const { olds, newest } = await scaleAll(deployment, { newSet, oldSets }, planScale(deployment, newSet, oldSets))
      for (const set of newest ? [...olds, newest] : olds) if ((set.spec.replicas ?? 1) > 0) await writer.noteSizes(deployment, set)
      if (deployment.spec.paused) await writer.cleanUp(deployment, olds)
      return writeStatus(deployment, { newSet: newest, oldSets: olds }, { rollout: false })
    }

    async function roll(deployment: Deployment, { newSet: found, oldSets }: Sets): Promise<Settled> {
      const oldPodsRun = deployment.spec.strategy?.type === 'Recreate' && oldSets.some(hasRunningPods)
      const recreation = deployment.spec.strategy?.type === 'Recreate' ? planRecreate(deployment, found, oldSets, oldPodsRun) : undefined
      let progress: Progress | undefined
      let newSet = found
      if (!newSet && (recreation?.mayCreate ?? true)) {
        const creation = await writer.create(deployment, oldSets)
        if (creation.result === 'collision')
          return writeStatus(deployment, { newSet, oldSets }, { rollout: false, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 })
        if (creation.result === 'failed') {
          if (isNamespaceTerminating(creation.error)) return
          progress = { status: 'False', reason: 'ReplicaSetCreateError', message: creation.message }
          await writeStatus(deployment, { newSet, oldSets }, { rollout: false, progress })
          throw creation.error
        }
        newSet = creation.set
        progress = { status: 'True', reason: 'NewReplicaSetCreated', message: `Created new replica set "${newSet.metadata.name}"` }
      } else if (newSet) {
        newSet = await writer.refresh(deployment, newSet, oldSets)
        if (!deployment.status?.conditions?.some((c) => c.type === 'Progressing'))
          progress = { status: 'True', reason: 'FoundNewReplicaSet', message: `Found new replica set "${newSet.metadata.name}"` }
      }
      const plan = recreation ? recreation.scale : newSet ? planRollingUpdate(deployment, newSet, oldSets) : []
      const { olds, newest } = await scaleAll(deployment, { newSet, oldSets }, plan)
      const again = await writeStatus(deployment, { newSet: newest, oldSets: olds }, { rollout: true, ...(progress ? { progress } : {}) })
      if (newest && isComplete(deployment, newest, olds)) await writer.cleanUp(deployment, olds)
      return again
    }

    async function scaleAll(deployment: Deployment, { newSet, oldSets }: Sets, plan: readonly { set: ReplicaSet; replicas: number }[]) {
      const resized = new Map<string, ReplicaSet>()
      for (const { set, replicas } of plan) resized.set(set.metadata.uid!, await writer.scale(deployment, set, replicas))
      const current = (set: ReplicaSet) => resized.get(set.metadata.uid!) ?? set
      return { olds: oldSets.map(current), newest: newSet && current(newSet) }
    }

    async function writeStatus(
      deployment: Deployment,
      { newSet, oldSets }: Sets,
      options: { rollout: boolean; progress?: Progress; collisionCount?: number },
    ): Promise<Settled> {
      const { status, recheckAfter } = deploymentStatus({
        deployment,
        newSet,
        oldSets,
        now: clock.now(),
        ...options,
        collisionCount: options.collisionCount ?? deployment.status?.collisionCount,
      })
      const revision = newSet ? revisionOf(newSet) : 0n
      const revised = revision > 0 && revision !== revisionOf(deployment)
      if (revised || !isDeepStrictEqual(status, deployment.status)) {
        // the revision goes with the status: a write of the main resource would make a new generation of it
        const annotations = revised
          ? { ...deployment.metadata.annotations, [annotation.revision]: String(revision) }
          : deployment.metadata.annotations
        await deploymentClient.updateStatus({
          ...deployment,
          metadata: { ...deployment.metadata, ...(annotations ? { annotations } : {}) },
          status,
        } as Deployment)
      }
      if (recheckAfter !== undefined) return { requeueAfter: recheckAfter }
    }

    /** Recreate waits for the last old pod to end. */
    const hasRunningPods = (set: ReplicaSet) =>
      (set.status?.replicas ?? 0) > 0 ||
      pods.byIndex('controller', set.metadata.uid!).some((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed')

    const recreated = mapped(pods, (pod) => {
      const owner = controllerOf(pod)
      const set = owner?.kind === 'ReplicaSet' ? sets.get(`${pod.metadata.namespace}/${owner.name}`) : undefined
      const deployment = set && controllerOf(set)
      const key = deployment && `${pod.metadata.namespace}/${deployment.name}`
      return key && deployments.get(key)?.spec.strategy?.type === 'Recreate' ? [key] : []
    })
    const adoptable = mapped(sets, (set) =>
      controllerOf(set)
        ? []
        : deployments
            .list(set.metadata.namespace)
            .filter((d) => cachedSelector(d.spec.selector).matches(set.metadata.labels))
            .map((d) => `${d.metadata.namespace}/${d.metadata.name}`),
    )
    return { reconcile, watches: [primary(deployments), owned(sets, 'Deployment'), adoptable, recreated] }
  },
}

function split(deployment: Deployment, mine: readonly ReplicaSet[]): Sets {
  const newSet = newestSet(deployment, mine)
  return { newSet, oldSets: mine.filter((set) => set.metadata.uid !== newSet?.metadata.uid) }
}
