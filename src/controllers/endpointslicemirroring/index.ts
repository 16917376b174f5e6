import { resources } from '#api'
import { type Controller, createExpectations, mapped, primary } from '#runtime'
import { applySlices, deleteSlice } from '../endpointslice/apply.ts'
import { serviceOf } from '../endpointslice/index.ts'
import { planSlices } from '../endpointslice/slices.ts'
import { triggerTimeAnnotation } from '../service-endpoints/trigger-time.ts'
import { isMirrored, managedBy, mirrorTemplate, mirroredGroups } from './plan.ts'

/** Copies Endpoints that were written by hand into EndpointSlices, which is what proxies read. */
export const endpointSliceMirroringController: Controller = {
  name: 'endpointslicemirroring',
  setup({ client, cache }) {
    const endpoints = cache(resources.endpoints)
    const services = cache(resources.services)
    const slices = cache(resources.endpointSlices, { mirror: (slice) => serviceOf(slice, managedBy) })
    const api = client.resource(resources.endpointSlices)
    const expectations = createExpectations(slices)
    return {
      watches: [primary(endpoints), primary(services), mapped(slices, (slice) => serviceOf(slice, managedBy))],
      async reconcile(key, signal) {
        const source = endpoints.get(key)
        if (!expectations.satisfied(key)) return { requeueAfter: 1000 }
        const existing = slices.byIndex('mirror', key)
        if (!source || !isMirrored(source, services.get(key))) {
          for (const slice of existing) await deleteSlice(api, key, slice, expectations, signal)
          return
        }
        const triggerTime = source.metadata.annotations?.[triggerTimeAnnotation]
        const plan = planSlices(mirroredGroups(source), existing, mirrorTemplate(source), { maxEndpoints: 1000, triggerTime })
        await applySlices(api, key, plan, expectations, signal)
      },
    }
  },
}
