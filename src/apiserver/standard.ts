import type { authentication, authorization, core } from '#api'
import { formatTime } from '#api'
import type { Clock, Logger } from '#base'
import { realClock } from '#base'
import type { Client } from '#client'
import { createClient } from '#client'
import type { Store } from '#store'
import { checkPluginNames, defaultAdmission, policyMetrics, runAdmission } from './admission/index.ts'
import type { AdmissionConfiguration, AdmissionPlugin } from './admission/index.ts'
import type { Auditor } from './audit/index.ts'
import type { Authenticator, TokenKeys, UserInfo } from './authn/index.ts'
import {
  bootstrapTokens,
  createToken,
  openIdDocuments,
  requestAuthenticator,
  reviewSelf,
  reviewToken,
  serviceAccountTokens,
  parseTokenFile,
  staticTokens,
  tokenKeys,
  unionTokens,
} from './authn/index.ts'
import type { Authorizer } from './authz/index.ts'
import {
  bootstrapRules,
  mastersAuthorizer,
  nodeAuthorizer,
  nodeGraph,
  rbacAuthorizer,
  reviewAccess,
  reviewLocalAccess,
  reviewSelfAccess,
  reviewSelfRules,
  unionAuthorizer,
} from './authz/index.ts'
import { flowControl, followFlowObjects } from './flowcontrol/index.ts'
import { openapiHandler } from './openapi/index.ts'
import type { ApiServer, ApiServerOptions, DocumentHandler, ExtensionGroup, HealthCheck, SubresourceHandler, VirtualHandler } from './options.ts'
import type { TlsClient } from './proxying/index.ts'
import { proxyingHandlers } from './proxying/index.ts'
import { defaultServiceCidr, ensureDefaultCidr, serviceAllocator, withServiceAllocation } from './registry/allocation/index.ts'
import { conversions } from './registry/conversions/index.ts'
import { strategies } from './registry/strategies/index.ts'
import { createApiServer } from './server.ts'
import type { Tracing } from './tracing/index.ts'

export interface StandardApiServerOptions {
  store: Store
  port: number
  /** Addresses to listen on; 127.0.0.1 when absent. */
  addresses?: readonly string[]
  tls: { cert: string; key: string; clientCa: string }
  /** PEM keys that sign and verify service-account tokens, and the issuer in them. */
  serviceAccounts: { privateKey: string; publicKeys?: string[]; issuer: string }
  /** How kubelets are reached. */
  kubelet: TlsClient
  /** Range of service addresses. */
  serviceCidr: string
  /** Tokens with a user each, as in upstream's `--token-auth-file`. */
  staticTokens?: string
  extensions?: readonly ExtensionGroup[]
  readiness?: readonly HealthCheck[]
  /** Further paths that are about no resource. */
  paths?: ApiServerOptions['paths']
  /** How long the server goes on serving when it is asked to stop, milliseconds; 0 when absent. */
  shutdownDelay?: number
  /** Which admission plugins are on beside the default ones, which are not, and what they are told. Throws Error for names that there are not. */
  admission?: { enable?: readonly string[]; disable?: readonly string[]; configuration?: AdmissionConfiguration }
  /** What `/metrics` shows beside the server's own. */
  metrics?: ApiServerOptions['metrics']
  /** Traces requests; disposed with the server. */
  tracing?: Tracing
  /** Records requests; disposed with the server. */
  audit?: Auditor
  /** Answer as this release where clients look at it. */
  compat?: '1.20'
  clock?: Clock
  log: Logger
}

export interface StandardApiServer extends ApiServer {
  keys: TokenKeys
  /** In process, as this user. */
  client(user: UserInfo, userAgent: string): Client
}

/** May do everything; what the server does on its own behalf. */
export const loopbackUser: UserInfo = { username: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** The API server with all that belongs to it: certificates and tokens, node and RBAC authorization, admission, strategies, proxying, documents. */
export function standardApiServer(options: StandardApiServerOptions): StandardApiServer {
  const { store, log, clock = realClock } = options
  const { issuer } = options.serviceAccounts
  const keys = tokenKeys(options.serviceAccounts)
  const documents: DocumentHandler[] = [openapi(versionOf(options.compat)), openId(keys, issuer)]

  const allocator = serviceAllocator({ store, reader: () => server.reader, clusterIPs: options.serviceCidr, clock, log: log.named('allocation') })

  // These look at what is stored, through the server that asks them: they are filled in once it is there, before it starts.
  const authenticators: Authenticator[] = []
  const authorizers: Authorizer[] = []
  const admission: AdmissionPlugin[] = []
  const virtual: Record<string, VirtualHandler> = {}
  const subresources: Record<string, SubresourceHandler> = proxyingHandlers({ kubelet: options.kubelet })

  const flow = flowControl({ clock })
  const ofPolicies = policyMetrics()
  let following = false
  const server = createApiServer({
    store,
    flow,
    strategies: withServiceAllocation(strategies, allocator),
    conversions,
    authenticators,
    authorizers,
    admission,
    virtual,
    subresources,
    documents,
    extensions: options.extensions ?? [],
    readiness: [
      ...[
        'poststarthook/generic-apiserver-start-informers',
        'poststarthook/priority-and-fairness-config-consumer',
        'poststarthook/priority-and-fairness-filter',
      ].map((name) => ({
        name,
        check() {
          if (!following) throw new Error('not finished')
        },
      })),
      ...(options.readiness ?? []),
    ],
    paths: options.paths ?? {},
    metrics: [ofPolicies, ...(options.metrics ?? [])],
    tls: options.tls,
    port: options.port,
    ...(options.addresses ? { addresses: options.addresses } : {}),
    ...(options.tracing ? { tracing: options.tracing } : {}),
    ...(options.audit ? { audit: options.audit } : {}),
    ...(options.shutdownDelay === undefined ? {} : { shutdownDelay: options.shutdownDelay }),
    clock,
    log,
    version: versionOf(options.compat),
  })
  const { reader } = server
  const start = server.start.bind(server)
  const dispose = server[Symbol.asyncDispose].bind(server)
  const client = (user: UserInfo, userAgent: string) => createClient(server.transport(user), { userAgent })

  const tokens = unionTokens([
    ...(options.staticTokens ? [staticTokens(parseTokenFile(options.staticTokens), [issuer])] : []),
    serviceAccountTokens({ keys, issuer, reader, clock }),
    bootstrapTokens({ reader, clock, audiences: [issuer] }),
  ])
  authenticators.push(requestAuthenticator({ tokens }))

  const rbac = rbacAuthorizer(reader)
  authorizers.push(mastersAuthorizer, nodeAuthorizer({ reader, graph: nodeGraph(reader), rules: bootstrapRules('system:node') }), rbac)
  const authorizer = unionAuthorizer([...authorizers])
  checkPluginNames(options.admission?.enable ?? [], options.admission?.disable ?? [])
  admission.push(
    ...defaultAdmission({
      reader,
      authorizer,
      rules: rbac,
      client: () => client(loopbackUser, 'kube-apiserver'),
      clock,
      policyMetrics: ofPolicies,
      ...options.admission,
    }),
  )

  virtual['authentication.k8s.io/tokenreviews'] = (object) => reviewToken({ tokens, apiAudiences: [issuer] }, object as authentication.TokenReview)
  virtual['authentication.k8s.io/selfsubjectreviews'] = (object, info) => reviewSelf(info.user, object as authentication.SelfSubjectReview)
  virtual['authorization.k8s.io/subjectaccessreviews'] = (object) => reviewAccess(authorizer, object as authorization.SubjectAccessReview)
  virtual['authorization.k8s.io/localsubjectaccessreviews'] = (object, info) =>
    reviewLocalAccess(authorizer, info.resource!.namespace, object as authorization.LocalSubjectAccessReview)
  virtual['authorization.k8s.io/selfsubjectaccessreviews'] = (object, info) =>
    reviewSelfAccess(authorizer, info.user, object as authorization.SelfSubjectAccessReview)
  virtual['authorization.k8s.io/selfsubjectrulesreviews'] = (object, info) =>
    reviewSelfRules(rbac, info.user, object as authorization.SelfSubjectRulesReview)

  subresources['serviceaccounts/token'] = {
    async handle(_request, info, context) {
      const { namespace, name } = info.resource!
      const request = context.decode(tokenRequest) as authentication.TokenRequest
      await runAdmission(admission, {
        operation: 'CREATE',
        context: { request: info, now: formatTime(clock.now()), dryRun: false },
        kind: tokenRequest,
        object: request,
      })
      const answer = createToken({ keys, issuer, reader, clock }, namespace, name, request)
      return { status: 201, headers: { 'content-type': 'application/json' }, body: { bytes: Buffer.from(JSON.stringify(answer)) } }
    },
  }
  const ranges = { cidrs: [options.serviceCidr], clock, log: log.named('allocation') }
  // a server that cannot write (its disk is full) serves all the same
  const ensureRange = () =>
    ensureDefaultCidr({ ...ranges, client: client(loopbackUser, 'kube-apiserver') }).catch((error: unknown) =>
      log.warn('cannot make the default ServiceCIDR', { error }),
    )
  const repair = async () => {
    await allocator.repair(() => reader.list<core.Service>('', 'services'))
    await ensureRange()
  }
  const stopping = new AbortController()
  return Object.assign(server, {
    keys,
    client,
    start: async () => {
      await start()
      followFlowObjects(
        { control: flow, reader, client: client(loopbackUser, 'kube-apiserver'), clock, log: log.named('flowcontrol') },
        stopping.signal,
      )
      following = true
      await repair()
      // whoever deletes it gets it anew
      const stopFollowing = reader.onChange('networking.k8s.io', 'servicecidrs', ({ type, object }) => {
        if (type === 'deleted' && object.metadata.name === defaultServiceCidr) void clock.sleep(0, stopping.signal).then(ensureRange, () => {})
      })
      stopping.signal.addEventListener('abort', stopFollowing, { once: true })
      void repeatedly(repair, clock, log, stopping.signal)
    },
    [Symbol.asyncDispose]: () => {
      stopping.abort()
      return dispose()
    },
  })
}

const tokenRequest = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }

/** The release that clients see: that of the API facts, or the one asked for. */
function versionOf(compat: '1.20' | undefined) {
  return compat === '1.20' ? { major: '1', minor: '20', gitVersion: 'v1.20.2' } : { major: '1', minor: '36', gitVersion: 'v1.36.0' }
}

function openapi({ gitVersion }: { gitVersion: string }): DocumentHandler {
  const custom: [] = []
  return (path, accept, _extensions, request) => openapiHandler(path, accept, custom, { gitVersion, ...request })
}

/** By these, others verify our tokens. */
function openId(keys: TokenKeys, issuer: string): DocumentHandler {
  const jwksPath = '/openid/v1/jwks'
  const { configuration, keySet } = openIdDocuments(keys, { issuer, jwksUri: `${issuer}${jwksPath}` })
  const answer = (value: object, type: string) => ({
    status: 200,
    headers: { 'content-type': type, 'cache-control': 'public, max-age=3600' },
    bytes: Buffer.from(JSON.stringify(value)),
  })
  return (path) => {
    if (path === '/.well-known/openid-configuration') return answer(configuration, 'application/json')
    return path === jwksPath ? answer(keySet, 'application/jwk-set+json') : undefined
  }
}

/** Milliseconds between repairs of allocations, as upstream's repair loop. */
const repairEvery = 3 * 60_000

async function repeatedly(repair: () => Promise<void>, clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(repairEvery, signal).catch(() => {})
    if (signal.aborted) return
    await repair().catch((error: unknown) => log.warn('cannot repair service allocations', { error }))
  }
}
