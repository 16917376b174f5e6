import type { DeepReadonly, KubeObject, Quantity, core } from '#api'
import { addQuantity, compareQuantity, parseQuantity, quantityOf, quantityValue } from '#api'
import { isExtendedResource } from './tolerations.ts'

/** Amounts by quota resource name, e.g. `requests.cpu`, `count/deployments.apps`. */
export type Usage = Map<string, Quantity>

type Requirement = DeepReadonly<core.ScopedResourceSelectorRequirement>
type Quota = DeepReadonly<core.ResourceQuota>

/** How objects of one resource count against quotas. */
export interface Evaluator {
  /** What an object uses. */
  usage(object: DeepReadonly<KubeObject>, now: number): Usage
  /** Whether a quota's resource name is about these objects. */
  counts(name: string): boolean
  /** Whether an update can change what is used. */
  onUpdate: boolean
  /** Whether an object is in a quota's scope; without it, scoped quotas are not about these objects. */
  inScope?(object: DeepReadonly<KubeObject>, scope: Requirement): boolean
  /** What an object must say, given the names it counts for; the problem when it does not. */
  missing?(object: DeepReadonly<KubeObject>, names: string[]): string | undefined
}

const one = quantityOf(1)

/** The evaluator of a resource; every resource can be counted. */
export function evaluatorOf(group: string, resource: string): Evaluator {
  return special[`${group}/${resource}`] ?? countOnly(group, resource)
}

/** Core resources that can also be counted by their own name. */
const plainNames = new Set(['configmaps', 'persistentvolumeclaims', 'pods', 'replicationcontrollers', 'resourcequotas', 'secrets', 'services'])

const countName = (group: string, resource: string): string => `count/${group ? `${resource}.${group}` : resource}`

function countOnly(group: string, resource: string): Evaluator {
  const names = [countName(group, resource), ...(group === '' && plainNames.has(resource) ? [resource] : [])]
  return { onUpdate: false, counts: (name) => names.includes(name), usage: () => new Map(names.map((name) => [name, one])) }
}

const computeNames = new Set([
  'count/pods',
  'pods',
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])
/** A quota of these obliges every container to name them; upstream regrets it, and clients rely on it. */
const obligatory = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

const pods: Evaluator = {
  onUpdate: false,
  counts: (name) =>
    computeNames.has(name) ||
    name.startsWith('hugepages-') ||
    name.startsWith('requests.hugepages-') ||
    (name.startsWith('requests.') && isExtendedResource(name.slice('requests.'.length))),
  usage: (object, now) => podUsage(object as DeepReadonly<core.Pod>, now),
  inScope: (object, scope) => podInScope(object as DeepReadonly<core.Pod>, scope),
  missing(object, names) {
    const { containers = [], initContainers = [] } = (object as DeepReadonly<core.Pod>).spec ?? {}
    const problems = names
      .filter((name) => obligatory.has(name))
      .sort()
      .flatMap((name) => {
        const lacking = [...containers, ...initContainers]
          .filter((c) => !computeUsage(amounts(c, 'requests'), amounts(c, 'limits')).has(name))
          .map((c) => c.name)
        return lacking.length > 0 ? [`${name} for: ${lacking.sort().join(',')}`] : []
      })
    return problems.length > 0 ? `must specify ${problems.join('; ')}` : undefined
  },
}

const services: Evaluator = {
  onUpdate: true,
  counts: (name) => ['count/services', 'services', 'services.nodeports', 'services.loadbalancers'].includes(name),
  usage(object) {
    const { type, ports = [], allocateLoadBalancerNodePorts } = (object as DeepReadonly<core.Service>).spec ?? {}
    const balancer = type === 'LoadBalancer'
    const onNodes =
      type === 'NodePort' || (balancer && allocateLoadBalancerNodePorts !== false)
        ? ports.length
        : balancer
          ? ports.filter((p) => p.nodePort).length
          : 0
    return new Map([
      ['count/services', one],
      ['services', one],
      ['services.nodeports', quantityOf(onNodes)],
      ['services.loadbalancers', quantityOf(balancer ? 1 : 0)],
    ])
  },
}

const classSuffix = '.storageclass.storage.k8s.io/'
const claimNames = ['persistentvolumeclaims', 'requests.storage']

const claims: Evaluator = {
  onUpdate: true,
  counts: (name) => name === 'count/persistentvolumeclaims' || claimNames.some((n) => name === n || name.endsWith(classSuffix + n)),
  usage(object) {
    const { spec, metadata } = object as DeepReadonly<core.PersistentVolumeClaim>
    const storageClass = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName
    const usage: Usage = new Map([
      ['count/persistentvolumeclaims', one],
      ['persistentvolumeclaims', one],
    ])
    const asked = spec?.resources?.requests?.['storage']
    if (asked !== undefined) usage.set('requests.storage', quantityOf(quantityValue(asked), parseQuantity(asked).format))
    if (storageClass) {
      usage.set(`${storageClass}${classSuffix}persistentvolumeclaims`, one)
      const storage = usage.get('requests.storage')
      if (storage) usage.set(`${storageClass}${classSuffix}requests.storage`, storage)
    }
    return usage
  },
}

const special: Record<string, Evaluator> = { '/pods': pods, '/services': services, '/persistentvolumeclaims': claims }

function podUsage(pod: DeepReadonly<core.Pod>, now: number): Usage {
  const counted: Usage = new Map([['count/pods', one]])
  if (isOver(pod, now)) return counted
  const { containers = [], initContainers = [], overhead = {} } = pod.spec ?? {}
  const total = (which: 'requests' | 'limits'): Usage => {
    const sum: Usage = new Map()
    const peak: Usage = new Map()
    const sidecars: Usage = new Map()
    for (const container of containers) add(sum, amounts(container, which))
    for (const container of initContainers) {
      // a sidecar keeps running beside what follows it; any other init container runs beside the sidecars before it
      if (container.restartPolicy === 'Always') {
        add(sidecars, amounts(container, which))
        add(sum, amounts(container, which))
        raise(peak, sidecars)
        continue
      }
      const running: Usage = new Map(sidecars)
      add(running, amounts(container, which))
      raise(peak, running)
    }
    raise(sum, peak)
    const named = new Set(sum.keys())
    for (const [name, amount] of Object.entries(overhead)) if (which === 'requests' || named.has(name)) add(sum, { [name]: amount })
    return sum
  }
  return new Map([...counted, ...computeUsage(total('requests'), total('limits'))])
}

/** Finished pods use nothing, nor do pods that should have been gone by now. */
function isOver({ status, metadata }: DeepReadonly<core.Pod>, now: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  return (
    deletionTimestamp !== undefined &&
    deletionGracePeriodSeconds !== undefined &&
    now > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
  )
}

function computeUsage(requests: Usage, limits: Usage): Usage {
  const usage: Usage = new Map([['pods', one]])
  for (const [name, amount] of requests) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-'))
      usage.set(name, amount).set(`requests.${name}`, amount)
    else if (isExtendedResource(name)) usage.set(`requests.${name}`, amount)
  }
  for (const [name, amount] of limits) if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage.set(`limits.${name}`, amount)
  return usage
}

const amounts = ({ resources }: { readonly resources?: DeepReadonly<core.ResourceRequirements> }, which: 'requests' | 'limits'): Usage =>
  new Map(Object.entries(resources?.[which] ?? {}).map(([name, amount]) => [name, parseQuantity(amount)]))

export function add(usage: Usage, more: Usage | Readonly<Record<string, string>>): void {
  for (const [name, amount] of more instanceof Map ? more : Object.entries(more))
    usage.set(name, addQuantity(usage.get(name) ?? quantityOf(0), amount))
}

function raise(usage: Usage, least: Usage): void {
  for (const [name, amount] of least) {
    const known = usage.get(name)
    if (!known || compareQuantity(amount, known) > 0) usage.set(name, amount)
  }
}

function podInScope(pod: DeepReadonly<core.Pod>, { scopeName, operator, values = [] }: Requirement): boolean {
  switch (scopeName) {
    case 'Terminating':
      return pod.spec?.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return pod.spec?.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return isBestEffort(pod)
    case 'NotBestEffort':
      return !isBestEffort(pod)
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod)
    case 'PriorityClass': {
      const name = pod.spec?.priorityClassName
      if (operator === 'Exists') return Boolean(name)
      if (operator === 'DoesNotExist') return !name
      return operator === 'In' ? values.includes(name ?? '') : !values.includes(name ?? '')
    }
    default:
      return false
  }
}

function isBestEffort({ spec }: DeepReadonly<core.Pod>): boolean {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].every(({ resources }) =>
    [resources?.requests, resources?.limits].every((given) =>
      ['cpu', 'memory'].every((name) => !given?.[name] || compareQuantity(given[name], '0') === 0),
    ),
  )
}

function reachesOtherNamespaces({ spec }: DeepReadonly<core.Pod>): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {}
  return [podAffinity, podAntiAffinity].some((affinity) =>
    [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((preferred) => preferred.podAffinityTerm),
    ].some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined),
  )
}

/** The scopes of a quota; a plain scope asks that the pod be in it. */
export function scopesOf({ spec }: Quota): Requirement[] {
  const plain = (spec?.scopes ?? []).map((scopeName): Requirement => ({ scopeName, operator: 'Exists' }))
  return [...plain, ...(spec?.scopeSelector?.matchExpressions ?? [])]
}

/** The resource names of a quota's hard limits that an object counts for; empty when the quota is not about the object. */
export function restrictedNames(quota: Quota, evaluator: Evaluator, object: DeepReadonly<KubeObject>): string[] {
  const names = Object.keys(quota.status?.hard ?? {}).filter((name) => evaluator.counts(name))
  if (names.length === 0) return []
  return scopesOf(quota).every((scope) => evaluator.inScope?.(object, scope) ?? false) ? names : []
}
