import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, meta, rbac } from '#api'
import { isStatus, resources, selectorFromLabelSelector } from '#api'
import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { Client } from '#client'
import type { ObjectReader } from '../object-reader.ts'
import type { PolicyRule } from './rules.ts'

interface Aggregating {
  readonly metadata: { readonly name: string }
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly DeepReadonly<meta.LabelSelector>[] }
}

interface Aggregated {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly rules?: readonly PolicyRule[]
}

/**
 * The rules that an aggregated cluster role gets: those of all roles its selectors match, in the order of their names, each rule once.
 */
export function aggregate(role: Aggregating, roles: readonly Aggregated[]): PolicyRule[] {
  const found = new Map<string, PolicyRule>()
  for (const labelSelector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorFromLabelSelector(labelSelector as meta.LabelSelector)
    const chosen = roles
      .filter(({ metadata }) => metadata.name !== role.metadata.name && selector.matches({ ...metadata.labels }))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    for (const { rules = [] } of chosen) for (const rule of rules) found.set(JSON.stringify(rule), rule)
  }
  return [...found.values()]
}

/** Writes the rules of aggregated cluster roles whenever what they gather changes. */
export function aggregationController(options: { reader: ObjectReader; client: Client; clock: Clock; log: Logger }): AsyncDisposable {
  const { reader, client, clock, log } = options
  const abort = new AbortController()
  let dirty = true
  let running: Promise<void> | undefined

  const settle = async () => {
    while (dirty && !abort.signal.aborted) {
      dirty = false
      try {
        await writeAll()
      } catch (error) {
        if (abort.signal.aborted) return
        dirty = true
        // a conflict is someone else's write, which has been seen by now
        if (!isStatus(error, 'Conflict')) log.warn('aggregating cluster roles failed', { error: describeError(error) })
        await clock.sleep(isStatus(error, 'Conflict') ? 10 : 1000, abort.signal).catch(() => {})
      }
    }
  }
  const writeAll = async () => {
    const roles = reader.list<rbac.ClusterRole>('rbac.authorization.k8s.io', 'clusterroles')
    for (const role of roles) {
      if (!role.aggregationRule || role.metadata.deletionTimestamp) continue
      const rules = aggregate(role, roles)
      if (isDeepStrictEqual(rules, role.rules ?? [])) continue
      await client.resource(resources.clusterRoles).update({ ...role, rules } as rbac.ClusterRole, { signal: abort.signal })
    }
  }
  const wake = () => {
    dirty = true
    running ??= settle().finally(() => {
      running = undefined
      if (dirty && !abort.signal.aborted) wake()
    })
  }
  const stop = reader.onChange('rbac.authorization.k8s.io', 'clusterroles', wake)
  wake()
  return {
    async [Symbol.asyncDispose]() {
      stop()
      abort.abort()
      await running
    },
  }
}
