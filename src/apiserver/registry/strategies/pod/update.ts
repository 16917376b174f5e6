import { isIP } from 'node:net'
import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain, qualifiedName } from '#api'
import { type Causes, forbidden, invalid, invalidEach, same } from '../../validation/causes.ts'

type Pod = DeepReadonly<core.Pod>
type Container = DeepReadonly<core.Container>

const updatable =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** What a pod's spec may become once it exists: upstream's ValidatePodUpdate. */
export function validatePodUpdate(pod: Pod, old: Pod): Causes {
  const causes: Causes = []
  const { spec } = pod
  const before = old.spec
  if (spec.containers.length !== before.containers.length) {
    causes.push(forbidden('spec.containers', 'pod updates may not add or remove containers'))
    return causes
  }
  if ((spec.initContainers?.length ?? 0) !== (before.initContainers?.length ?? 0)) {
    causes.push(forbidden('spec.initContainers', 'pod updates may not add or remove containers'))
    return causes
  }
  validateDeadline(causes, spec, before)
  validateAddedTolerations(causes, spec, before)
  const gates = spec.schedulingGates?.filter((gate) => !before.schedulingGates?.some((had) => had.name === gate.name)) ?? []
  for (const gate of gates) causes.push(forbidden('spec.schedulingGates', `only deletion is allowed, but found new scheduling gate '${gate.name}'`))
  if (causes.length > 0) return causes

  const gated = (before.schedulingGates?.length ?? 0) > 0
  const munged: core.PodSpec = {
    ...(spec as core.PodSpec),
    containers: withImages(spec.containers, before.containers),
    tolerations: before.tolerations as core.Toleration[],
    schedulingGates: before.schedulingGates as core.PodSchedulingGate[],
    ...(spec.initContainers ? { initContainers: withImages(spec.initContainers, before.initContainers ?? []) } : {}),
  }
  copy(munged, before, 'activeDeadlineSeconds')
  if ((before.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    copy(munged, before, 'terminationGracePeriodSeconds')
  if (gated) {
    if (extendsMap(spec.nodeSelector, before.nodeSelector)) copy(munged, before, 'nodeSelector')
    else
      causes.push(
        invalid('spec.nodeSelector', spec.nodeSelector ?? null, 'only additions are allowed to spec.nodeSelector (no mutations or deletions)'),
      )
    if (before.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution === undefined)
      munged.affinity = before.affinity as core.Affinity
  }
  if (!same(munged, before)) causes.push(forbidden('spec', `pod updates may not change fields other than ${updatable}\n${changes(munged, before)}`))
  return causes
}

function validateDeadline(causes: Causes, spec: DeepReadonly<core.PodSpec>, before: DeepReadonly<core.PodSpec>): void {
  const field = 'spec.activeDeadlineSeconds'
  const value = spec.activeDeadlineSeconds
  const had = before.activeDeadlineSeconds
  if (value !== undefined) {
    if (!(value >= 0 && value <= 2 ** 31 - 1)) causes.push(invalid(field, value, 'must be between 0 and 2147483647, inclusive'))
    else if (had !== undefined && had < value) causes.push(invalid(field, value, 'must be less than or equal to previous value'))
  } else if (had !== undefined) causes.push(invalid(field, undefined, 'must not update from a positive integer to nil value'))
}

function validateAddedTolerations(causes: Causes, spec: DeepReadonly<core.PodSpec>, before: DeepReadonly<core.PodSpec>): void {
  for (const had of before.tolerations ?? []) {
    const kept = spec.tolerations?.some((now) => same({ ...now, tolerationSeconds: had.tolerationSeconds }, had))
    if (kept) continue
    causes.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
    return
  }
}

/** The containers with the images of `before`, so that only other differences show. */
function withImages(containers: readonly Container[], before: readonly Container[]): core.Container[] {
  return containers.map((container, i) => ({ ...container, image: before[i]?.image }) as core.Container)
}

function copy<K extends keyof core.PodSpec>(to: core.PodSpec, from: DeepReadonly<core.PodSpec>, key: K): void {
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

/** What the status subresource may not do: move a terminated container back, or name a node that is not valid. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): Causes {
  const causes: Causes = []
  pod.status?.conditions?.forEach((condition, i) => {
    // upstream names them by this path
    invalidEach(causes, `metadata.conditions[${i}].Type`, condition.type ?? '', qualifiedName(condition.type ?? ''))
  })
  validateAddresses(causes, 'status.podIPs', pod.status?.podIPs)
  validateAddresses(causes, 'status.hostIPs', pod.status?.hostIPs)
  if (pod.status?.nominatedNodeName)
    invalidEach(causes, 'status.nominatedNodeName', pod.status.nominatedNodeName, dns1123Subdomain(pod.status.nominatedNodeName))
  if (old.spec.restartPolicy === 'Always') return causes
  validateNotRestarted(causes, 'status.containerStatuses', pod.status?.containerStatuses, old.status?.containerStatuses, old.spec.restartPolicy)
  return causes
}

/** Addresses are one of each family at most. */
function validateAddresses(causes: Causes, path: string, addresses: DeepReadonly<{ ip: string }[]> | undefined): void {
  addresses?.forEach(({ ip }, i) => {
    if (isIP(ip ?? '') === 0) causes.push(invalid(`${path}[${i}]`, ip ?? '', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  })
  if (addresses && addresses.length > 1 && new Set(addresses.map(({ ip }) => isIP(ip))).size < addresses.length)
    causes.push(invalid(path, addresses, 'may specify no more than one IP for each IP family'))
}

function validateNotRestarted(
  causes: Causes,
  path: string,
  now: DeepReadonly<core.ContainerStatus[]> | undefined,
  before: DeepReadonly<core.ContainerStatus[]> | undefined,
  policy: string | undefined,
): void {
  before?.forEach((had, i) => {
    const terminated = had.state?.terminated
    if (!terminated || (terminated.exitCode !== 0 && policy === 'OnFailure')) return
    const current = now?.find((status) => status.name === had.name)
    if (current && !current.state?.terminated) causes.push(forbidden(`${path}[${i}].state`, 'may not be transitioned to non-terminated state'))
  })
}
