/** What authentication and authorization cost per request of a known client, and what a start pays: `tools/run src/apiserver/authz/access.bench.ts`. */
import { generateKeyPairSync } from 'node:crypto'
import type { authentication } from '#api'
import { realClock } from '#base'
import * as authn from '../authn/index.ts'
import type { Credentials, UserInfo } from '../authn/index.ts'
import { bootstrapObjects } from '../bootstrap.ts'
import { memoryReader } from '../memory-reader.ts'
import { startTestServer } from '../test-server.ts'
import * as authz from './index.ts'

const group = 'rbac.authorization.k8s.io'
const issuer = 'https://kubernetes.default.svc'
const reader = memoryReader()
const policy = timed('parsing the bootstrap policy', () => authz.bootstrapPolicy())
for (const role of policy.clusterRoles) reader.set(group, 'clusterroles', role)
for (const binding of policy.clusterRoleBindings) reader.set(group, 'clusterrolebindings', binding)
for (let i = 0; i < 2000; i++) {
  const subjects = [{ kind: 'ServiceAccount', name: 'sa', namespace: 'ns' }]
  reader.set(group, 'rolebindings', { metadata: { namespace: `ns${i}`, name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'admin' }, subjects })
}
reader.set('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'sa', uid: 'u' } })
reader.set('', 'pods', { metadata: { namespace: 'ns', name: 'p', uid: 'pu' }, spec: { serviceAccountName: 'sa', nodeName: 'n' } })

const keys = authn.tokenKeys({
  privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
})
const review = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } },
}
const token = authn.createToken({ keys, issuer, reader, clock: realClock }, 'ns', 'sa', review as authentication.TokenRequest).status!.token!
const tokens = authn.unionTokens([
  authn.staticTokens(authn.parseTokenFile('admintoken,admin,1,"dev"'), [issuer]),
  authn.serviceAccountTokens({ keys, issuer, reader, clock: realClock }),
])
const authenticator = authn.requestAuthenticator({ tokens })
const authorizer = authz.unionAuthorizer([
  authz.mastersAuthorizer,
  authz.nodeAuthorizer({ reader, graph: authz.nodeGraph(reader), rules: authz.bootstrapRules('system:node') }),
  authz.rbacAuthorizer(reader),
])

const resource = { group: '', version: 'v1', resource: 'pods', subresource: '', namespace: 'ns7', name: 'a', rest: '' }
const header = Buffer.from(token)
await measure('service-account token', () => ({ bearerToken: header.toString('latin1') }))
await measure('fixed token', () => ({ bearerToken: 'admintoken' }))
await measure('certificate of the scheduler', () => ({ certificate: { commonName: 'system:kube-scheduler', organizations: [] } }))
await measure('certificate of a master', () => ({ certificate: { commonName: 'admin', organizations: ['system:masters'] } }))
await measure('certificate of a node', () => ({ certificate: { commonName: 'system:node:n', organizations: ['system:nodes'] } }))

await using server = await startTestServer({ freeze: false })
for (const what of ['first', 'second']) {
  const start = performance.now()
  await bootstrapObjects(server.client)
  console.log(`${what} bootstrap of the system objects: ${(performance.now() - start).toFixed(1)} ms`)
}

/** Microseconds per request, from the header to the decision. */
async function measure(name: string, credentials: () => Credentials): Promise<void> {
  const rounds = 200_000
  let best = Infinity
  for (let repeat = 0; repeat < 3; repeat++) {
    const start = performance.now()
    for (let i = 0; i < rounds; i++) {
      const user = (await authenticator.authenticate(credentials())) as UserInfo
      authorizer.authorize({ user, verb: 'get', path: '/api/v1/namespaces/ns7/pods/a', resource })
    }
    best = Math.min(best, ((performance.now() - start) * 1000) / rounds)
  }
  console.log(`${name}: ${best.toFixed(2)} µs per request`)
}

function timed<T>(name: string, run: () => T): T {
  const start = performance.now()
  const result = run()
  console.log(`${name}: ${(performance.now() - start).toFixed(1)} ms`)
  return result
}
