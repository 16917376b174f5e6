import type { DeepReadonly, KubeObject, Quantity, core } from '#api'
import { canonicalQuantity, compareQuantity, formatQuantity, addQuantity, isStatus, quantityOf, resources, subQuantity } from '#api'
import type { Clock } from '#base'
import type { Client } from '#client'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import type { Usage } from './quota-usage.ts'
import { evaluatorOf, restrictedNames } from './quota-usage.ts'
import { namespaceOf, rejected } from './rejection.ts'

type Quota = DeepReadonly<core.ResourceQuota>
type Used = Record<string, string>

/** Resources that are never counted: they come and go by themselves, or are not stored. */
const ignored = new Set(['/events', 'events.k8s.io/events', '/bindings', 'authorization.k8s.io/localsubjectaccessreviews'])

const attempts = 4

interface Waiter {
  request: AdmissionRequest
  settle(error?: unknown): void
}

/**
 * Keeps a namespace within its quotas. Usage is written to the quotas' status before the object is: if the object is then not written after all, the quota
 * controller takes it back. Requests of one namespace are decided in turn, those that wait together with one write per quota, so that usage is exact however many create at once.
 */
export function resourceQuota(options: { reader: ObjectReader; client: () => Client; clock: Clock }): AdmissionPlugin {
  const { reader, clock } = options
  const waiting = new Map<string, Waiter[]>()

  const work = async (namespace: string) => {
    for (;;) {
      const batch = waiting.get(namespace)!
      if (batch.length === 0) {
        waiting.delete(namespace)
        return
      }
      waiting.set(namespace, [])
      try {
        await settleAll(options, namespace, batch, clock.now())
      } catch (error) {
        for (const waiter of batch) waiter.settle(error)
      }
    }
  }

  return {
    name: 'ResourceQuota',
    handles: ({ operation, context: { request } }) => {
      const { resource } = request
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false
      if (!resource || resource.namespace === '') return false
      const { group, resource: name } = resource
      // a resized pod uses more or less than it did
      const resized = resource.subresource === 'resize' && name === 'pods'
      if (resource.subresource !== '' && !resized) return false
      if (ignored.has(`${group}/${name}`) || (operation === 'UPDATE' && !resized && !evaluatorOf(group, name).onUpdate)) return false
      return reader.list('', 'resourcequotas', resource.namespace).length > 0
    },
    validate(request) {
      const namespace = namespaceOf(request)
      return new Promise<void>((resolve, reject) => {
        const waiter: Waiter = { request, settle: (error) => (error === undefined ? resolve() : reject(error)) }
        const queue = waiting.get(namespace)
        if (queue) {
          queue.push(waiter)
          return
        }
        waiting.set(namespace, [waiter])
        void work(namespace)
      })
    },
  }
}

/** Decides a batch: who does not fit is refused, what the others use is written, once per quota, before they go on. */
async function settleAll(options: { reader: ObjectReader; client: () => Client }, namespace: string, batch: Waiter[], now: number): Promise<void> {
  let pending = batch
  /** Quotas whose new usage stands: a retry must not charge them again. */
  const written = new Set<string>()
  for (let attempt = 1; ; attempt++) {
    const quotas = options.reader.list<core.ResourceQuota>('', 'resourcequotas', namespace).filter((quota) => !written.has(quota.metadata.name))
    const used = new Map(quotas.map((quota) => [quota.metadata.name, { ...quota.status?.used }]))
    const accepted: Waiter[] = []
    for (const waiter of pending) {
      try {
        const charged = charge(waiter.request, quotas, used, now)
        if (waiter.request.context.dryRun || charged.size === 0) waiter.settle()
        else {
          for (const [name, usage] of charged) used.set(name, usage)
          accepted.push(waiter)
        }
      } catch (error) {
        waiter.settle(error)
      }
    }
    if (accepted.length === 0) return
    const changed = quotas.filter((quota) => !sameUsage(quota.status?.used, used.get(quota.metadata.name)!))
    const results = await Promise.allSettled(
      changed.map((quota) =>
        options
          .client()
          .resource(resources.resourceQuotas)
          .updateStatus({ ...quota, status: { ...quota.status, used: used.get(quota.metadata.name)! } }),
      ),
    )
    const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    results.forEach((result, index) => {
      if (result.status === 'fulfilled') written.add(changed[index]!.metadata.name)
    })
    if (failed.length === 0) {
      for (const waiter of accepted) waiter.settle()
      return
    }
    // a quota that someone else wrote meanwhile, or that is gone, is read again
    const retriable = failed.every((error) => isStatus(error, 'Conflict') || isStatus(error, 'NotFound'))
    if (!retriable || attempt >= attempts) {
      for (const waiter of accepted) waiter.settle(failed[0])
      return
    }
    pending = accepted
  }
}

/**
 * The new usage of every quota that the request changes, by the quota's name; the request is refused by a throw. `used` is the usage as it stands with
 * the requests that were accepted before.
 */
function charge(request: AdmissionRequest, quotas: readonly Quota[], used: ReadonlyMap<string, Used>, now: number): Map<string, Used> {
  const { group, resource } = request.context.request.resource!
  const evaluator = evaluatorOf(group, resource)
  const object = request.object as DeepReadonly<KubeObject>
  const matching = quotas.flatMap((quota) => {
    const names = restrictedNames(quota, evaluator, object)
    if (names.length === 0) return []
    const { name } = quota.metadata
    const missing = evaluator.missing?.(object, names)
    if (missing) throw rejected(request, `failed quota: ${name}: ${missing}`)
    if (names.some((n) => used.get(name)?.[n] === undefined)) {
      throw rejected(request, `status unknown for quota: ${name}, resources: ${[...names].sort().join(',')}`)
    }
    return [quota]
  })
  if (matching.length === 0) return new Map()
  const delta = usageDelta(evaluator.usage(object, now), request.old ? evaluator.usage(request.old, now) : undefined)
  const negative = [...delta].filter(([, amount]) => compareQuantity(amount, quantityOf(0)) < 0).map(([name]) => name)
  if (negative.length > 0) throw rejected(request, `quota usage is negative for resource(s): ${negative.sort().join(',')}`)

  const charged = new Map<string, Used>()
  for (const quota of matching) {
    const { name } = quota.metadata
    const hard = quota.status?.hard ?? {}
    const before = used.get(name)!
    const requested = [...delta].filter(([n]) => hard[n] !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))
    if (requested.length === 0) continue
    const after = requested.map(([n, amount]): [string, Quantity] => [n, addQuantity(before[n] ?? '0', amount)])
    const exceeded = new Set(after.filter(([n, amount]) => compareQuantity(amount, hard[n]!) > 0).map(([n]) => n))
    if (exceeded.size > 0) {
      const list = (value: (n: string, amount: Quantity) => string) =>
        requested
          .filter(([n]) => exceeded.has(n))
          .map(([n, amount]) => `${n}=${value(n, amount)}`)
          .join(',')
      throw rejected(
        request,
        `exceeded quota: ${name}, requested: ${list((_, amount) => formatQuantity(amount))}, used: ${list((n) => canonicalQuantity(before[n] ?? '0'))}, limited: ${list((n) => canonicalQuantity(hard[n]!))}`,
      )
    }
    charged.set(name, { ...before, ...Object.fromEntries(after.map(([n, amount]) => [n, formatQuantity(amount)])) })
  }
  return charged
}

/** What the object uses beyond what it used before; resources that it uses less of are given back by the quota controller. */
function usageDelta(usage: Usage, previous: Usage | undefined): Usage {
  const zero = quantityOf(0)
  const delta: Usage = new Map()
  for (const [name, amount] of usage) {
    const before = previous?.get(name)
    const more = before ? subQuantity(amount, before) : amount
    if (compareQuantity(more, zero) > 0 || (!before && compareQuantity(more, zero) < 0)) delta.set(name, more)
  }
  return delta
}

function sameUsage(a: Readonly<Used> | undefined, b: Used): boolean {
  return Object.keys(b).every((name) => a?.[name] === b[name])
}

/** What a namespace's quotas should say: their hard limits, and the usage of everything there is. What the quota controller writes. */
export function quotaStatus(
  quota: Quota,
  objects: (group: string, resource: string) => readonly DeepReadonly<KubeObject>[],
  now: number,
): core.ResourceQuotaStatus {
  const hard = quota.spec?.hard ?? {}
  const asked: Quota = { ...quota, status: { ...quota.status, hard } }
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']))
  for (const { group, resource } of countedResources(Object.keys(hard))) {
    const evaluator = evaluatorOf(group, resource)
    for (const object of objects(group, resource)) {
      const names = new Set(restrictedNames(asked, evaluator, object))
      if (names.size === 0) continue
      for (const [name, amount] of evaluator.usage(object, now)) if (names.has(name)) used[name] = formatQuantity(addQuantity(used[name]!, amount))
    }
  }
  return { hard: { ...hard }, used }
}

/** The resources whose objects have to be looked at for these names. */
export function countedResources(names: readonly string[]): { group: string; resource: string }[] {
  const builtin = ['pods', 'services', 'persistentvolumeclaims', 'configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']
  const found = new Map(
    builtin.filter((resource) => names.some((name) => evaluatorOf('', resource).counts(name))).map((resource) => [resource, { group: '', resource }]),
  )
  for (const name of names) {
    if (!name.startsWith('count/')) continue
    const [resource = '', ...group] = name.slice('count/'.length).split('.')
    if (group.length > 0) found.set(name, { group: group.join('.'), resource })
    else found.set(resource, { group: '', resource })
  }
  return [...found.values()]
}
