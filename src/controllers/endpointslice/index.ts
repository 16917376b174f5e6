import { type core, objectKey, resources } from '#api'
import { type Cache, type Controller, type Watch, createExpectations, mapped, primary } from '#runtime'
import { selects } from '../service-endpoints/pods.ts'
import { triggerTimes } from '../service-endpoints/trigger-time.ts'
import { servicesOfPods } from '../service-endpoints/watch-pods.ts'
import { applySlices, deleteSlice } from './apply.ts'
import { groupsOf, managedBy, templateOf } from './plan.ts'
import { planSlices, serviceNameLabel, sliceManagedByLabel } from './slices.ts'

const zoneLabel = 'topology.kubernetes.io/zone'

export interface EndpointSliceOptions {
  /** Endpoints per slice; 100 when absent. */
  maxEndpoints?: number
}

/** Keeps the EndpointSlices of every service that has a selector. */
export function endpointSliceController({ maxEndpoints = 100 }: EndpointSliceOptions = {}): Controller {
  return {
    name: 'endpointslice',
    setup({ client, cache }) {
      const services = cache(resources.services)
      const nodes = cache(resources.nodes)
      const pods = cache(resources.pods, { nodeName: (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []) })
      const slices = cache(resources.endpointSlices, { service: (slice) => serviceOf(slice, managedBy) })
      const api = client.resource(resources.endpointSlices)
      const expectations = createExpectations(slices)
      const times = triggerTimes()
      const zoneOf = (node: string) => nodes.get(node)?.metadata.labels?.[zoneLabel]

      async function reconcile(key: string, signal: AbortSignal) {
        const service = services.get(key)
        if (!expectations.satisfied(key)) return { requeueAfter: 1000 }
        const existing = slices.byIndex('service', key)
        if (!service || !service.spec?.selector || service.spec.type === 'ExternalName') {
          times.forget(key)
          // a service that lost its selector keeps what it has, as upstream does; of one that is gone nothing stays
          if (!service) for (const slice of existing) await deleteSlice(api, key, slice, expectations, signal)
          return
        }
        if (service.metadata.deletionTimestamp) return
        const selected = pods.list(service.metadata.namespace).filter((pod) => selects(service, pod.metadata.labels))
        const triggerTime = times.of(key, service, selected)
        const plan = planSlices(groupsOf(service, selected, zoneOf), existing, templateOf(service), { maxEndpoints, triggerTime })
        await applySlices(api, key, plan, expectations, signal)
      }

      return {
        reconcile,
        watches: [
          primary(services),
          servicesOfPods(pods, services),
          mapped(slices, (slice) => serviceOf(slice, managedBy)),
          servicesOfNodes(nodes, pods, services),
        ],
      }
    },
  }
}

/** The key of the service whose slice this is, when `manager` manages it. */
export function serviceOf(slice: { metadata: { namespace?: string; labels?: { readonly [name: string]: string } } }, manager: string): string[] {
  const { namespace, labels } = slice.metadata
  const name = labels?.[serviceNameLabel]
  return name && labels?.[sliceManagedByLabel] === manager ? [`${namespace}/${name}`] : []
}

/** Enqueues the services with pods on a node whose zone becomes known or changes. */
function servicesOfNodes(nodes: Cache<core.Node>, pods: Cache<core.Pod>, services: Cache<core.Service>): Watch {
  return {
    ready: (signal) => nodes.ready(signal),
    subscribe: (enqueue) =>
      nodes.subscribe((event) => {
        const zone = event.object.metadata.labels?.[zoneLabel]
        const before = event.type === 'updated' ? event.previous.metadata.labels?.[zoneLabel] : undefined
        if (event.type === 'deleted' || zone === before) return
        for (const pod of pods.byIndex('nodeName', event.object.metadata.name)) {
          for (const service of services.list(pod.metadata.namespace)) if (selects(service, pod.metadata.labels)) enqueue(objectKey(service))
        }
      }),
  }
}
