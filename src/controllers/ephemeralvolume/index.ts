import type { Creatable, DeepReadonly, core } from '#api'
import { isClaimOfPod, isStatus, resources } from '#api'
import { describeError } from '#base'
import type { Controller } from '#runtime'
import { mapped, primary } from '#runtime'

type Pod = DeepReadonly<core.Pod>
type Volume = DeepReadonly<core.Volume>

/** The claim of a pod's generic ephemeral volume: it belongs to the pod and goes with it. */
export function claimFor(pod: Pod, { name: volume, ephemeral }: Volume): Creatable<core.PersistentVolumeClaim> {
  const { name, namespace, uid } = pod.metadata
  const template = ephemeral!.volumeClaimTemplate!
  const owner = { apiVersion: 'v1', kind: 'Pod', name, uid: uid!, controller: true, blockOwnerDeletion: true }
  const { labels, annotations } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: `${name}-${volume}`,
      namespace,
      ownerReferences: [owner],
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
    },
    spec: structuredClone(template.spec) as core.PersistentVolumeClaimSpec,
  }
}

/** Makes the claims of pods' generic ephemeral volumes. */
export const ephemeralVolumeController: Controller = {
  name: 'ephemeralvolume',
  eventSource: 'ephemeral_volume',
  setup: ({ client, cache, events }) => {
    const pods = cache<core.Pod>(resources.pods)
    const claims = cache<core.PersistentVolumeClaim>(resources.persistentVolumeClaims)
    const api = client.resource(resources.persistentVolumeClaims)

    async function provide(pod: Pod, volume: Volume, signal: AbortSignal): Promise<void> {
      const wanted = claimFor(pod, volume)
      const known = claims.get(`${pod.metadata.namespace}/${wanted.metadata.name}`)
      if (known && isClaimOfPod(known, pod)) return
      try {
        if (known) throw notOurs(pod, wanted.metadata.name!)
        await api.create(wanted, { signal })
      } catch (error) {
        signal.throwIfAborted()
        const found = isStatus(error, 'AlreadyExists') && (await api.get(wanted.metadata.name!, pod.metadata.namespace, { signal }))
        if (found && isClaimOfPod(found, pod)) return
        const why = found ? notOurs(pod, wanted.metadata.name!) : error
        events.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${describeError(why)}`)
        throw why
      }
    }

    return {
      watches: [
        primary(pods),
        // one that stood in the way has gone
        mapped(claims, ({ metadata }) => {
          const owner = metadata.ownerReferences?.find((o) => o.controller && o.kind === 'Pod')
          return owner ? [`${metadata.namespace}/${owner.name}`] : []
        }),
      ],
      async reconcile(key, signal) {
        const pod = pods.get(key)
        if (!pod || pod.metadata.deletionTimestamp) return
        for (const volume of pod.spec.volumes ?? []) if (volume.ephemeral?.volumeClaimTemplate) await provide(pod, volume, signal)
      },
    }
  },
}

const notOurs = ({ metadata }: Pod, claim: string) =>
  new Error(`PVC ${metadata.namespace}/${claim} was not created for pod ${metadata.namespace}/${metadata.name} (pod is not owner)`)
