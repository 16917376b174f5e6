import type { core, discovery, networking } from '#api'
import { resources } from '#api'
import type { Logger } from '#base'
import { describeError } from '#base'
import type { Controller, Watch } from '#runtime'
import { mapped } from '#runtime'
import { ofOurClass } from './class.ts'
import type { Certificate, DataPlane } from './desired.ts'
import { planIngress } from './plan.ts'
import type { Served } from './served.ts'

export interface IngressControllerOptions {
  /** Made when the first Ingress of our class is seen. */
  dataPlane(log: Logger): DataPlane
  /** Is told what is served. */
  served?: Served
  /** Served where an Ingress asks for TLS and no other certificate fits. */
  fallback(): Promise<Certificate>
}

const everything = 'ingresses'
/** Endpoints alone: they need no new configuration, and do not wait for one. */
const endpoints = 'endpoints'
/** Milliseconds from one configuration to the next: each leaves a process behind until its last connection ends. */
const betweenConfigurationsMs = 400
/** When what failed is tried again, milliseconds: a port that is taken or a program that is missing has no event. */
const retryMs = 5000
const serviceIndex = 'ingress/service'

/** Keeps the data plane at what the Ingresses of our class ask for, and says in events what of them cannot be served. */
export function ingressController(options: IngressControllerOptions): Controller {
  return {
    name: 'ingress',
    eventSource: 'ingress-controller',
    concurrency: 2,
    setup({ cache, events, log, clock }) {
      const ingresses = cache<networking.Ingress>(resources.ingresses)
      const classes = cache<networking.IngressClass>(resources.ingressClasses)
      const services = cache<core.Service>(resources.services)
      const secrets = cache<core.Secret>(resources.secrets)
      const slices = cache<discovery.EndpointSlice>(resources.endpointSlices, {
        [serviceIndex]: ({ metadata }) => {
          const service = metadata.labels?.['kubernetes.io/service-name']
          return service ? [`${metadata.namespace}/${service}`] : []
        },
      })
      let dataPlane: DataPlane | undefined
      let issued: Promise<Certificate> | undefined
      const told = new Map<string, string>()
      let nextConfiguration = 0

      /** Says each trouble once, and again after it was gone. */
      function tell(ingress: string, troubles: readonly { reason: string; message: string }[]): void {
        const object = ingresses.get(ingress)
        const text = JSON.stringify([object?.metadata.uid, troubles])
        if (troubles.length > 0 && object && told.get(ingress) !== text)
          for (const { reason, message } of troubles) events.event(object, 'Warning', reason, message)
        if (troubles.length > 0) told.set(ingress, text)
        else told.delete(ingress)
      }

      return {
        watches: [
          ...[ingresses, classes, services, secrets].map((each): Watch => mapped(each as typeof services, () => [everything])),
          mapped(slices, () => [endpoints]),
        ],
        async reconcile(key) {
          const ours = ingresses.list().filter(ofOurClass(classes.list()))
          if (ours.length === 0 && !dataPlane) return
          // many changes at once are few configurations, and the first of them is at once
          const pause = nextConfiguration - clock.monotonic()
          if (key === everything && pause > 0) return { requeueAfter: pause }
          dataPlane ??= options.dataPlane(log)
          issued ??= options.fallback().catch((error: unknown) => {
            issued = undefined
            throw error
          })
          const fallback = await issued
          const { desired, troubles, sources } = planIngress({
            ingresses: ours,
            serviceAt: (name) => services.get(name),
            slicesOf: (name) => slices.byIndex(serviceIndex, name),
            secretAt: (name) => secrets.get(name),
            fallback,
          })
          if (key === endpoints) return dataPlane.endpoints(desired.backends)
          try {
            const { refused, reloaded } = await dataPlane.apply(desired)
            if (reloaded) nextConfiguration = clock.monotonic() + betweenConfigurationsMs
            for (const [id, message] of refused)
              for (const { ingress, secret } of sources.get(id) ?? [])
                troubles.set(ingress, [...(troubles.get(ingress) ?? []), { reason: 'InvalidCertificate', message: `secret ${secret}: ${message}` }])
          } catch (error) {
            for (const { metadata } of ours)
              tell(`${metadata.namespace}/${metadata.name}`, [{ reason: 'DataPlaneFailed', message: describeError(error).slice(0, 500) }])
            log.warn('ingresses are not served as they should be', { error: error as Error })
            return { requeueAfter: retryMs }
          }
          options.served?.set(ours.map(({ metadata }) => metadata.uid!))
          for (const { metadata } of ours)
            tell(`${metadata.namespace}/${metadata.name}`, troubles.get(`${metadata.namespace}/${metadata.name}`) ?? [])
        },
        run: async (signal) => {
          await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
          await dataPlane?.[Symbol.asyncDispose]()
        },
      }
    },
  }
}
