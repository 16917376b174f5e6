import type { DeepReadonly, KubeObject, apiregistration, certificates, coordination, flowcontrol, node, policy, rbac, scheduling } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn, wide } from './columns.ts'
import { age, humanDuration } from './duration.ts'

const createdAt = column('Created At', 'date')

/** Kinds of which only the name and the time of creation are shown. */
export const createdTable: TableDefinition<KubeObject> = {
  columns: [nameColumn, createdAt],
  cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
}

type Binding = rbac.RoleBinding | rbac.ClusterRoleBinding

export const bindingTable: TableDefinition<Binding> = {
  columns: [nameColumn, column('Role'), ageColumn, wide('Users'), wide('Groups'), wide('ServiceAccounts')],
  cells({ metadata, roleRef, subjects }, now) {
    const named = (kind: string) =>
      (subjects ?? [])
        .filter((subject) => subject.kind === kind)
        .map((subject) => (kind === 'ServiceAccount' && subject.namespace ? `${subject.namespace}/${subject.name}` : subject.name))
        .join(', ')
    return [
      metadata.name,
      `${roleRef.kind}/${roleRef.name}`,
      age(metadata.creationTimestamp, now),
      named('User'),
      named('Group'),
      named('ServiceAccount'),
    ]
  },
}

export const podDisruptionBudgetTable: TableDefinition<policy.PodDisruptionBudget> = {
  columns: [nameColumn, column('Min Available'), column('Max Unavailable'), column('Allowed Disruptions', 'integer'), ageColumn],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.minAvailable === undefined ? 'N/A' : `${spec.minAvailable}`,
    spec.maxUnavailable === undefined ? 'N/A' : `${spec.maxUnavailable}`,
    status?.disruptionsAllowed ?? 0,
    age(metadata.creationTimestamp, now),
  ],
}

export const certificateSigningRequestTable: TableDefinition<certificates.CertificateSigningRequest> = {
  columns: [nameColumn, ageColumn, column('SignerName'), column('Requestor'), column('RequestedDuration'), column('Condition')],
  cells: (request, now) => [
    request.metadata.name,
    age(request.metadata.creationTimestamp, now),
    request.spec.signerName || '<none>',
    request.spec.username ?? '',
    request.spec.expirationSeconds === undefined ? '<none>' : humanDuration(request.spec.expirationSeconds * 1000),
    requestCondition(request),
  ],
}

function requestCondition({ status }: DeepReadonly<certificates.CertificateSigningRequest>): string {
  const has = (type: string) => status?.conditions?.some((condition) => condition.type === type)
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return `${decision}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`
}

export const leaseTable: TableDefinition<coordination.Lease> = {
  columns: [nameColumn, column('Holder'), ageColumn],
  cells: ({ metadata, spec }, now) => [metadata.name, spec?.holderIdentity ?? '', age(metadata.creationTimestamp, now)],
}

export const runtimeClassTable: TableDefinition<node.RuntimeClass> = {
  columns: [nameColumn, column('Handler'), ageColumn],
  cells: ({ metadata, handler }, now) => [metadata.name, handler, age(metadata.creationTimestamp, now)],
}

export const priorityClassTable: TableDefinition<scheduling.PriorityClass> = {
  columns: [nameColumn, column('Value', 'integer'), column('Global-Default', 'boolean'), ageColumn, column('PreemptionPolicy')],
  cells: (object, now) => [
    object.metadata.name,
    object.value ?? 0,
    object.globalDefault ?? false,
    age(object.metadata.creationTimestamp, now),
    object.preemptionPolicy ?? '',
  ],
}

export const webhookConfigurationTable: TableDefinition<KubeObject & { webhooks?: unknown[] }> = {
  columns: [nameColumn, column('Webhooks', 'integer'), ageColumn],
  cells: ({ metadata, webhooks }, now) => [metadata.name, webhooks?.length ?? 0, age(metadata.creationTimestamp, now)],
}

export const flowSchemaTable: TableDefinition<flowcontrol.FlowSchema> = {
  columns: [nameColumn, column('PriorityLevel'), column('MatchingPrecedence'), column('DistinguisherMethod'), ageColumn, column('MissingPL')],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.priorityLevelConfiguration.name,
    spec.matchingPrecedence ?? 0,
    spec.distinguisherMethod?.type ?? '<none>',
    age(metadata.creationTimestamp, now),
    status?.conditions?.find((condition) => condition.type === 'Dangling')?.status ?? '?',
  ],
}

export const priorityLevelConfigurationTable: TableDefinition<flowcontrol.PriorityLevelConfiguration> = {
  columns: [
    nameColumn,
    column('Type'),
    column('NominalConcurrencyShares'),
    column('Queues'),
    column('HandSize'),
    column('QueueLengthLimit'),
    ageColumn,
  ],
  cells({ metadata, spec }, now) {
    const queuing = spec.limited?.limitResponse?.queuing
    const shares = spec.limited?.nominalConcurrencyShares ?? spec.exempt?.nominalConcurrencyShares
    return [
      metadata.name,
      spec.type,
      shares ?? '<none>',
      queuing?.queues ?? '<none>',
      queuing?.handSize ?? '<none>',
      queuing?.queueLengthLimit ?? '<none>',
      age(metadata.creationTimestamp, now),
    ]
  },
}

export const apiServiceTable: TableDefinition<apiregistration.APIService> = {
  columns: [nameColumn, column('Service'), column('Available'), ageColumn],
  cells({ metadata, spec, status }, now) {
    const available = status?.conditions?.find((condition) => condition.type === 'Available')
    const text = !available ? 'Unknown' : available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`
    return [
      metadata.name,
      spec.service ? `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}` : 'Local',
      text,
      age(metadata.creationTimestamp, now),
    ]
  },
}
