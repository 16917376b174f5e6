import { isDeepStrictEqual } from 'node:util'
import type { apps, core } from '#api'
import { controllerOf, isStatus, objectKey, resources } from '#api'
import { describeError } from '#base'
import type { Controller } from '#runtime'
import { createExpectations, mapped, owned, primary } from '#runtime'
import { byController, cachedSelector, candidatesFor, claim } from '../workload/claim.ts'
import { templateHash } from '../workload/hash.ts'
import type { HistoryOptions, Revision } from '../workload/history.ts'
import { applyHistory, planHistory, truncateHistory } from '../workload/history.ts'
import type { Pod } from '../workload/pods.ts'
import { isNamespaceTerminating } from '../workload/pods.ts'
import { claimOwners, isStale } from './claims.ts'
import type { Claim, StatefulSet } from './identity.ts'
import { claimName, claimsOf, ordinalOf, podName, revisionLabel, statefulPod } from './identity.ts'
import type { StatefulSetPlan } from './plan.ts'
import { ordinals, planStatefulSet } from './plan.ts'

type Settled = { requeueAfter: number } | void

const hashLabel = 'controller.kubernetes.io/hash'

/** Keeps numbered pods, each with a name, an address and volumes of its own. */
export const statefulSetController = (options: HistoryOptions = {}): Controller => ({
  name: 'statefulset',
  eventSource: 'statefulset-controller',
  setup: ({ client, cache, clock, events }) => {
    const sets = cache<apps.StatefulSet>(resources.statefulSets)
    const pods = cache<core.Pod>(resources.pods, byController)
    const claims = cache<core.PersistentVolumeClaim>(resources.persistentVolumeClaims)
    const revisions = cache<apps.ControllerRevision>(resources.controllerRevisions, byController)
    const setClient = client.resource(resources.statefulSets)
    const podClient = client.resource(resources.pods)
    const claimClient = client.resource(resources.persistentVolumeClaims)
    const revisionClient = client.resource(resources.controllerRevisions)
    const expectations = createExpectations<core.Pod>(pods)

    async function reconcile(key: string): Promise<Settled> {
      const set = sets.get(key)
      if (!set) return expectations.forget(key)
      // a decision on pods that are not known yet would make or delete some twice; the event that brings the news wakes us
      if (!expectations.satisfied(key)) return { requeueAfter: 1000 }
      const selector = cachedSelector(set.spec.selector)
      const current = () => setClient.get(set.metadata.name, set.metadata.namespace)
      const history = await claim<apps.ControllerRevision>({
        owner: set,
        selector,
        candidates: candidatesFor(revisions, set),
        client: revisionClient,
        current,
      })
      const candidates = candidatesFor(pods, set).filter((pod) => ordinalOf(set, pod) !== undefined)
      const mine = await claim<core.Pod>({ owner: set, selector, candidates, client: podClient, current })
      const found = await revisionsOf(set, history)
      if (!found) return collide(set)
      const state = {
        set,
        current: found.current,
        update: found.update,
        pods: mine,
        claimsAreStale: (ordinal: number) => (claimsFor(set, ordinal) ?? []).some((c) => isStale(c, undefined)),
        now: clock.now(),
      }
      const plan = planStatefulSet(state)
      await applyRetention(set, mine)
      const error = await apply(key, set, plan)
      await writeStatus(set, plan.status)
      await truncateHistory(revisionClient, found.old, set.spec.revisionHistoryLimit ?? 10, (r) =>
        [plan.status.currentRevision, set.status?.currentRevision, ...mine.map((pod) => pod.metadata.labels?.[revisionLabel])].includes(
          r.metadata.name,
        ),
      )
      if (error !== undefined && !isNamespaceTerminating(error)) throw error
      if (plan.recheckAfter !== undefined) return { requeueAfter: plan.recheckAfter }
    }

    async function revisionsOf(
      set: StatefulSet,
      history: readonly Revision[],
    ): Promise<{ current: Revision; update: Revision; old: Revision[] } | undefined> {
      const { template } = set.spec
      const plan = planHistory(history, template)
      const hash = templateHash(template, set.status?.collisionCount)
      const labels = { ...template.metadata?.labels, [hashLabel]: hash }
      const update = await applyHistory(revisionClient, plan, { owner: set, name: `${set.metadata.name}-${hash}`, labels, template, options })
      if (!update) return undefined
      const current = [...plan.old, update].find((r) => r.metadata.name === set.status?.currentRevision) ?? update
      return { current, update, old: plan.old }
    }

    async function collide(set: StatefulSet): Promise<void> {
      await writeStatus(set, { ...(set.status as apps.StatefulSetStatus), collisionCount: (set.status?.collisionCount ?? 0) + 1 })
    }

    /** Does what the plan says and answers the first error. */
    async function apply(key: string, set: StatefulSet, plan: StatefulSetPlan): Promise<unknown> {
      const work = [
        ...plan.create.map(({ ordinal, revision }) => create(key, set, ordinal, revision)),
        ...plan.delete.map((pod) => remove(key, set, pod)),
        ...plan.label.map(({ pod, labels }) => label(key, pod, labels)),
        ...plan.claims.map((ordinal) => ensureClaims(set, ordinal)),
      ]
      return (await Promise.allSettled(work)).find((r) => r.status === 'rejected')?.reason
    }

    async function create(key: string, set: StatefulSet, ordinal: number, revision: Revision): Promise<void> {
      const name = podName(set, ordinal)
      try {
        await ensureClaims(set, ordinal)
        expectations.created(key, await podClient.create(statefulPod(set, ordinal, revision)))
        events.event(set, 'Normal', 'SuccessfulCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} successful`)
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists') && !isNamespaceTerminating(error))
          events.event(set, 'Warning', 'FailedCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${describeError(error)}`)
        throw error
      }
    }

    async function ensureClaims(set: StatefulSet, ordinal: number): Promise<void> {
      for (const wanted of claimsOf(set, ordinal)) {
        const { name, namespace } = wanted.metadata
        const known = claims.get(`${namespace}/${name}`)
        if (known?.metadata.deletionTimestamp) throw new Error(`pvc ${name} is being deleted`)
        if (known) continue
        const what = `Claim ${name} Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name}`
        try {
          const ownerReferences = claimOwners(set, undefined, false, wanted as Claim)
          await claimClient.create(ownerReferences ? { ...wanted, metadata: { ...wanted.metadata, ownerReferences: [...ownerReferences] } } : wanted)
          events.event(set, 'Normal', 'SuccessfulCreate', `create ${what} success`)
        } catch (error) {
          if (isStatus(error, 'AlreadyExists')) continue
          events.event(set, 'Warning', 'FailedCreate', `create ${what} failed error: ${describeError(error)}`)
          throw error
        }
      }
    }

    async function remove(key: string, set: StatefulSet, pod: Pod): Promise<void> {
      const { name, namespace, uid } = pod.metadata
      try {
        await podClient.delete(name, namespace, { preconditions: { uid: uid! } })
        events.event(set, 'Normal', 'SuccessfulDelete', `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`)
      } catch (error) {
        if (!isStatus(error, 'NotFound')) {
          events.event(set, 'Warning', 'FailedDelete', `delete Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${describeError(error)}`)
          throw error
        }
      }
      expectations.deleted(key, pod)
    }

    async function label(key: string, pod: Pod, labels: Record<string, string>): Promise<void> {
      const { name, namespace, uid } = pod.metadata
      expectations.created(key, await podClient.patch(name, namespace, 'merge', { metadata: { uid, labels } }))
    }

    const claimsFor = (set: StatefulSet, ordinal: number): Claim[] | undefined =>
      set.spec.volumeClaimTemplates?.flatMap((template) => claims.get(`${set.metadata.namespace}/${claimName(set, template, ordinal)}`) ?? [])

    /** Has the claims of all pods owned by whom they are to go with. */
    async function applyRetention(set: StatefulSet, mine: readonly Pod[]): Promise<void> {
      if (!set.spec.volumeClaimTemplates?.length || set.metadata.deletionTimestamp) return
      const { first, end } = ordinals(set)
      for (const pod of mine) {
        const ordinal = ordinalOf(set, pod)!
        const condemned = ordinal < first || ordinal >= end
        for (const found of claimsFor(set, ordinal) ?? []) {
          const ownerReferences = claimOwners(set, pod, condemned, found)
          if (ownerReferences) await claimClient.update({ ...found, metadata: { ...found.metadata, ownerReferences } } as Claim)
        }
      }
    }

    async function writeStatus(set: StatefulSet, status: apps.StatefulSetStatus): Promise<void> {
      if (!isDeepStrictEqual(status, set.status)) await setClient.updateStatus({ ...set, status } as StatefulSet)
    }

    const orphans = mapped(pods, (pod) =>
      controllerOf(pod)
        ? []
        : sets
            .list(pod.metadata.namespace)
            .filter((set) => ordinalOf(set, pod) !== undefined && cachedSelector(set.spec.selector).matches(pod.metadata.labels))
            .map(objectKey),
    )
    /** A claim that went lets its pod be made again. */
    const ofClaims = mapped(claims, (c) =>
      sets
        .list(c.metadata.namespace)
        .filter((set) => isClaimOf(set, c))
        .map(objectKey),
    )
    return { reconcile, watches: [primary(sets), owned(pods, 'StatefulSet'), owned(revisions, 'StatefulSet'), orphans, ofClaims] }
  },
})

function isClaimOf(set: StatefulSet, { metadata: { name } }: Claim): boolean {
  return (set.spec.volumeClaimTemplates ?? []).some((template) => {
    const prefix = `${template.metadata.name}-${set.metadata.name}-`
    return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))
  })
}
