import { type DeepReadonly, type coordination, isStatus, resources } from '#api'
import { type Clock, type Logger, type Random, describeError, realClock, silentLogger } from '#base'
import type { Client } from '#client'

export interface LeaderElectionOptions {
  client: Client
  /** The lease's namespace (`kube-system` for components of the control plane) and name. */
  namespace: string
  name: string
  /** Unique per candidate, e.g. host name and a random suffix. */
  identity: string
  /** How long others wait after the last renewal that they saw, milliseconds; 15 s when absent. */
  leaseDuration?: number
  /** The leader gives up when it could not renew for this long; less than `leaseDuration`; 10 s when absent. */
  renewDeadline?: number
  /** Time between tries; 2 s when absent. */
  retryPeriod?: number
  clock?: Clock
  random?: Random
  log?: Logger
  signal: AbortSignal
}

/** The lease as last seen, and when a change of it was seen: clocks of two machines are never compared. */
export interface Observation {
  lease: DeepReadonly<coordination.Lease> | undefined
  /** Monotonic milliseconds. */
  at: number
}

export type LeaseDecision = { do: 'create' } | { do: 'take' } | { do: 'renew' } | { do: 'wait' }

/** What a candidate does about a lease: pure. */
export function decideLease(observed: Observation, identity: string, now: number): LeaseDecision {
  const spec = observed.lease?.spec
  if (!observed.lease) return { do: 'create' }
  if (spec?.holderIdentity === identity) return { do: 'renew' }
  if (!spec?.holderIdentity) return { do: 'take' }
  // the duration that the holder promised, not ours
  return observed.at + (spec.leaseDurationSeconds ?? 0) * 1000 < now ? { do: 'take' } : { do: 'wait' }
}

/**
 * Runs `lead` while this candidate holds the lease, again and again until `signal` aborts. The signal that `lead` gets aborts before anybody
 * else can become leader (`renewDeadline` < `leaseDuration`): work that honours it never overlaps with another leader's. The lease is given back at the end, so that a
 * successor need not wait.
 */
export async function runAsLeader(options: LeaderElectionOptions, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { client, namespace, name, identity, leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000, signal } = options
  const { clock = realClock, random = Math.random, log = silentLogger } = options
  if (!(renewDeadline < leaseDuration && retryPeriod < renewDeadline)) throw new RangeError('needed: retryPeriod < renewDeadline < leaseDuration')
  const resource = client.resource(resources.leases)
  let observed: Observation = { lease: undefined, at: 0 }

  function observe(lease: DeepReadonly<coordination.Lease> | undefined): void {
    if (lease?.metadata.resourceVersion !== observed.lease?.metadata.resourceVersion || !observed.lease) observed = { lease, at: clock.monotonic() }
  }

  /** One try to get or keep the lease. */
  async function tryHold(within: AbortSignal): Promise<boolean> {
    try {
      // a holder renews what it wrote last; everybody else looks first
      if (observed.lease?.spec?.holderIdentity !== identity) observe(await read(within))
      const decision = decideLease(observed, identity, clock.monotonic())
      if (decision.do === 'wait') return false
      observed = { lease: await write(decision.do, within), at: clock.monotonic() }
      return true
    } catch (error) {
      if (!within.aborted) log.debug('lease not written', { name, error: describeError(error) })
      if (isStatus(error, 'Conflict') || isStatus(error, 'NotFound')) observe(await read(within).catch(() => observed.lease))
      return false
    }
  }

  const read = (within: AbortSignal) =>
    resource.get(name, namespace, { signal: within }).catch((error: unknown) => {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    })

  function write(action: 'create' | 'take' | 'renew', within: AbortSignal): Promise<DeepReadonly<coordination.Lease>> {
    const time = microTime(clock.now())
    const previous = observed.lease?.spec
    const spec: coordination.LeaseSpec = {
      ...(previous as coordination.LeaseSpec | undefined),
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      acquireTime: action === 'renew' ? previous?.acquireTime : time,
      renewTime: time,
      leaseTransitions: (previous?.leaseTransitions ?? 0) + (action === 'take' ? 1 : 0),
    }
    if (action === 'create')
      return resource.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec }, { signal: within })
    return resource.update({ ...observed.lease!, spec }, { signal: within })
  }

  async function release(): Promise<void> {
    if (observed.lease?.spec?.holderIdentity !== identity) return
    const time = microTime(clock.now())
    const spec = { ...observed.lease.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time }
    await resource.update({ ...observed.lease, spec }, { signal: AbortSignal.timeout(2000) }).catch(() => {})
  }

  /** Renews until that fails for `renewDeadline` or `term` ends. */
  async function renewUntilLost(term: AbortSignal): Promise<void> {
    let last = clock.monotonic()
    while (!term.aborted) {
      await clock.sleep(retryPeriod, term)
      const left = last + renewDeadline - clock.monotonic()
      if (left <= 0) return
      // a request that hangs must not outlive the deadline
      const request = new AbortController()
      const cancel = clock.schedule(left, () => request.abort(new Error('renew deadline passed')))
      try {
        const started = clock.monotonic()
        if (await tryHold(AbortSignal.any([term, request.signal]))) last = started
        else if (observed.lease && observed.lease.spec?.holderIdentity !== identity) return
      } finally {
        cancel()
      }
    }
  }

  while (!signal.aborted) {
    if (!(await tryHold(signal))) {
      await clock.sleep(retryPeriod * (1 + random() * 0.2), signal).catch(() => {})
      continue
    }
    log.info('became leader', { lease: `${namespace}/${name}`, identity })
    const term = new AbortController()
    const held = AbortSignal.any([signal, term.signal])
    const work = lead(held).finally(() => term.abort(new Error('the work has ended')))
    const renewal = renewUntilLost(held)
      .catch(() => {})
      .finally(() => term.abort(new Error('leadership lost')))
    try {
      await Promise.all([work, renewal])
    } finally {
      await renewal
      await release()
      log.info('stopped leading', { lease: `${namespace}/${name}`, identity })
      observed = { lease: undefined, at: 0 }
    }
  }
}

/** RFC 3339 with microseconds, the form of MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
