import type { core } from '#api'
import { registryVariables } from './docker/credentials.ts'

/**
 * What a container of the tool image needs to build images: no privilege, and no capability beyond the runtime's default. Builds run as root of a user
 * namespace that buildah makes for itself; the runtime's seccomp profile keeps containers from making namespaces, so there is none.
 */
export const builderSecurityContext: core.SecurityContext = {
  privileged: false,
  runAsUser: 0,
  seccompProfile: { type: 'Unconfined' },
}

/** The least that builds work with, for a container that does nothing else: the three capabilities write the namespace's table of users. */
export const leastBuilderSecurityContext: core.SecurityContext = {
  ...builderSecurityContext,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'], add: ['SETUID', 'SETGID', 'SETFCAP'] },
}

/** Where a volume keeps layers between builds: a claim or a directory of the node. Without one each container starts with an empty store. */
export const layerCachePath = '/var/lib/containers'

/** Where the Secret of `ensurePullSecret` (key `.dockerconfigjson` as `config.json`) is mounted for pushes. */
export const credentialsPath = '/run/secrets/k8ts-registry'

export interface BuilderPodOptions {
  /** The registry as images name it, and where it is from inside a pod. */
  registry?: { host: string; address: string; secret: string }
  /** Where layers are kept; the container's own disk when absent. */
  layers?: core.Volume
}

/** What to put into a pod, and into its container, for `docker build` and `docker push` to work there. */
export function builderParts({ registry, layers }: BuilderPodOptions): {
  env: core.EnvVar[]
  volumeMounts: core.VolumeMount[]
  volumes: core.Volume[]
  securityContext: core.SecurityContext
} {
  const volumeMounts: core.VolumeMount[] = []
  const volumes: core.Volume[] = []
  const env: core.EnvVar[] = []
  if (layers) {
    volumes.push(layers)
    volumeMounts.push({ name: layers.name, mountPath: layerCachePath })
  }
  if (registry) {
    env.push({ name: registryVariables.host, value: registry.host }, { name: registryVariables.address, value: registry.address })
    const name = 'k8ts-registry-credentials'
    volumes.push({ name, secret: { secretName: registry.secret, items: [{ key: '.dockerconfigjson', path: 'config.json' }] } })
    volumeMounts.push({ name, mountPath: credentialsPath, readOnly: true })
  }
  return { env, volumeMounts, volumes, securityContext: builderSecurityContext }
}
