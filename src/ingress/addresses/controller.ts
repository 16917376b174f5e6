import type { core, discovery, networking } from '#api'
import { isStatus, resources } from '#api'
import type { ResourceRef } from '#client'
import type { Controller, Watch } from '#runtime'
import { mapped, startCache } from '#runtime'
import { ofOurClass } from '../class.ts'
import type { Served } from '../served.ts'
import { bookName, bookNamespace, staticAddresses } from './book.ts'
import type { AddressDecision } from './plan.ts'
import { claimsOf, planAddresses } from './plan.ts'
import { entryNodes } from './routes.ts'
import type { AddressPool } from './pool.ts'

export interface AddressControllerOptions {
  pool: AddressPool
  /** Makes the pool's addresses lead to the cluster: called whenever one is given away, and answers at once. */
  prepare?: () => void
  /** What is served: an Ingress shows its address once that answers. At once when absent. */
  served?: Served
  /** Makes each of these addresses enter the cluster at a node, and all others where they do anyway. Called with the complete state whenever it changes. */
  enterAt?: (nodes: ReadonlyMap<string, string>) => Promise<void>
}

const everything = 'addresses'
const entries = 'entries'
const serviceIndex = 'ingress/service'

/** Gives Services of type LoadBalancer and Ingresses of our class their addresses: the status of each shows it. */
export function addressController({ pool, prepare, served, enterAt }: AddressControllerOptions): Controller {
  return {
    name: 'load-balancer-address',
    eventSource: 'address-controller',
    concurrency: 1,
    setup({ client, cache, events, clock, log }) {
      const services = cache<core.Service>(resources.services)
      const ingresses = cache<networking.Ingress>(resources.ingresses)
      const classes = cache<networking.IngressClass>(resources.ingressClasses)
      const query = { namespace: bookNamespace, fieldSelector: `metadata.name=${bookName}` }
      const books = startCache<core.ConfigMap>({ client, ref: resources.configMaps, query, clock, log })
      const slices = enterAt
        ? cache<discovery.EndpointSlice>(resources.endpointSlices, {
            [serviceIndex]: ({ metadata }) => {
              const service = metadata.labels?.['kubernetes.io/service-name']
              return service ? [`${metadata.namespace}/${service}`] : []
            },
          })
        : undefined
      let entered = ''
      // a view of the status may be behind what was written a moment ago
      const given = new Map<string, string>()
      const told = new Map<string, string>()

      async function settle({ claim, ip, problem }: AddressDecision): Promise<void> {
        const object = claim.kind === 'Ingress' ? ingresses.get(claim.key) : services.get(claim.key)
        if (!object || object.metadata.uid !== claim.uid) return
        if (problem) {
          if (told.get(claim.uid) !== problem.message) events.event(object, 'Warning', problem.reason, problem.message)
          told.set(claim.uid, problem.message)
        } else told.delete(claim.uid)
        const shown = object.status?.loadBalancer?.ingress ?? []
        const right = ip === undefined ? !claim.held : shown.length === 1 && shown[0]!.ip === ip
        if (right) return
        // it comes again when it is served
        if (ip !== undefined && claim.kind === 'Ingress' && served && !served.has(claim.uid)) return
        if (ip !== undefined) given.set(claim.uid, ip)
        else given.delete(claim.uid)
        const ref: ResourceRef = claim.kind === 'Ingress' ? resources.ingresses : resources.services
        const status = { loadBalancer: { ingress: ip === undefined ? null : [{ ip }] } }
        try {
          const { name, namespace, uid } = object.metadata
          await client.resource(ref).patch(name, namespace, 'merge', { metadata: { uid }, status }, { subresource: 'status' })
        } catch (error) {
          // gone, or another under its name: its own event comes
          if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
          return
        }
        if (ip === undefined) return
        if (claim.kind === 'Ingress') events.event(object, 'Normal', 'IPChanged', `IP is now ${ip}`)
        else events.event(object, 'Normal', 'EnsuredLoadBalancer', `Ensured load balancer with the address ${ip}`)
      }

      async function enter(): Promise<void> {
        const nodes = entryNodes(services.list(), (name) => slices!.byIndex(serviceIndex, name), pool)
        const text = JSON.stringify([...nodes].toSorted())
        if (text === entered) return
        await enterAt!(nodes)
        entered = text
      }

      return {
        watches: [
          ...[services, ingresses, classes, books].map((each): Watch => mapped(each as typeof services, () => [everything])),
          ...(served ? [{ subscribe: (enqueue: (key: string) => void) => served.onMore(() => enqueue(everything)), ready: async () => {} }] : []),
          ...(slices ? [mapped(services, () => [entries]), mapped(slices, () => [entries])] : []),
        ],
        async reconcile(key) {
          if (key === entries) return await enter()
          const claims = claimsOf(ingresses.list(), services.list(), ofOurClass(classes.list()), pool)
          const present = new Set(claims.map((c) => c.uid))
          for (const uid of given.keys()) if (!present.has(uid)) given.delete(uid)
          for (const uid of told.keys()) if (!present.has(uid)) told.delete(uid)
          for (const claim of claims) {
            const written = given.get(claim.uid)
            if (written && !claim.held) claim.held = written
            else if (written === claim.held) given.delete(claim.uid)
          }
          const decisions = planAddresses(claims, staticAddresses(books.get(`${bookNamespace}/${bookName}`), pool), pool)
          // whoever gets an address need not wait for the way to it
          if (decisions.some((d) => d.ip)) prepare?.()
          const results = await Promise.allSettled(decisions.map(settle))
          for (const result of results) if (result.status === 'rejected') throw result.reason
        },
        run: async (signal) => {
          await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
          await books[Symbol.asyncDispose]()
        },
      }
    },
  }
}
