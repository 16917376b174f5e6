import type { DeepReadonly, core } from '#api'
import { errors, isStatus, resources } from '#api'
import type { Client } from '#client'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf, nameOf, rejected, resourceOf, targets } from './rejection.ts'

// Small plugins of upstream's that are off by default.

const writesPod = (request: AdmissionRequest) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && targets(request, '', 'pods')

/** Refuses nothing; there for configurations that name it. */
export const alwaysAdmit = (): AdmissionPlugin => ({ name: 'AlwaysAdmit', handles: () => false })

/** Refuses everything; for tests. */
export const alwaysDeny = (): AdmissionPlugin => ({
  name: 'AlwaysDeny',
  handles: () => true,
  validate(request) {
    throw rejected(request, 'admission control is denying all modifications')
  },
})

/** Every image is pulled with its pod's own credentials: nobody runs what another has pulled who may not have it. */
export function alwaysPullImages(): AdmissionPlugin {
  const containersOf = (spec: core.PodSpec) => [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  const imagesOf = (pod: DeepReadonly<core.Pod>) => containersOf(pod.spec as core.PodSpec).map(({ image }) => image)
  // what runs already is left as it is
  const brings = ({ operation, object, old }: AdmissionRequest) => {
    if (operation === 'CREATE' || !old) return true
    const before = new Set(imagesOf(old as DeepReadonly<core.Pod>))
    return imagesOf(object as core.Pod).some((image) => !before.has(image))
  }
  return {
    name: 'AlwaysPullImages',
    handles: (request) => writesPod(request) && brings(request),
    mutate({ object }) {
      const { spec } = object as core.Pod
      for (const container of containersOf(spec)) container.imagePullPolicy = 'Always'
      for (const volume of spec.volumes ?? []) if (volume.image) volume.image.pullPolicy = 'Always'
    },
    validate(request) {
      const { spec } = request.object as core.Pod
      for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const)
        for (const [i, { imagePullPolicy }] of (spec[list] ?? []).entries())
          if (imagePullPolicy !== 'Always')
            throw rejected(
              request,
              `spec.${list}[${i}].imagePullPolicy: Unsupported value: ${JSON.stringify(imagePullPolicy ?? '')}: supported values: "Always"`,
            )
    },
  }
}

/** Services get no new external addresses: whoever may make one could take another's traffic. */
export function denyServiceExternalIPs(): AdmissionPlugin {
  return {
    name: 'DenyServiceExternalIPs',
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && targets(request, '', 'services'),
    validate(request) {
      const before = new Set((request.old as DeepReadonly<core.Service> | undefined)?.spec?.externalIPs)
      const now = (request.object as core.Service).spec?.externalIPs ?? []
      if (now.some((address) => !before.has(address))) throw rejected(request, 'Use of external IPs is denied by admission control')
    },
  }
}

/** A pod that keeps others of its kind away does so from its node alone. */
export function limitPodHardAntiAffinityTopology(): AdmissionPlugin {
  return {
    name: 'LimitPodHardAntiAffinityTopology',
    handles: writesPod,
    validate(request) {
      const terms = (request.object as core.Pod).spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
      const other = terms.find(({ topologyKey }) => topologyKey !== 'kubernetes.io/hostname')
      if (other)
        throw errors.forbidden(
          resourceOf(request),
          nameOf(request),
          `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${other.topologyKey} but only key kubernetes.io/hostname is allowed`,
        )
    },
  }
}

const inNamespace = ({ context: { request } }: AdmissionRequest) =>
  request.resource !== undefined &&
  request.resource.namespace !== '' &&
  !(request.resource.group === '' && request.resource.resource === 'namespaces')

/** Whoever writes into a namespace that is not there is told so. */
export function namespaceExists(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    handles: (request) => request.operation !== 'CONNECT' && inNamespace(request),
    validate(request) {
      const name = namespaceOf(request)
      if (!reader.get('', 'namespaces', '', name)) throw errors.notFound({ group: '', resource: 'namespaces' }, name)
    },
  }
}

/** A namespace is made by the first write into it. */
export function namespaceAutoProvision(reader: ObjectReader, client: () => Client): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    handles: (request) => request.operation === 'CREATE' && !request.context.dryRun && inNamespace(request),
    async mutate(request) {
      const name = namespaceOf(request)
      if (reader.get('', 'namespaces', '', name)) return
      try {
        await client().resource(resources.namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} })
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists')) throw rejected(request, (error as Error).message)
      }
    },
  }
}

const selectorAnnotation = 'scheduler.alpha.kubernetes.io/node-selector'

/** Pods run on the nodes of their namespace: by its annotation, or by the configuration's selector for all namespaces; a namespace's own selector there is what its pods may ask for. */
export function podNodeSelector(reader: ObjectReader, selectors: Readonly<Record<string, string>> = {}): AdmissionPlugin {
  const ofNamespace = (name: string) => {
    const annotated = reader.get('', 'namespaces', '', name)?.metadata.annotations?.[selectorAnnotation]
    return labelsOf(annotated ?? selectors['clusterDefaultNodeSelector'] ?? '')
  }
  const check = (request: AdmissionRequest) => {
    const own = (request.object as core.Pod).spec.nodeSelector ?? {}
    const refuse = (why: string) => errors.forbidden(resourceOf(request), nameOf(request), why)
    for (const [key, value] of Object.entries(ofNamespace(namespaceOf(request))))
      if (own[key] !== undefined && own[key] !== value) throw refuse('pod node label selector conflicts with its namespace node label selector')
    const allowed = labelsOf(selectors[namespaceOf(request)] ?? '')
    if (Object.keys(allowed).length > 0 && Object.entries(own).some(([key, value]) => allowed[key] !== value))
      throw refuse('pod node label selector labels conflict with its namespace whitelist')
  }
  return {
    name: 'PodNodeSelector',
    handles: (request) => request.operation === 'CREATE' && targets(request, '', 'pods'),
    mutate(request) {
      check(request)
      const { spec } = request.object as core.Pod
      const merged = { ...ofNamespace(namespaceOf(request)), ...spec.nodeSelector }
      if (Object.keys(merged).length > 0) spec.nodeSelector = merged
      check(request)
    },
    validate: check,
  }
}

function labelsOf(selector: string): Record<string, string> {
  const pairs = selector.split(',').flatMap((pair): [string, string][] => {
    const equals = pair.indexOf('=')
    return equals < 0 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]]
  })
  return Object.fromEntries(pairs)
}
