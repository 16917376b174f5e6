import { generateKeyPairSync } from 'node:crypto'
import type { core, rbac } from '#api'
import { resources } from '#api'
import { silentLogger } from '#base'
import type { Store } from '#store'
import { bootstrapObjects } from './bootstrap.ts'
import type { StandardApiServer } from './standard.ts'
import { loopbackUser, standardApiServer } from './standard.ts'
import { testTls } from './test-server.ts'

/**
 * An API server composed as in a cluster, for measurements: with all of its authorization, flow control and admission. `admintoken` may do everything and is exempt from flow control,
 * `usertoken` may edit. Pods are welcome in the namespaces `default` and `full`.
 */
export async function startBenchServer(store: Store, port: number): Promise<StandardApiServer> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const server = standardApiServer({
    store,
    port,
    tls: { ...testTls, clientCa: testTls.cert },
    serviceAccounts: { privateKey, issuer: 'https://kubernetes.default.svc' },
    kubelet: { ...testTls, ca: testTls.cert },
    serviceCidr: '10.97.0.0/16',
    staticTokens: 'admintoken,admin,admin,system:masters\nusertoken,alice,alice,',
    log: silentLogger,
  })
  await server.start()
  const client = server.client(loopbackUser, 'kube-apiserver')
  await bootstrapObjects(client)
  await client.resource<core.Namespace>(resources.namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'full' }, spec: {} })
  for (const namespace of ['default', 'full'])
    await client
      .resource<core.ServiceAccount>(resources.serviceAccounts)
      .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })
  await client.resource<rbac.ClusterRoleBinding>(resources.clusterRoleBindings).create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'editors' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'alice' }],
  })
  return server
}
