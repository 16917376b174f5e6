import type { Step } from './record-histories.ts'

/** Choices that are the same for the same seed. */
function choices(seed: number) {
  let state = Math.imul(seed, 0x9e3779b1)
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) / 2 ** 24
  }
  const below = (limit: number) => Math.floor(random() * limit)
  return {
    chance: (probability: number) => random() < probability,
    one: <T>(of: readonly T[]): T => of[below(of.length)]!,
    /** Some of them, in some order. */
    some: <T>(of: readonly T[]): T[] => of.filter(() => random() < 0.5).sort(() => random() - 0.5),
  }
}
type Choices = ReturnType<typeof choices>

/** An object of those parts that the dice chose. */
function parts(c: Choices, of: Record<string, () => unknown>, probability = 0.5): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(of)
      .filter(() => c.chance(probability))
      .map(([name, make]) => [name, make()]),
  )
}

const letters = ['a', 'b', 'c', 'd']
const strings = (c: Choices) => Object.fromEntries(c.some(letters).map((key) => [key, c.one(['1', '2', '3'])]))
const metadata = (c: Choices) =>
  parts(c, { labels: () => strings(c), annotations: () => strings(c), finalizers: () => c.some(['x.io/a', 'x.io/b']) }, 0.25)

const containers = (c: Choices, names = letters.slice(0, 3)) => {
  const chosen = c.some(names)
  return (chosen.length > 0 ? chosen : ['a']).map((name) => ({
    name,
    image: `${name}:${c.one(['1', '2'])}`,
    ...parts(
      c,
      {
        env: () => c.some(['A', 'B', 'C']).map((key) => ({ name: key, value: c.one(['1', '2']) })),
        ports: () => c.some([{ containerPort: 80 }, { containerPort: 443, name: 'https', protocol: 'TCP' }]),
        command: () => c.some(['x', 'y']),
        resources: () => ({ limits: c.one([{ cpu: '1' }, { memory: '1Gi' }, { cpu: '1', memory: '1Gi' }]) }),
        securityContext: () => ({ capabilities: { add: c.some(['A', 'B']) } }),
      },
      0.3,
    ),
  }))
}

const pods = (c: Choices) => ({
  containers: containers(c),
  ...parts(
    c,
    {
      nodeSelector: () => strings(c),
      tolerations: () => c.some([{ key: 'a', operator: 'Exists' }, { key: 'b', operator: 'Exists' }]),
      hostAliases: () => c.some([{ ip: '10.0.0.1', hostnames: ['x'] }, { ip: '10.0.0.2', hostnames: ['y'] }]),
      imagePullSecrets: () => c.some([{ name: 's' }, { name: 't' }]),
      terminationGracePeriodSeconds: () => c.one([5, 30]),
      volumes: () => c.some(['v', 'w']).map((name) => ({ name, emptyDir: { medium: c.one(['Memory', 'HugePages']) } })),
    },
    0.25,
  ),
}) // prettier-ignore

/** What each kind's objects are made of; `base` is what every create needs. */
const makers: Record<string, { apiVersion: string; resource: string; base: object; make: (c: Choices) => Record<string, any>; status?: (c: Choices) => object }> = {
  ConfigMap: { apiVersion: 'v1', resource: 'configmaps', base: {}, make: (c) => ({ metadata: metadata(c), ...parts(c, { data: () => strings(c), binaryData: () => ({ z: c.one(['AAAA', 'BBBB']) }) }, 0.7) }) },
  Deployment: {
    apiVersion: 'apps/v1',
    resource: 'deployments',
    base: { spec: { selector: { matchLabels: { app: 'a' } }, template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } } } },
    make: (c) => ({
      metadata: metadata(c),
      spec: parts(c, { replicas: () => c.one([1, 2, 3]), minReadySeconds: () => c.one([1, 2]), strategy: () => c.one([{ type: 'Recreate', rollingUpdate: null }, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2 } }]), template: () => ({ spec: pods(c) }) }),
    }),
    status: (c) => ({ status: parts(c, { conditions: () => c.some(['Available', 'Progressing']).map((type) => ({ type, status: c.one(['True', 'False']) })), observedGeneration: () => c.one([1, 2]) }) }),
  },
  Service: {
    apiVersion: 'v1',
    resource: 'services',
    base: { spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }] } },
    make: (c) => ({
      metadata: metadata(c),
      spec: parts(c, { selector: () => strings(c), sessionAffinity: () => c.one(['None', 'ClientIP']), externalIPs: () => c.some(['10.1.1.1', '10.1.1.2']), ports: () => c.some([{ name: 'http', port: 80, protocol: 'TCP' }, { name: 'dns', port: 80, protocol: 'UDP' }, { name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 }]) }),
    }),
  },
  Pod: {
    apiVersion: 'v1',
    resource: 'pods',
    base: { spec: { automountServiceAccountToken: false, containers: [{ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }] } },
    make: (c) => ({ metadata: metadata(c), ...parts(c, { spec: () => ({ automountServiceAccountToken: false, containers: [{ name: c.one(['a', 'b']), image: c.one(['a:1', 'a:2', 'b:2']) }] }) }, 0.4) }),
    status: (c) => ({ status: parts(c, { conditions: () => c.some(['Ready', 'Initialized', 'Other']).map((type) => ({ type, status: c.one(['True', 'False']) })), phase: () => c.one(['Running', 'Pending']), podIP: () => c.one(['10.0.0.1', '10.0.0.2']) }) }),
  },
  ResourceClaim: {
    apiVersion: 'resource.k8s.io/v1',
    resource: 'resourceclaims',
    base: { spec: { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'gpu' } }] } } },
    make: (c) => ({
      metadata: metadata(c),
      spec: { devices: parts(c, { requests: () => c.some(['a', 'b']).map((name) => ({ name, exactly: { deviceClassName: c.one(['gpu', 'nic']) } })), constraints: () => c.one([[], [{ matchAttribute: 'x.io/a' }]]), config: () => c.one([null, []]) }) },
    }),
    status: (c) => ({
      status: parts(c, {
        reservedFor: () => c.some(['1', '2', '3']).map((uid) => ({ resource: 'pods', name: c.one(['p', 'q']), uid })),
        devices: () => c.some(['x', 'y']).map((device) => ({ driver: 'd.io', pool: 'p', device, ...parts(c, { shareID: () => '2b1f6c9e-0000-4000-8000-000000000001', conditions: () => c.some(['Ready', 'Seen']).map((type) => ({ type, status: c.one(['True', 'False']), reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' })), networkData: () => parts(c, { interfaceName: () => c.one(['eth0', 'eth1']), ips: () => c.some(['10.1.0.1/24', '10.1.0.2/24']) }) }) })),
        allocation: () => c.one([null, {}, { devices: { results: [{ request: 'a', driver: 'd.io', pool: 'p', device: 'x' }] } }]),
      }),
    }),
  },
} // prettier-ignore

/** A history of one object of a random kind, written by several managers in every way there is. */
export function randomHistory(seed: number): { name: string; kind: { apiVersion: string; kind: string; resource: string }; steps: Step[] } {
  const c = choices(seed)
  const kind = c.one(Object.keys(makers))
  const { apiVersion, resource, base, make, status } = makers[kind]!
  const steps: Step[] = [{ verb: c.one(['create', 'apply'] as const), manager: 'one', body: merged(base, make(c)) }]
  while (steps.length < 14) steps.push(step())
  return { name: `random ${kind} ${seed}`, kind: { apiVersion, kind, resource }, steps }

  function step(): Step {
    const manager = c.one(['one', 'two', 'three'])
    if (status && c.chance(0.15)) {
      const body = status(c)
      const verb = c.one(['merge', 'strategic', 'update', 'apply'] as const)
      if (verb === 'apply') return { verb, manager, subresource: 'status', ...(c.chance(0.4) ? { force: true } : {}), body }
      return { verb, manager, subresource: 'status', body: verb === 'update' ? (live: object) => merged(live, body) : body }
    }
    const body = make(c)
    if (c.chance(0.04)) return { verb: 'merge', manager, body: { metadata: { managedFields: c.one([[], [{}]]) } } }
    switch (c.one(['apply', 'apply', 'apply', 'apply', 'apply', 'update', 'merge', 'strategic', 'json'] as const)) {
      case 'apply':
        return { verb: 'apply', manager, ...(c.chance(0.4) ? { force: true } : {}), body: c.chance(0.7) ? merged(base, body) : body }
      case 'update':
        return { verb: 'update', manager, body: (live: object) => merged(live, body) }
      case 'merge':
        return { verb: 'merge', manager, body: c.chance(0.3) ? { metadata: { labels: c.one([null, { a: null }]), annotations: null } } : body }
      case 'strategic':
        return { verb: 'strategic', manager, body: directed(body) }
      case 'json':
        return { verb: 'json', manager, body: operations() }
    }
  }

  /** A strategic merge patch with directives here and there. */
  function directed(body: Record<string, any>): object {
    const list = body.spec?.template?.spec?.containers ?? body.spec?.ports
    if (Array.isArray(list) && c.chance(0.4))
      list.push(body.spec.ports ? { port: 80, $patch: 'delete' } : { name: c.one(['b', 'c']), $patch: 'delete' })
    if (body.spec?.template?.spec && c.chance(0.3)) body.spec.template.spec['$setElementOrder/containers'] = ['c', 'b', 'a'].map((name) => ({ name }))
    if (body.metadata?.labels && c.chance(0.3)) body.metadata.labels = { ...body.metadata.labels, $patch: 'replace' }
    if (body.data && c.chance(0.4)) body.data = { ...body.data, ...c.one([{ $patch: 'replace' }, { $retainKeys: Object.keys(body.data) }]) }
    if (body.metadata?.finalizers && c.chance(0.5))
      body.metadata = { ...body.metadata, '$deleteFromPrimitiveList/finalizers': ['x.io/a'], finalizers: undefined }
    return body
  }

  function operations(): object[] {
    return [
      { op: 'add', path: '/metadata/labels', value: strings(c) },
      ...c.some([
        { op: 'add', path: '/metadata/labels/z', value: '1' },
        { op: 'add', path: '/metadata/annotations', value: { j: '1' } },
        { op: 'copy', from: '/metadata/labels', path: '/metadata/annotations' },
        { op: 'remove', path: '/metadata/annotations/j' },
        { op: 'move', from: '/metadata/labels', path: '/metadata/annotations' },
        { op: 'test', path: '/metadata/name', value: c.one(['x', null]) },
      ]),
    ].slice(0, c.one([1, 2, 3]))
  }
}

/** Fields of `more` over those of `object`; lists are taken whole, null takes a field out. */
function merged(object: any, more: any): any {
  if (typeof object !== 'object' || typeof more !== 'object' || !object || !more || Array.isArray(object) || Array.isArray(more)) return more
  const result = { ...object }
  for (const key of Object.keys(more)) {
    if (more[key] === null) delete result[key]
    else result[key] = key in object ? merged(object[key], more[key]) : more[key]
  }
  return result
}
