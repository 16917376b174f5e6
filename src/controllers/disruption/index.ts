import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, KubeObject, apps, core, meta, policy } from '#api'
import { controllerOf, isStatus, objectKey, resources } from '#api'
import { describeError } from '#base'
import { discover } from '#client'
import type { Controller } from '#runtime'
import { mapped, primary } from '#runtime'
import { cachedSelector } from '../workload/claim.ts'
import type { Pod } from '../workload/pods.ts'
import type { Budget, Scale } from './plan.ts'
import { failedStatus, needsScale, planBudget, scaleOf, staleDisruption } from './plan.ts'

type Owner = DeepReadonly<meta.OwnerReference>

/** Reckons how many pods of each disruption budget may be evicted; the API server's eviction grants no more. */
export const disruptionController: Controller = {
  name: 'disruption',
  eventSource: 'controllermanager',
  setup: ({ client, cache, clock, events }) => {
    const budgets = cache<policy.PodDisruptionBudget>(resources.podDisruptionBudgets)
    const pods = cache<core.Pod>(resources.pods)
    const replicaSets = cache<apps.ReplicaSet>(resources.replicaSets)
    const deployments = cache<apps.Deployment>(resources.deployments)
    const statefulSets = cache<apps.StatefulSet>(resources.statefulSets)
    const replicationControllers = cache<core.ReplicationController>(resources.replicationControllers)
    const budgetClient = client.resource(resources.podDisruptionBudgets)
    const podClient = client.resource(resources.pods)
    /** `group/kind` of controllers that are not built in, with the path of their collection below the namespace; undefined where there is no scale. */
    const custom = new Map<string, { group: string; version: string; resource: string } | undefined>()

    async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
      if (key.startsWith(podKey)) return takeBackDisruption(key.slice(podKey.length))
      const budget = budgets.get(key)
      if (!budget || budget.metadata.deletionTimestamp) return
      const selector = cachedSelector(budget.spec?.selector)
      const mine = pods.list(budget.metadata.namespace).filter((pod) => selector.matches(pod.metadata.labels))
      if (mine.length === 0) events.event(budget, 'Normal', 'NoPods', 'No matching pods found')
      let scale: Scale | undefined
      try {
        if (needsScale(budget)) scale = await scaleOf(mine, sizeOf)
      } catch (error) {
        events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${describeError(error)}`)
        return writeStatus(budget, failedStatus(budget, describeError(error), clock.now()))
      }
      if (scale && scale.unmanaged.length > 0) warnOfUnmanaged(budget, selector.toString())
      const plan = planBudget({ budget, pods: mine, now: clock.now(), ...(scale ? { scale } : {}) })
      for (const pod of plan.notDeleted)
        events.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${objectKey(budget)} to be deleted but it wasn't`)
      await writeStatus(budget, plan.status)
      if (plan.recheckAfter !== undefined) return { requeueAfter: plan.recheckAfter }
    }

    function warnOfUnmanaged(budget: Budget, selector: string): void {
      const message =
        `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, ` +
        'which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
      events.event(budget, 'Warning', 'UnmanagedPods', message)
    }

    async function writeStatus(budget: Budget, status: policy.PodDisruptionBudgetStatus): Promise<void> {
      if (!isDeepStrictEqual(status, budget.status)) await budgetClient.updateStatus({ ...budget, status } as Budget)
    }

    /** How many pods the controller of a pod wants; a deployment counts for all of its replica sets. */
    async function sizeOf(owner: Owner, pod: Pod): Promise<{ uid: string; size: number } | undefined> {
      const key = `${pod.metadata.namespace}/${owner.name}`
      const [group = ''] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
      if (group === 'apps' && owner.kind === 'ReplicaSet') {
        const set = replicaSets.get(key)
        if (set?.metadata.uid !== owner.uid) return undefined
        const above = controllerOf(set)
        const deployment = above?.kind === 'Deployment' ? deployments.get(`${pod.metadata.namespace}/${above.name}`) : undefined
        return sized(deployment && deployment.metadata.uid === above?.uid ? deployment : set)
      }
      if (group === 'apps' && owner.kind === 'StatefulSet') return sized(statefulSets.get(key), owner)
      if (group === '' && owner.kind === 'ReplicationController') return sized(replicationControllers.get(key), owner)
      return customSize(group, owner, pod)
    }

    /** Any other controller that can be scaled says so at its scale subresource. */
    async function customSize(group: string, owner: Owner, pod: Pod): Promise<{ uid: string; size: number } | undefined> {
      const kind = `${group}/${owner.kind}`
      if (!custom.has(kind)) {
        const { resources: served } = await discover(client)
        custom.set(
          kind,
          served.find((r) => r.group === group && r.kind === owner.kind && r.preferred),
        )
      }
      const found = custom.get(kind)
      if (!found) {
        // it may be installed later
        custom.delete(kind)
        return undefined
      }
      const base = found.group ? `/apis/${found.group}/${found.version}` : `/api/${found.version}`
      try {
        const scale = await client.raw<CustomScale>('GET', `${base}/namespaces/${pod.metadata.namespace}/${found.resource}/${owner.name}/scale`)
        return scale.metadata.uid === owner.uid ? { uid: owner.uid, size: scale.spec?.replicas ?? 0 } : undefined
      } catch (error) {
        if (isStatus(error, 'NotFound')) return undefined
        throw error
      }
    }

    /** A pod that was marked for disruption and is still there after a while is not going to be disrupted. */
    async function takeBackDisruption(key: string): Promise<{ requeueAfter: number } | void> {
      const pod = pods.get(key)
      const stale = pod && staleDisruption(pod, clock.now())
      if (!stale) return
      if ('after' in stale) return { requeueAfter: stale.after }
      const { name, namespace, uid } = pod.metadata
      await podClient.patch(name, namespace, 'strategic', { metadata: { uid }, status: { conditions: [stale.condition] } }, { subresource: 'status' })
    }

    const budgetsOf = (labels: Readonly<Record<string, string>> | undefined, namespace: string | undefined) =>
      budgets
        .list(namespace)
        .filter((budget) => cachedSelector(budget.spec?.selector).matches(labels))
        .map(objectKey)
    const ofPods = mapped(pods, (pod) => [
      ...budgetsOf(pod.metadata.labels, pod.metadata.namespace),
      ...(staleDisruption(pod, clock.now()) ? [`${podKey}${objectKey(pod)}`] : []),
    ])
    const ofTemplates = <T extends KubeObject & { spec: { template?: core.PodTemplateSpec } }>(object: DeepReadonly<T>) => {
      const { metadata, spec } = object as unknown as DeepReadonly<KubeObject & { spec: { template?: core.PodTemplateSpec } }>
      return budgetsOf(spec.template?.metadata?.labels, metadata.namespace)
    }
    return {
      reconcile,
      watches: [
        primary(budgets),
        ofPods,
        mapped(deployments, ofTemplates),
        mapped(replicaSets, ofTemplates),
        mapped(statefulSets, ofTemplates),
        mapped(replicationControllers, ofTemplates),
      ],
    }
  },
}

/** Keys of pods, among those of budgets. */
const podKey = 'pod/'

interface CustomScale {
  metadata: { uid?: string }
  spec?: { replicas?: number }
}

type Sized = DeepReadonly<KubeObject & { spec: { replicas?: number } }>

function sized(object: Sized | undefined, owner?: Owner): { uid: string; size: number } | undefined {
  if (!object || (owner && object.metadata.uid !== owner.uid)) return undefined
  return { uid: object.metadata.uid!, size: object.spec.replicas ?? 1 }
}
