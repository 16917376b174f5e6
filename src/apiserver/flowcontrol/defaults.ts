import type { flowcontrol } from '#api'

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'

/** Objects that carry it with `true` get their spec back when the server starts; an administrator who sets `false` keeps what he wrote. */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec'

type Level = flowcontrol.PriorityLevelConfiguration
type Schema = flowcontrol.FlowSchema
type Rules = flowcontrol.PolicyRulesWithSubjects

/** The levels and schemas that cannot be changed: what the server falls back to. */
export const mandatoryNames: ReadonlySet<string> = new Set(['exempt', 'catch-all'])

function queued(name: string, nominalConcurrencyShares: number, lendablePercent: number, queues: number, handSize: number): Level {
  return level(name, {
    type: 'Limited',
    limited: { nominalConcurrencyShares, limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } }, lendablePercent },
  })
}

function level(name: string, spec: NonNullable<Level['spec']>): Level {
  return { apiVersion, kind: 'PriorityLevelConfiguration', metadata: { name, annotations: { [autoUpdateAnnotation]: 'true' } }, spec }
}

/** The priority levels that every cluster has (upstream's, with their documented shares). */
export const defaultLevels: readonly Level[] = [
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  level('catch-all', { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 } }),
  queued('system', 30, 33, 64, 6),
  queued('node-high', 40, 25, 64, 6),
  queued('leader-election', 10, 0, 16, 4),
  queued('workload-high', 40, 50, 128, 6),
  queued('workload-low', 100, 90, 128, 6),
  queued('global-default', 20, 50, 128, 6),
]

const groups = (...names: string[]) => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: string[]) => names.map((name) => ({ kind: 'User', user: { name } }))
const systemAccounts = (...names: string[]) => names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name } }))
const everyone = groups('system:unauthenticated', 'system:authenticated')

const anything = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const leases = {
  resourceRules: [{ verbs: ['get', 'create', 'update'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] }],
}

function schema(name: string, levelName: string, precedence: number, distinguisher: 'ByUser' | 'ByNamespace' | '', rules: Rules): Schema {
  return {
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name, annotations: { [autoUpdateAnnotation]: 'true' } },
    spec: {
      priorityLevelConfiguration: { name: levelName },
      matchingPrecedence: precedence,
      ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
      rules: [rules],
    },
  }
}

/** The flow schemas that every cluster has, in the order in which they are tried. */
export const defaultSchemas: readonly Schema[] = [
  schema('exempt', 'exempt', 1, '', { subjects: groups('system:masters'), ...anything }),
  schema('probes', 'exempt', 2, '', {
    subjects: everyone,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...systemAccounts('*')],
    ...leases,
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: groups('system:nodes'),
    resourceRules: [
      { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ['*'] },
      { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
    ],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', { subjects: groups('system:nodes'), ...anything }),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', { subjects: users('system:kube-controller-manager'), ...anything }),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', { subjects: users('system:kube-scheduler'), ...anything }),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', { subjects: systemAccounts('*'), ...anything }),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', { subjects: groups('system:serviceaccounts'), ...anything }),
  schema('global-default', 'global-default', 9900, 'ByUser', { subjects: everyone, ...anything }),
  schema('catch-all', 'catch-all', 10000, 'ByUser', { subjects: everyone, ...anything }),
]
