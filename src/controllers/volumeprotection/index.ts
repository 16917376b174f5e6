import type { DeepReadonly, core } from '#api'
import { claimNames, isStatus, resources } from '#api'
import type { Controller } from '#runtime'
import { mapped, primary } from '#runtime'

type Pod = DeepReadonly<core.Pod>

export const claimFinalizer = 'kubernetes.io/pvc-protection'
export const volumeFinalizer = 'kubernetes.io/pv-protection'

/** A pod has its volumes from when it is given a node until it is gone: its containers may end later than it says. */
const uses = (pod: Pod) => Boolean(pod.spec.nodeName)

const claimsOf = (pod: Pod) => claimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`)

/** Lets a deleted claim go once no pod on a node uses it any more. */
export const claimProtection: Controller = {
  name: 'pvc-protection',
  setup: ({ client, cache }) => {
    const claims = cache<core.PersistentVolumeClaim>(resources.persistentVolumeClaims)
    const pods = cache<core.Pod>(resources.pods, { claim: claimsOf })
    const api = client.resource(resources.persistentVolumeClaims)
    return {
      watches: [primary(claims), mapped(pods, (pod) => claimsOf(pod).filter((key) => claims.get(key)?.metadata.deletionTimestamp))],
      async reconcile(key, signal) {
        const claim = claims.get(key)
        if (!claim) return
        const { deletionTimestamp, finalizers = [] } = claim.metadata
        const [namespace] = key.split('/')
        if (!deletionTimestamp) {
          // made while nobody protected claims
          if (!finalizers.includes(claimFinalizer))
            await api.update({ ...claim, metadata: { ...claim.metadata, finalizers: [...finalizers, claimFinalizer] } }, { signal })
          return
        }
        if (!finalizers.includes(claimFinalizer) || pods.byIndex('claim', key).some(uses)) return
        // the cache of pods may be behind: what is let go is gone
        const live = await client.resource(resources.pods).list({ namespace: namespace!, signal })
        if (live.items.some((pod) => uses(pod) && claimsOf(pod).includes(key))) return
        await withoutNotFound(
          api.update({ ...claim, metadata: { ...claim.metadata, finalizers: finalizers.filter((f) => f !== claimFinalizer) } }, { signal }),
        )
      },
    }
  },
}

/** Lets a deleted volume go once no claim is bound to it any more. */
export const volumeProtection: Controller = {
  name: 'pv-protection',
  setup: ({ client, cache }) => {
    const volumes = cache<core.PersistentVolume>(resources.persistentVolumes)
    const api = client.resource(resources.persistentVolumes)
    return {
      watches: [primary(volumes)],
      async reconcile(key, signal) {
        const volume = volumes.get(key)
        if (!volume) return
        const { deletionTimestamp, finalizers = [] } = volume.metadata
        const protectedNow = finalizers.includes(volumeFinalizer)
        const change = (wanted: readonly string[]) =>
          withoutNotFound(api.update({ ...volume, metadata: { ...volume.metadata, finalizers: wanted } }, { signal }))
        if (!deletionTimestamp && !protectedNow) await change([...finalizers, volumeFinalizer])
        if (deletionTimestamp && protectedNow && volume.status?.phase !== 'Bound') await change(finalizers.filter((f) => f !== volumeFinalizer))
      },
    }
  },
}

async function withoutNotFound(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
  }
}
