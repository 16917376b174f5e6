import { isStatus, resources, splitKey } from '#api'
import { describeError } from '#base'
import { type Controller, mapped, primary } from '#runtime'
import { isNamespaceTerminating } from '../namespace-terminating.ts'
import { selects } from '../service-endpoints/pods.ts'
import { triggerTimes } from '../service-endpoints/trigger-time.ts'
import { servicesOfPods } from '../service-endpoints/watch-pods.ts'
import { managedBy, managedByLabel, planEndpoints } from './plan.ts'

/** Keeps the Endpoints of every service that has a selector. */
export const endpointsController: Controller = {
  name: 'endpoints',
  setup({ client, cache, events }) {
    const services = cache(resources.services)
    const pods = cache(resources.pods)
    const endpoints = cache(resources.endpoints)
    const api = client.resource(resources.endpoints)
    const times = triggerTimes()
    // the Endpoints of a service that we saw go go with it, whoever wrote them
    const seen = new Set<string>()

    async function reconcile(key: string, signal: AbortSignal): Promise<void> {
      const service = services.get(key)
      const existing = endpoints.get(key)
      if (!service) {
        times.forget(key)
        if (existing && (seen.has(key) || existing.metadata.labels?.[managedByLabel] === managedBy)) {
          const { name, namespace } = splitKey(key)
          await api.delete(name, namespace, { preconditions: { uid: existing.metadata.uid }, signal }).catch(ifAbsent)
        }
        seen.delete(key)
        return
      }
      seen.add(key)
      if (!service.spec?.selector || service.spec.type === 'ExternalName') return
      const selected = pods.list(service.metadata.namespace).filter((pod) => selects(service, pod.metadata.labels))
      const plan = planEndpoints(service, selected, existing, times.of(key, service, selected))
      if (!plan) return
      try {
        await (existing ? api.update(plan, { signal }) : api.create(plan, { signal }))
      } catch (error) {
        if (isNamespaceTerminating(error) || signal.aborted) return
        // the cache is behind: its next event brings us back, and the key is retried anyway
        if (!isStatus(error, 'Conflict') && !isStatus(error, 'AlreadyExists')) {
          const [reason, what] = existing ? ['FailedToUpdateEndpoint', 'update endpoint'] : ['FailedToCreateEndpoint', 'create endpoint for service']
          events.event(plan, 'Warning', reason!, `Failed to ${what} ${key}: ${describeError(error)}`)
        }
        throw error
      }
    }

    return {
      reconcile,
      watches: [primary(services), servicesOfPods(pods, services), mapped(endpoints, ({ metadata }) => [`${metadata.namespace}/${metadata.name}`])],
    }
  },
}

function ifAbsent(error: unknown): void {
  if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
}
