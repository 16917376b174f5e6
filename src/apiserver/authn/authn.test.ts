import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { isStatus } from '#api'
import type { authentication } from '#api'
import { manualClock } from '#base'
import { memoryReader } from '../memory-reader.ts'
import { bootstrapTokens } from './bootstrap-tokens.ts'
import { requestAuthenticator } from './request-authenticator.ts'
import { reviewToken } from './reviews.ts'
import { serviceAccountTokens } from './service-account.ts'
import { parseTokenFile, staticTokens } from './static-tokens.ts'
import { unionTokens } from './token-authenticator.ts'
import { createToken, podTokenExpirationSeconds } from './token-request.ts'
import { legacyClaims, openIdDocuments, tokenKeys } from './tokens.ts'

const issuer = 'https://kubernetes.default.svc.cluster.local'
const pem = (type: 'rsa' | 'ec') =>
  (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string
const rsa = pem('rsa')

function scene(key = rsa) {
  const reader = memoryReader()
  const clock = manualClock()
  const keys = tokenKeys({ privateKey: key })
  const users = parseTokenFile('admintoken,admin,admin-uid,"system:masters,dev"\nplain,joe,joe-uid\n')
  const tokens = unionTokens([
    staticTokens(users, [issuer]),
    serviceAccountTokens({ keys, issuer, reader, clock }),
    bootstrapTokens({ reader, clock, audiences: [issuer] }),
  ])
  reader.set('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'sa', uid: 'sa-uid' } })
  reader.set('', 'nodes', { metadata: { name: 'n1', uid: 'node-uid' } })
  reader.set('', 'pods', { metadata: { namespace: 'ns', name: 'pod', uid: 'pod-uid' }, spec: { serviceAccountName: 'sa', nodeName: 'n1' } })
  const request = (spec: authentication.TokenRequestSpec) =>
    createToken({ keys, issuer, reader, clock }, 'ns', 'sa', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {} as never,
      spec,
    })
  return { reader, clock, keys, tokens, request, authenticator: requestAuthenticator({ tokens }) }
}

const boundPod = { apiVersion: 'v1', kind: 'Pod', name: 'pod' }
const accountGroups = ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated']

test('a token request agrees with its path', () => {
  const { reader, clock, keys } = scene()
  const ask = (metadata: object) => () =>
    createToken({ keys, issuer, reader, clock }, 'ns', 'sa', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: metadata as never,
      spec: { audiences: [] },
    })
  const rows: [metadata: object, problem: RegExp][] = [
    [
      { name: 'other' },
      /^TokenRequest\.authentication\.k8s\.io "sa" is invalid: metadata\.name: Invalid value: "other": must match the service account name if specified$/,
    ],
    [{ namespace: 'other' }, /"sa" is invalid: metadata\.namespace: Invalid value: "other": must match the service account namespace if specified$/],
    [{ uid: 'other' }, /the UID in the token request \(other\) does not match the UID of the service account \(/],
  ]
  for (const [metadata, message] of rows) assert.throws(ask(metadata), { message })
  ask({ name: 'sa', namespace: 'ns' })()
})

test('a client certificate names its user and groups', async () => {
  const { authenticator } = scene()
  const certificate = { commonName: 'jane', organizations: ['dev'] }
  const user = await authenticator.authenticate({ certificate })
  assert.deepEqual(user, { username: 'jane', groups: ['dev', 'system:authenticated'] })
  assert.equal(await authenticator.authenticate({ certificate: { ...certificate } }), user, 'the same user object each time')
})

test('without credentials a request is anonymous, with an unknown token it is refused', async () => {
  const { authenticator, tokens } = scene()
  assert.deepEqual(await authenticator.authenticate({}), { username: 'system:anonymous', groups: ['system:unauthenticated'] })
  assert.equal(await authenticator.authenticate({ bearerToken: 'bogus' }), 'invalid')
  assert.equal(await requestAuthenticator({ tokens, anonymous: false }).authenticate({}), undefined)
})

test('a token file names users, uids and groups', async () => {
  const { authenticator } = scene()
  assert.deepEqual(await authenticator.authenticate({ bearerToken: 'admintoken' }), {
    username: 'admin',
    uid: 'admin-uid',
    groups: ['system:masters', 'dev', 'system:authenticated'],
  })
  assert.throws(() => parseTokenFile('a,b\n'), /line 1/)
})

for (const type of ['rsa', 'ec'] as const) {
  test(`a token signed with an ${type} key is the service account's user`, () => {
    const { authenticator, request } = scene(type === 'rsa' ? rsa : pem('ec'))
    const answer = request({ boundObjectRef: boundPod })
    const user = authenticator.authenticate({ bearerToken: answer.status!.token! })
    assert.ok(user && user !== 'invalid')
    const { ['authentication.kubernetes.io/credential-id']: id, ...extra } = user.extra!
    assert.match(id![0]!, /^JTI=/)
    assert.deepEqual(
      { ...user, extra },
      {
        username: 'system:serviceaccount:ns:sa',
        uid: 'sa-uid',
        groups: accountGroups,
        extra: {
          'authentication.kubernetes.io/node-name': ['n1'],
          'authentication.kubernetes.io/node-uid': ['node-uid'],
          'authentication.kubernetes.io/pod-name': ['pod'],
          'authentication.kubernetes.io/pod-uid': ['pod-uid'],
        },
      },
    )
  })
}

test('a token request gets the defaults, and a pod token the year that upstream gives it', () => {
  const { request, keys } = scene()
  const plain = request({})
  assert.deepEqual(plain.spec, { audiences: [issuer], expirationSeconds: 3600 })
  assert.equal(plain.status?.expirationTimestamp, '2026-01-01T01:00:00Z')
  const claims = keys.verify(plain.status!.token!)!
  assert.equal(claims.exp! - claims.iat!, 3600)
  const pod = keys.verify(request({ boundObjectRef: boundPod, expirationSeconds: podTokenExpirationSeconds }).status!.token!)!
  assert.equal(pod.exp! - pod.iat!, 365 * 24 * 3600)
  assert.equal(pod['kubernetes.io']?.warnafter, pod.iat! + podTokenExpirationSeconds)
})

const wrongRequests: [string, authentication.TokenRequestSpec, string, string][] = [
  [
    'a lifetime under ten minutes is invalid',
    { expirationSeconds: 5 },
    'Invalid',
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
  ],
  [
    'a lifetime over 2^32 seconds is invalid',
    { expirationSeconds: 2 ** 33 },
    'Invalid',
    'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than 2^32 seconds',
  ],
  [
    'a token is bound to pods, secrets and nodes only',
    { boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } },
    'BadRequest',
    'cannot bind token to object of type /v1, Kind=ConfigMap',
  ],
  ['the pod it is bound to must exist', { boundObjectRef: { ...boundPod, name: 'x' } }, 'NotFound', 'pods "x" not found'],
  [
    'the pod it is bound to must be the one meant',
    { boundObjectRef: { ...boundPod, uid: 'other' } },
    'Conflict',
    'Operation cannot be fulfilled on Pod "pod": the UID in the bound object reference (other) does not match the UID in record. The object might have been deleted and then recreated',
  ],
]
for (const [name, spec, reason, message] of wrongRequests) {
  test(`token request: ${name}`, () => {
    assert.throws(
      () => scene().request(spec),
      (error) => isStatus(error) && error.reason === reason && error.message === message,
    )
  })
}

test('a bound token ends with its time, its pod and its account', async () => {
  const { authenticator, request, reader, clock } = scene()
  const token = request({ boundObjectRef: boundPod }).status!.token!
  const plain = request({}).status!.token!
  const good = (bearerToken: string) => authenticator.authenticate({ bearerToken }) !== 'invalid'
  assert.ok(good(token) && good(plain))
  const pod = reader.get('', 'pods', 'ns', 'pod')!
  reader.set('', 'pods', { ...pod, metadata: { ...pod.metadata, uid: 'another' } })
  assert.ok(!good(token), 'another pod of the same name')
  reader.set('', 'pods', pod)
  assert.ok(good(token))
  reader.delete('', 'pods', 'ns', 'pod')
  assert.ok(!good(token), 'no pod')
  assert.ok(good(plain))
  await clock.advance(3700_000)
  assert.ok(!good(plain), 'too late')
  const fresh = request({}).status!.token!
  reader.set('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'sa', uid: 'reborn' } })
  assert.ok(!good(fresh), 'another account of the same name')
})

test('a token of another key, another issuer, or with an altered body is refused', () => {
  const { authenticator, request } = scene()
  const other = scene(pem('rsa')).request({}).status!.token!
  assert.equal(authenticator.authenticate({ bearerToken: other }), 'invalid')
  const [head, body, signature] = request({}).status!.token!.split('.')
  const claims = JSON.parse(Buffer.from(body!, 'base64url').toString())
  const forge = (alg: string, change: object, sign = signature) =>
    [
      Buffer.from(JSON.stringify({ alg })).toString('base64url'),
      Buffer.from(JSON.stringify({ ...claims, ...change })).toString('base64url'),
      sign,
    ].join('.')
  assert.equal(authenticator.authenticate({ bearerToken: forge('RS256', { sub: 'system:serviceaccount:kube-system:root' }) }), 'invalid')
  assert.equal(authenticator.authenticate({ bearerToken: forge('none', {}, '') }), 'invalid')
  assert.equal(authenticator.authenticate({ bearerToken: `${head}.${body}.` }), 'invalid')
})

test('the token of a token Secret is good while the secret holds it', () => {
  const { authenticator, reader, keys } = scene()
  const bearerToken = keys.sign(legacyClaims({ namespace: 'ns', serviceAccount: { name: 'sa', uid: 'sa-uid' }, secretName: 'sa-token' }))
  assert.equal(authenticator.authenticate({ bearerToken }), 'invalid')
  reader.set('', 'secrets', { metadata: { namespace: 'ns', name: 'sa-token' }, data: { token: Buffer.from(bearerToken).toString('base64') } })
  assert.deepEqual(authenticator.authenticate({ bearerToken }), { username: 'system:serviceaccount:ns:sa', uid: 'sa-uid', groups: accountGroups })
  reader.delete('', 'secrets', 'ns', 'sa-token')
  assert.equal(authenticator.authenticate({ bearerToken }), 'invalid')
})

test('a bootstrap token is good while its secret says so', async () => {
  const { authenticator, reader, clock } = scene()
  const encoded = (data: Record<string, string>) => Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Buffer.from(v).toString('base64')]))
  const data = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:workers,root',
    expiration: new Date(clock.now() + 1000).toISOString(),
  }
  reader.set('', 'secrets', {
    metadata: { namespace: 'kube-system', name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    data: encoded(data),
  })
  assert.deepEqual(authenticator.authenticate({ bearerToken: 'abcdef.0123456789abcdef' }), {
    username: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated'],
  })
  assert.equal(authenticator.authenticate({ bearerToken: 'abcdef.0123456789abcdex' }), 'invalid')
  await clock.advance(2000)
  assert.equal(authenticator.authenticate({ bearerToken: 'abcdef.0123456789abcdef' }), 'invalid')
})

test('a token review says who, for whom, or why not, as the reference does', () => {
  const { tokens, request } = scene()
  const review = (token: string, audiences?: string[]) =>
    reviewToken(
      { tokens, apiAudiences: [issuer] },
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {} as never, spec: { token, audiences } },
    ).status
  assert.deepEqual(review('bogus'), { user: {}, error: 'invalid bearer token' })
  assert.deepEqual(review('plain', ['x']), { user: {}, error: 'invalid bearer token' })
  assert.deepEqual(review('plain'), {
    authenticated: true,
    user: { username: 'joe', uid: 'joe-uid', groups: ['system:authenticated'] },
    audiences: [issuer],
  })
  const other = request({ audiences: ['other'] }).status!.token!
  assert.equal(review(other)?.error, `[invalid bearer token, token audiences ["other"] is invalid for the target audiences ["${issuer}"]]`)
  assert.deepEqual(review(other, ['other', 'b'])?.audiences, ['other'])
  assert.throws(() => review(''), /token is required for TokenReview in authentication/)
})

test('the discovery documents let others verify tokens', async () => {
  const { keys, request } = scene()
  const { configuration, keySet } = openIdDocuments(keys, { issuer, jwksUri: 'https://10.0.0.1:6443/openid/v1/jwks' })
  assert.deepEqual(configuration, {
    issuer,
    jwks_uri: 'https://10.0.0.1:6443/openid/v1/jwks',
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  })
  const { createLocalJWKSet, jwtVerify } = await import('jose')
  const verified = await jwtVerify(request({}).status!.token!, createLocalJWKSet(keySet as never), {
    issuer,
    currentDate: new Date('2026-01-01T00:10:00Z'),
  })
  assert.equal(verified.payload.sub, 'system:serviceaccount:ns:sa')
})
