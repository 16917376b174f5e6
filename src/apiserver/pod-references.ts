import type { DeepReadonly, core } from '#api'

/** The objects of its own namespace that a pod's spec names. */
export interface PodReferences {
  secrets: Set<string>
  configMaps: Set<string>
  claims: Set<string>
  resourceClaims: Set<string>
  /** Whether a projected volume asks for a service-account token. */
  projectsToken: boolean
}

/** All references of all containers and volumes, image pull secrets included. */
export function podReferences(pod: DeepReadonly<core.Pod>): PodReferences {
  const found: PodReferences = { secrets: new Set(), configMaps: new Set(), claims: new Set(), resourceClaims: new Set(), projectsToken: false }
  const add = (set: Set<string>, name: string | undefined) => {
    if (name) set.add(name)
  }
  const { spec } = pod
  if (!spec) return found
  for (const secret of spec.imagePullSecrets ?? []) add(found.secrets, secret.name)
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    for (const { secretRef, configMapRef } of container.envFrom ?? []) {
      add(found.secrets, secretRef?.name)
      add(found.configMaps, configMapRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add(found.secrets, valueFrom?.secretKeyRef?.name)
      add(found.configMaps, valueFrom?.configMapKeyRef?.name)
    }
  }
  for (const volume of spec.volumes ?? []) {
    add(found.secrets, volume.secret?.secretName)
    add(found.configMaps, volume.configMap?.name)
    add(found.claims, volume.persistentVolumeClaim?.claimName)
    if (volume.ephemeral) add(found.claims, `${pod.metadata.name}-${volume.name}`)
    for (const { secret, configMap, serviceAccountToken } of volume.projected?.sources ?? []) {
      add(found.secrets, secret?.name)
      add(found.configMaps, configMap?.name)
      if (serviceAccountToken) found.projectsToken = true
    }
    add(found.secrets, volume.azureFile?.secretName)
    for (const source of [volume.cephfs, volume.cinder, volume.flexVolume, volume.rbd, volume.scaleIO, volume.iscsi, volume.storageos]) {
      add(found.secrets, source?.secretRef?.name)
    }
    add(found.secrets, volume.csi?.nodePublishSecretRef?.name)
  }
  for (const claim of spec.resourceClaims ?? []) add(found.resourceClaims, claim.resourceClaimName)
  for (const status of pod.status?.resourceClaimStatuses ?? []) add(found.resourceClaims, status.resourceClaimName)
  return found
}

/** The secrets that mounting a volume needs, as `namespace/name`. A reference without a namespace means the claim's. */
export function volumeSecrets(volume: DeepReadonly<core.PersistentVolume>): string[] {
  const { spec } = volume
  const claimNamespace = spec?.claimRef?.namespace ?? ''
  const references = [
    spec?.cephfs?.secretRef,
    spec?.cinder?.secretRef,
    spec?.flexVolume?.secretRef,
    spec?.rbd?.secretRef,
    spec?.scaleIO?.secretRef,
    spec?.iscsi?.secretRef,
    spec?.storageos?.secretRef,
    spec?.csi?.controllerPublishSecretRef,
    spec?.csi?.nodePublishSecretRef,
    spec?.csi?.nodeStageSecretRef,
    spec?.csi?.nodeExpandSecretRef,
    spec?.azureFile && { name: spec.azureFile.secretName, namespace: spec.azureFile.secretNamespace },
  ]
  return references.flatMap((reference) => (reference?.name ? [`${reference.namespace || claimNamespace}/${reference.name}`] : []))
}
