import type { DeepReadonly, core } from '#api'
import type { Clock } from '#base'
import { nameSuffix } from '#base'
import { podTokenExpirationSeconds } from '../authn/token-request.ts'
import type { ObjectReader } from '../object-reader.ts'
import { podReferences } from '../pod-references.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf, rejected, targets } from './rejection.ts'

export const tokenMountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
export const mirrorAnnotation = 'kubernetes.io/config.mirror'
const volumePrefix = 'kube-api-access-'
const enforceMountableAnnotation = 'kubernetes.io/enforce-mountable-secrets'

/** How long a pod of a new namespace waits for the default account that a controller makes. */
const defaultAccountWaitMs = 1000

/** Every pod runs as a service account: the default one unless it names one, with its token mounted and its image pull secrets. */
export function serviceAccount(options: { reader: ObjectReader; clock: Clock }): AdmissionPlugin {
  const { reader } = options
  const find = async (request: AdmissionRequest, name: string): Promise<DeepReadonly<core.ServiceAccount>> => {
    const namespace = namespaceOf(request)
    const get = () => reader.get<core.ServiceAccount>('', 'serviceaccounts', namespace, name)
    const account = get() ?? (name === 'default' ? await appears(options, namespace, get) : undefined)
    if (!account) throw rejected(request, `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`)
    return account
  }
  return {
    name: 'ServiceAccount',
    resources: ['/pods'],
    handles: (request) =>
      (request.operation === 'CREATE' && targets(request, '', 'pods')) ||
      (request.operation === 'UPDATE' && targets(request, '', 'pods', 'ephemeralcontainers')),
    async mutate(request) {
      const pod = request.object as core.Pod
      if (request.operation !== 'CREATE' || !pod.spec || isMirror(pod)) return
      const { spec } = pod
      spec.serviceAccountName ||= spec.serviceAccount || 'default'
      spec.serviceAccount = spec.serviceAccountName
      const known = reader.get<core.ServiceAccount>('', 'serviceaccounts', namespaceOf(request), spec.serviceAccountName)
      const account = known ?? (await find(request, spec.serviceAccountName))
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec)
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
        spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => ({ name }))
    },
    validate(request) {
      const pod = request.object as core.Pod
      if (isMirror(pod)) {
        const why = mirrorProblem(pod)
        if (why) throw rejected(request, why)
        return
      }
      const name = pod.spec?.serviceAccountName ?? 'default'
      const account = reader.get<core.ServiceAccount>('', 'serviceaccounts', namespaceOf(request), name)
      if (!account)
        throw rejected(request, `error looking up service account ${namespaceOf(request)}/${name}: serviceaccount ${JSON.stringify(name)} not found`)
      if (account.metadata.annotations?.[enforceMountableAnnotation] !== 'true') return
      const why = unmountable(account, pod)
      if (why) throw rejected(request, why)
    },
  }
}

const isMirror = (pod: DeepReadonly<core.Pod>): boolean => pod.metadata.annotations?.[mirrorAnnotation] !== undefined

/** The account once a controller has made it, or undefined after a while. */
function appears<T>(options: { reader: ObjectReader; clock: Clock }, namespace: string, get: () => T | undefined): Promise<T | undefined> {
  return new Promise((resolve) => {
    const finish = () => {
      cancel()
      stop()
      resolve(get())
    }
    const cancel = options.clock.schedule(defaultAccountWaitMs, finish)
    const stop = options.reader.onChange('', 'serviceaccounts', ({ object }) => {
      if (object.metadata.namespace === namespace && get() !== undefined) finish()
    })
  })
}

/** Mounts the projected volume with token, CA and namespace into every container that has nothing at that path. */
function mountToken(spec: core.PodSpec): void {
  const name = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix))?.name ?? volumePrefix + nameSuffix()
  let needed = false
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === tokenMountPath)) continue
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenMountPath }]
    needed = true
  }
  if (needed && !spec.volumes?.some((volume) => volume.name === name)) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

const namespaceFile = { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] }

function tokenVolume(name: string): core.Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: podTokenExpirationSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: namespaceFile as never },
      ],
      defaultMode: 0o644,
    },
  }
}

/** Mirror pods are the kubelet's word: they may use nothing of the API's. */
function mirrorProblem(pod: DeepReadonly<core.Pod>): string | undefined {
  if (pod.spec?.serviceAccountName) return 'a mirror pod may not reference service accounts'
  const references = podReferences(pod)
  if (references.secrets.size > 0) return 'a mirror pod may not reference secrets'
  return references.projectsToken ? 'a mirror pod may not use ServiceAccountToken volume projections' : undefined
}

/** What a pod uses that its account, which restricts it, does not list. */
function unmountable(account: DeepReadonly<core.ServiceAccount>, pod: DeepReadonly<core.Pod>): string | undefined {
  const secrets = new Set((account.secrets ?? []).map((secret) => secret.name))
  const pull = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name))
  const { name } = account.metadata
  for (const { secret } of pod.spec?.volumes ?? []) {
    if (secret && !secrets.has(secret.secretName)) {
      return `volume with secret.secretName="${secret.secretName}" is not allowed because service account ${name} does not reference that secret`
    }
  }
  const containers = [
    ...(pod.spec?.initContainers ?? []).map((container) => ['init container', container] as const),
    ...(pod.spec?.containers ?? []).map((container) => ['container', container] as const),
    ...(pod.spec?.ephemeralContainers ?? []).map((container) => ['ephemeral container', container] as const),
  ]
  for (const [what, container] of containers) {
    for (const { name: variable, valueFrom } of container.env ?? []) {
      const secret = valueFrom?.secretKeyRef?.name
      if (secret !== undefined && !secrets.has(secret)) {
        return `${what} ${container.name} with envVar ${variable} referencing secret.secretName="${secret}" is not allowed because service account ${name} does not reference that secret`
      }
    }
  }
  for (const [index, reference] of (pod.spec?.imagePullSecrets ?? []).entries()) {
    if (!pull.has(reference.name)) {
      return `imagePullSecrets[${index}].name="${reference.name}" is not allowed because service account ${name} does not reference that imagePullSecret`
    }
  }
  return undefined
}
