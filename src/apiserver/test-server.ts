import type { Client } from '#client'
import { createClient } from '#client'
import { silentLogger } from '#base'
import type { Store } from '#store'
import { memoryStore } from '#store'
import { createApiServer } from './server.ts'
import type { ApiServer, ApiServerOptions } from './options.ts'
import type { UserInfo } from './authn/authenticator.ts'
import { conversions } from './registry/conversions/index.ts'
import { strategies } from './registry/strategies/index.ts'

/** An API server on a free port over a memory store, for tests: `admintoken` may do everything. */
export interface TestServer extends AsyncDisposable {
  server: ApiServer
  store: Store
  /** In process, as an administrator. */
  client: Client
  url: string
}

export const admin: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] }

export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const store = options.store ?? memoryStore()
  const server = createApiServer({
    store,
    strategies,
    conversions,
    authenticators: [{ authenticate: ({ bearerToken }) => Promise.resolve(bearerToken === 'admintoken' ? admin : 'invalid') }],
    authorizers: [{ authorize: () => ({ decision: 'allow', reason: '' }) }],
    admission: [],
    tls: { ...testTls, clientCa: testTls.cert },
    port: 0,
    log: silentLogger,
    freeze: true,
    ...options,
  })
  await server.start()
  return {
    server,
    store,
    client: createClient(server.transport(admin)),
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** A self-signed certificate for 127.0.0.1 that is good for tests alone: its key is no secret. It is its own client CA. */
export const testTls = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUZeTXUnTroei6+GNDZwSyGomzsgAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJazh0cyB0ZXN0MCAXDTI2MTEyMzA1MDQzMVoYDzIxMjYxMDMw
MDUwNDMxWjAUMRIwEAYDVQQDDAlrOHRzIHRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATWGjvQvKHlHO2kITZF0hO6Wy/D8IDVTG9aGuQcFQo/2de6u6vR1kqx
cE1mDV1H4vNjBNOe59o6ZOJykZ88BasQo28wbTAdBgNVHQ4EFgQUc5fumfzaWCEl
dLUZ6pczONEzWfEwHwYDVR0jBBgwFoAUc5fumfzaWCEldLUZ6pczONEzWfEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSQAwRgIhALYaaG4W+PA30esMxLk3sKnTOYP+j1EVwhy1QBBxxGZiAiEA
s69kq8yECx1vK7ULtD6me/yokrqMrcBvPYHzbsR5s30=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQCZ0pxi08H/rU5OL
n85ZQuctdhhejQj4abc4i6/qXdGhRANCAATWGjvQvKHlHO2kITZF0hO6Wy/D8IDV
TG9aGuQcFQo/2de6u6vR1kqxcE1mDV1H4vNjBNOe59o6ZOJykZ88BasQ
-----END PRIVATE KEY-----
`,
}
