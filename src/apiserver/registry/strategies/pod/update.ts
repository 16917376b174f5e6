import type { DeepReadonly, core } from '#api'
import { validateAnnotationsKept } from '../../validation/pod/annotations.ts'
import { type Causes, forbidden, invalid, same } from '../../validation/causes.ts'
import { validateTolerations } from '../../validation/pod/scheduling.ts'
import { validateAffinityNarrowed } from './gated-affinity.ts'

type Pod = DeepReadonly<core.Pod>
type PodSpec = DeepReadonly<core.PodSpec>
type Container = DeepReadonly<core.Container>

const updatable =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** What a pod may become once it exists: upstream's ValidatePodUpdate, beside the checks of the pod itself. */
export function validatePodUpdate(pod: Pod, old: Pod): Causes {
  const causes: Causes = []
  const { spec } = pod
  const before = old.spec
  validateAnnotationsKept(causes, 'metadata.annotations', pod.metadata.annotations, old.metadata.annotations)
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list]?.length ?? 0) === (before[list]?.length ?? 0)) continue
    causes.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'))
    return causes
  }
  if (!validateDeadline(causes, spec, before)) return causes
  validateAddedTolerations(causes, spec, before)
  spec.schedulingGates?.forEach(({ name }, i) => {
    if (!before.schedulingGates?.some((had) => had.name === name))
      causes.push(forbidden(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`))
  })
  if (same(spec, before)) return causes

  const munged: core.PodSpec = {
    ...(spec as core.PodSpec),
    containers: withImages(spec.containers, before.containers),
    ...(spec.initContainers ? { initContainers: withImages(spec.initContainers, before.initContainers ?? []) } : {}),
  }
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'] as const) copy(munged, before, field)
  if ((before.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    copy(munged, before, 'terminationGracePeriodSeconds')
  if (before.schedulingGates?.length) allowNarrowing(causes, munged, spec, before)
  if (!same(munged, before)) causes.push(forbidden('spec', `pod updates may not change fields other than ${updatable}\n${changes(munged, before)}`))
  return causes
}

/** While gates hold a pod back, fewer nodes may be made of those that it may go to. */
function allowNarrowing(causes: Causes, munged: core.PodSpec, spec: PodSpec, before: PodSpec): void {
  if (!extendsMap(spec.nodeSelector, before.nodeSelector))
    causes.push(
      invalid('spec.nodeSelector', spec.nodeSelector ?? null, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'),
    )
  copy(munged, before, 'nodeSelector')
  const [now, had] = [spec.affinity?.nodeAffinity, before.affinity?.nodeAffinity]
  if (same(now, had)) return
  validateAffinityNarrowed(causes, 'spec.affinity.nodeAffinity', now, had)
  // what else is in the affinity stays as it is
  const { nodeAffinity: _, ...others } = spec.affinity ?? {}
  const affinity = { ...others, ...(had ? { nodeAffinity: had } : {}) }
  if (Object.keys(affinity).length === 0 && !before.affinity) delete munged.affinity
  else munged.affinity = affinity as core.Affinity
}

/** False: the deadline is so wrong that nothing else is worth a look. */
function validateDeadline(causes: Causes, spec: PodSpec, before: PodSpec): boolean {
  const field = 'spec.activeDeadlineSeconds'
  const value = spec.activeDeadlineSeconds
  const had = before.activeDeadlineSeconds
  if (value === undefined) {
    if (had !== undefined) causes.push(invalid(field, undefined, 'must not update from a positive integer to nil value'))
    return true
  }
  if (!(value >= 0 && value <= 2 ** 31 - 1)) causes.push(invalid(field, value, 'must be between 0 and 2147483647, inclusive'))
  else if (had !== undefined && had < value) causes.push(invalid(field, value, 'must be less than or equal to previous value'))
  else return true
  return false
}

function validateAddedTolerations(causes: Causes, spec: PodSpec, before: PodSpec): void {
  for (const had of before.tolerations ?? []) {
    const kept = spec.tolerations?.some((now) => same({ ...now, tolerationSeconds: had.tolerationSeconds }, had))
    if (kept) continue
    causes.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
    return
  }
  if (spec.tolerations !== before.tolerations) validateTolerations(causes, 'spec.tolerations', spec.tolerations)
}

/** The containers with the images of `before`, so that only other differences show. */
function withImages(containers: readonly Container[], before: readonly Container[]): core.Container[] {
  return containers.map((container, i) => ({ ...container, image: before[i]?.image }) as core.Container)
}

function copy<K extends keyof core.PodSpec>(to: core.PodSpec, from: PodSpec, key: K): void {
  if (from[key] === undefined) delete to[key]
  else to[key] = from[key] as core.PodSpec[K]
}

function extendsMap(map: DeepReadonly<Record<string, string>> | undefined, before: DeepReadonly<Record<string, string>> | undefined): boolean {
  for (const key in before) if (map?.[key] !== before[key]) return false
  return true
}

/** The fields that differ, one per line. */
function changes(now: object, before: object): string {
  const a = now as Record<string, unknown>
  const b = before as Record<string, unknown>
  return [...new Set([...Object.keys(b), ...Object.keys(a)])]
    .filter((key) => !same(a[key], b[key]))
    .map((key) => `  ${key}:\n- ${JSON.stringify(b[key] ?? null)}\n+ ${JSON.stringify(a[key] ?? null)}`)
    .join('\n')
}
