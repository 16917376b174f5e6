import { type networking, isStatus, resources } from '#api'
import { type Controller, mapped, primary } from '#runtime'
import { contains, planServiceCidr } from './plan.ts'

/** Keeps ranges of services ready, and those that go until no service has an address of them (KEP-1880). */
export const serviceCidrController: Controller = {
  name: 'servicecidr',
  setup({ client, clock, cache }) {
    const cidrs = cache<networking.ServiceCIDR>(resources.serviceCIDRs)
    const addresses = cache<networking.IPAddress>(resources.ipAddresses)
    const api = client.resource(resources.serviceCIDRs)
    const going = () => cidrs.list().filter((cidr) => cidr.metadata.deletionTimestamp)
    return {
      watches: [
        primary(cidrs),
        // what comes or goes may be what a range waits for
        mapped(cidrs, () => going().map((cidr) => cidr.metadata.name)),
        mapped(addresses, ({ metadata }) => going().flatMap((cidr) => (contains(cidr, metadata.name) ? [cidr.metadata.name] : []))),
      ],
      async reconcile(key, signal) {
        const cidr = cidrs.get(key)
        if (!cidr) return
        const plan = planServiceCidr({ cidr, all: cidrs.list(), addresses: addresses.list(), now: clock.now() })
        if (plan.action === 'nothing') return
        if (plan.action === 'wait') return { requeueAfter: plan.milliseconds }
        try {
          let current = cidr
          if (plan.action !== 'hold' && plan.finalizers)
            current = await api.update({ ...current, metadata: { ...current.metadata, finalizers: plan.finalizers } }, { signal })
          if (plan.action !== 'release' && plan.conditions)
            await api.updateStatus({ ...current, status: { ...current.status, conditions: plan.conditions } }, { signal })
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error
        }
      },
    }
  },
}
