import type { Creatable, DeepReadonly, KubeObject, scheduling } from '#api'
import { isStatus, resources } from '#api'
import type { Client, ResourceRef } from '#client'
import { bootstrapPolicy } from './authz/bootstrap-policy.ts'
import type { PolicyObject, PolicyStep } from './authz/policy-plan.ts'
import { ensureFlowObjects } from './flowcontrol/objects.ts'
import { planPolicy } from './authz/policy-plan.ts'

export const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

const priorityClasses: (Omit<scheduling.PriorityClass, 'metadata'> & { name: string })[] = [
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    preemptionPolicy: 'PreemptLowerPriority',
  },
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
    preemptionPolicy: 'PreemptLowerPriority',
  },
]

/**
 * Makes the objects that every cluster has: system namespaces, priority classes, flow schemas and their levels, roles and bindings. Everything that is there already is left as it is, but for
 * roles and bindings that lack something of the bootstrap policy; a second call reads eight lists and writes nothing. The client must be allowed everything.
 */
export async function bootstrapObjects(client: Client): Promise<void> {
  const policy = bootstrapPolicy()
  const inNamespaces = async () => {
    await bootstrapNamespaces(client)
    await Promise.all([reconcile(client, resources.roles, policy.roles), reconcile(client, resources.roleBindings, policy.roleBindings)])
  }
  await Promise.all([
    inNamespaces(),
    bootstrapPriorityClasses(client),
    ensureFlowObjects(client),
    reconcile(client, resources.clusterRoles, policy.clusterRoles),
    reconcile(client, resources.clusterRoleBindings, policy.clusterRoleBindings),
  ])
}

export async function bootstrapNamespaces(client: Client): Promise<void> {
  const namespaces = client.resource(resources.namespaces)
  const known = new Set((await namespaces.list()).items.map((namespace) => namespace.metadata.name))
  const missing = systemNamespaces.filter((name) => !known.has(name))
  await Promise.all(missing.map((name) => unlessPresent(namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as never))))
}

export async function bootstrapPriorityClasses(client: Client): Promise<void> {
  const classes = client.resource(resources.priorityClasses)
  const known = new Set((await classes.list()).items.map((found) => found.metadata.name))
  const missing = priorityClasses.filter((wanted) => !known.has(wanted.name))
  await Promise.all(missing.map(({ name, ...wanted }) => unlessPresent(classes.create({ ...wanted, metadata: { name } } as never))))
}

const attempts = 5

async function reconcile<T extends KubeObject>(client: Client, ref: ResourceRef<T>, wanted: readonly DeepReadonly<PolicyObject>[]): Promise<void> {
  const resource = client.resource(ref)
  const apply = async ({ action, object }: PolicyStep): Promise<void> => {
    if (action === 'update') {
      await resource.update(object as unknown as T)
      return
    }
    if (action === 'replace') await unlessMissing(resource.delete(object.metadata.name, object.metadata.namespace))
    await resource.create(object as unknown as Creatable<T>)
  }
  for (let attempt = 1; ; attempt++) {
    const steps = planPolicy(wanted, (await resource.list()).items as unknown as DeepReadonly<PolicyObject>[])
    const results = await Promise.allSettled(steps.map(apply))
    const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    if (failed.length === 0) return
    // another server of the same cluster may be at it too: what it wrote is read again
    const raced = failed.every((error) => isStatus(error, 'AlreadyExists') || isStatus(error, 'Conflict') || isStatus(error, 'NotFound'))
    if (!raced || attempt >= attempts) throw failed[0]
  }
}

async function unlessPresent(creating: Promise<unknown>): Promise<void> {
  await creating.catch((error: unknown) => {
    if (!isStatus(error, 'AlreadyExists')) throw error
  })
}

async function unlessMissing(deleting: Promise<unknown>): Promise<void> {
  await deleting.catch((error: unknown) => {
    if (!isStatus(error, 'NotFound')) throw error
  })
}
