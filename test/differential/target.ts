import { generateKeyPairSync } from 'node:crypto'
import { memoryStore } from '#store'
import { realClock, silentLogger } from '#base'
import { bootstrapObjects, loopbackUser, standardApiServer } from '#apiserver'
import { testTls } from '../../src/apiserver/test-server.ts'
import type { Release } from './recorded.ts'
import type { Target } from './send.ts'

/** The reference of a release: kube-apiserver 1.20, or the libraries of 1.36 as reference-1.36/ serves them. */
export const reference = (release: Release): Target => ({
  url: process.env['K8TS_REFERENCE'] ?? `https://127.0.0.1:${release === '1.20' ? 16443 : 17443}`,
  token: 'admintoken',
  [Symbol.asyncDispose]: () => Promise.resolve(),
})

/** Our API server over the memory store, composed and set up as in a cluster, and as old as the reference. */
export async function ours(release: Release): Promise<Target> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const store = memoryStore()
  const began = Date.now()
  const server = standardApiServer({
    store,
    port: 0,
    tls: { ...testTls, clientCa: testTls.cert },
    serviceAccounts: { privateKey, issuer: 'https://kubernetes.default.svc' },
    kubelet: { ...testTls, ca: testTls.cert },
    serviceCidr: '10.97.0.0/16',
    staticTokens: 'admintoken,admin,admin,system:masters',
    ...(release === '1.20' ? { compat: release } : {}),
    // who manages fields is told in the order of times: on a busy machine a second might pass between two requests
    clock: { ...realClock, now: () => began },
    log: silentLogger,
  })
  await server.start()
  await bootstrapObjects(server.client(loopbackUser, 'kube-apiserver'))
  return {
    url: server.url,
    token: 'admintoken',
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
