import type { KubeObject, core, discovery, networking, rbac } from '#api'
import { defaultStorageClass, isStatus, resources, volumeAnnotations } from '#api'
import type { Client, ResourceRef } from '#client'
import type { ClusterConfig } from './config.ts'
import { bookName, className, controllerName } from '#ingress'
import { nodeAddress, rangesOf } from './config.ts'
import { controllerUser } from './controller-user.ts'

/** Who reads the use of nodes and pods for `metrics.k8s.io`. */
export const metricsUser = 'system:metrics-server'

/** Who runs pipelines. */
export const ciUser = 'system:k8ts-ci'

/**
 * What every cluster has: the services `kubernetes`, which leads to the API server, and `kube-dns`, which leads to the nodes' resolvers; and leave for the resolvers, which run
 * beside the service proxy and as the same user, to know the namespaces.
 */
export async function ensureDefaults(cluster: ClusterConfig, client: Client): Promise<void> {
  const { gateway, services, clusterDns } = rangesOf(cluster.index)
  await Promise.all([
    ensureRole(client, 'k8ts:node-dns', 'system:kube-proxy', [{ apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] }]),
    ensureRole(client, 'k8ts:metrics-server', metricsUser, [
      { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] },
    ]),
    ensureStorage(client),
    ensureRole(client, 'k8ts:load-balancer-address', controllerUser('load-balancer-address').username, [
      { apiGroups: [''], resources: ['services/status'], verbs: ['patch', 'update'] },
      { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['patch', 'update'] },
      { apiGroups: [''], resources: ['configmaps'], resourceNames: [bookName], verbs: ['get', 'list', 'watch'] },
    ]),
    ensureIngressClass(client),
    ensureRole(client, 'k8ts:ci', ciUser, [
      { apiGroups: ['ci.k8ts.dev'], resources: ['*'], verbs: ['*'] },
      { apiGroups: [''], resources: ['pods', 'secrets', 'configmaps'], verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]),
    ensureService(client, {
      namespace: 'default',
      name: 'kubernetes',
      labels: { component: 'apiserver', provider: 'kubernetes' },
      clusterIP: services.replace('.0.0/16', '.0.1'),
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: cluster.apiPort }],
      addresses: [gateway],
    }),
    ensureService(client, {
      namespace: 'kube-system',
      name: 'kube-dns',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      clusterIP: clusterDns,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      ],
      addresses: cluster.nodes.map((node) => nodeAddress(cluster.index, node)),
    }),
  ])
}

/** The class of the cluster's own ingress controller, the default one as long as nobody says otherwise. */
async function ensureIngressClass(client: Client): Promise<void> {
  try {
    await client.resource<networking.IngressClass>(resources.ingressClasses).create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: className, annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: controllerName },
    })
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
  }
}

/** Gives one user these rights in the whole cluster. */
async function ensureRole(client: Client, name: string, user: string, rules: rbac.PolicyRule[]): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1' as const
  const apiGroup = 'rbac.authorization.k8s.io'
  await Promise.all([
    ensure<rbac.ClusterRole>(client, resources.clusterRoles, { apiVersion, kind: 'ClusterRole', metadata: { name }, rules }),
    ensure<rbac.ClusterRoleBinding>(client, resources.clusterRoleBindings, {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: [{ apiGroup, kind: 'User', name: user }],
    }),
  ])
}

/** What volumes on nodes' disks take: the rights of their provisioner, and a class. */
export async function ensureStorage(client: Client): Promise<void> {
  await ensureRole(client, 'k8ts:local-path-provisioner', controllerUser('local-path-provisioner').username, [
    { apiGroups: [''], resources: ['persistentvolumes'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] },
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['get', 'list', 'watch', 'patch'] },
    { apiGroups: [''], resources: ['persistentvolumeclaims/status'], verbs: ['patch'] },
    { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
    // the nodes' agents make and remove the directories
    { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['update', 'delete'] },
  ])
  await ensureStorageClass(client)
}

/** Claims that name no class get a directory on the disk of their pod's node. Whoever changes the class, or has another default, keeps it so. */
async function ensureStorageClass(client: Client): Promise<void> {
  const classes = client.resource(resources.storageClasses)
  const { items } = await classes.list()
  if (items.some((c) => c.metadata.name === 'standard')) return
  const annotations: Record<string, string> = defaultStorageClass(items) ? {} : { [volumeAnnotations.defaultClass]: 'true' }
  await classes.create({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'standard', annotations },
    provisioner: 'k8ts.dev/local-path',
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
  })
}

interface DefaultService {
  namespace: string
  name: string
  labels: Record<string, string>
  clusterIP: string
  ports: { name: string; port: number; protocol: 'TCP' | 'UDP'; targetPort: number }[]
  addresses: string[]
}

/** A service without a selector, and where it leads. */
async function ensureService(client: Client, { namespace, name, labels, clusterIP, ports, addresses }: DefaultService): Promise<void> {
  const metadata = { name, namespace, labels }
  const targets = ports.map((p) => ({ name: p.name, port: p.targetPort, protocol: p.protocol }))
  await ensure(client, resources.services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { type: 'ClusterIP', clusterIP, sessionAffinity: 'None', ports },
  } as core.Service)
  await Promise.all([
    ensure(client, resources.endpoints, {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      // a cluster without nodes has no resolver yet
      subsets: addresses.length > 0 ? [{ addresses: addresses.map((ip) => ({ ip })), ports: targets }] : [],
    } as core.Endpoints),
    ensure(client, resources.endpointSlices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: addresses.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
      ports: targets,
    } as discovery.EndpointSlice),
  ])
}

/** Creates the object, or brings what is there into this form. Looked for first: a service that is there is refused for its address, not for its name. */
async function ensure<T extends KubeObject>(client: Client, ref: ResourceRef<T>, object: T): Promise<void> {
  const { name, namespace } = object.metadata
  const resource = client.resource<T>(ref)
  try {
    await resource.get(name, namespace)
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    await resource.create(object as never)
    return
  }
  await resource.patch(name, namespace, 'merge', object)
}
