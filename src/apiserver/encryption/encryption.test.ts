import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import type { core } from '#api'
import { resources } from '#api'
import { manualClock, realClock } from '#base'
import type { Store } from '#store'
import { memoryStore } from '#store'
import { startTestServer } from '../test-server.ts'
import { parseEncryptionConfig } from './config.ts'
import { encryptedStore } from './encrypted-store.ts'

const base64 = (size: number) => randomBytes(size).toString('base64')
const config = (providers: object[], of = ['secrets']) =>
  JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources: [{ resources: of, providers }] })
const keyed = (provider: string, name: string, secret: string) => ({ [provider]: { keys: [{ name, secret }] } })
const plain = Buffer.from('{"kind":"Secret","data":{"password":"c2VjcmV0"}}')
const key = '/registry/core/secrets/default/a'
const over = async (store: Store, providers: object[], of?: string[]) =>
  encryptedStore(store, await parseEncryptionConfig(config(providers, of), realClock))
const stored = async (store: Store) => Buffer.from((await store.get(key))!.value)

describe('providers', () => {
  for (const [name, size] of [
    ['aescbc', 32],
    ['aesgcm', 16],
    ['secretbox', 32],
  ] as const)
    test(`${name}: what is stored shows nothing, what is read is what was written`, async () => {
      await using inner = memoryStore()
      const store = await over(inner, [keyed(name, 'key1', base64(size)), { identity: {} }])
      await store.create(key, plain)
      const bytes = await stored(inner)
      assert.ok(bytes.toString('latin1').startsWith(`k8s:enc:${name}:v1:key1:`))
      assert.ok(!bytes.includes('password'))
      assert.deepEqual(Buffer.from((await store.get(key))!.value), plain)
      assert.deepEqual(Buffer.from((await store.list('/registry/')).items[0]!.value), plain)
      const conflict = await store.create(key, plain)
      assert.deepEqual(Buffer.from(conflict.ok ? [] : conflict.current!.value), plain)
    })

  test('aescbc is that of Kubernetes: vector and padded ciphertext behind the prefix', async () => {
    await using inner = memoryStore()
    const secret = randomBytes(32)
    const iv = randomBytes(16)
    const cipher = createCipheriv('aes-256-cbc', secret, iv)
    await inner.create(key, Buffer.concat([Buffer.from('k8s:enc:aescbc:v1:k:'), iv, cipher.update(plain), cipher.final()]))
    const store = await over(inner, [keyed('aescbc', 'k', secret.toString('base64'))])
    assert.deepEqual(Buffer.from((await store.get(key))!.value), plain)
  })

  test('a ciphertext that is copied to another key is not read there', async () => {
    await using inner = memoryStore()
    const store = await over(inner, [keyed('aesgcm', 'k', base64(32))])
    await store.create(key, plain)
    await inner.create('/registry/core/secrets/other/b', await stored(inner))
    await assert.rejects(store.get('/registry/core/secrets/other/b'), /secrets\/other\/b cannot be read/)
  })

  test('another key, a damaged value and a missing provider are errors that name the key', async () => {
    await using inner = memoryStore()
    await (await over(inner, [keyed('aesgcm', 'k', base64(32))])).create(key, plain)
    const read = async (providers: object[], of?: string[]) => (await over(inner, providers, of)).get(key)
    await assert.rejects(read([keyed('aesgcm', 'k', base64(32))]), /secrets\/default\/a cannot be read: the value does not open/)
    await assert.rejects(read([keyed('aescbc', 'k', base64(32))]), /no provider has its key aesgcm:v1:k/)
    await assert.rejects(read([{ identity: {} }], ['configmaps']), /is encrypted, and no rule/)
  })

  test('other resources stay plain', async () => {
    await using inner = memoryStore()
    const store = await over(inner, [keyed('aesgcm', 'k', base64(32))], ['secrets', '*.apps'])
    await store.create('/registry/core/configmaps/default/a', plain)
    await store.create('/registry/apps/deployments/default/a', plain)
    const kept = (await inner.list('/registry/')).items.map((item) => Buffer.from(item.value).toString('latin1').slice(0, 8))
    assert.deepEqual(kept, ['k8s:enc:', '{"kind":'])
  })
})

test('a key is rotated by writing everything again', async () => {
  await using inner = memoryStore()
  const [one, two] = [keyed('aescbc', 'one', base64(32)), keyed('aescbc', 'two', base64(32))]
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'default' }, stringData: { password: 'x' } } as core.Secret
  const serve = async (providers: object[]) => startTestServer({ store: keepOpen(await over(inner, providers)) })
  {
    await using server = await serve([{ identity: {} }])
    await server.client.resource<core.Secret>(resources.secrets).create(secret)
    assert.equal((await stored(inner))[0], 0x7b)
  }
  for (const [providers, prefix] of [
    [[one, { identity: {} }], 'k8s:enc:aescbc:v1:one:'],
    [[two, one], 'k8s:enc:aescbc:v1:two:'],
    [[two], 'k8s:enc:aescbc:v1:two:'],
  ] as const) {
    await using server = await serve([...providers])
    const secrets = server.client.resource<core.Secret>(resources.secrets)
    const read = await secrets.get('a', 'default')
    assert.equal(read.data!['password'], 'eA==')
    // kubectl get -o json | kubectl replace -f -
    await secrets.update(structuredClone(read) as core.Secret)
    assert.ok((await stored(inner)).toString('latin1').startsWith(prefix), prefix)
  }
  const before = (await inner.get(key))!.modRevision
  await using server = await serve([two])
  const secrets = server.client.resource<core.Secret>(resources.secrets)
  await secrets.update(structuredClone(await secrets.get('a', 'default')) as core.Secret)
  assert.equal((await inner.get(key))!.modRevision, before, 'what is up to date is not written again')
})

/** The server closes its store; the test goes on with it. */
const keepOpen = (store: Store): Store => ({ ...store, async [Symbol.asyncDispose]() {} })

test('KMS v2: the plugin is asked once a seed, and its new key makes old values stale', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'k8ts-kms-'))
  const plugin = await fakeKms(join(directory, 'kms.sock'))
  const clock = manualClock()
  await using inner = memoryStore()
  const rules = await parseEncryptionConfig(config([{ kms: { apiVersion: 'v2', name: 'vault', endpoint: `unix://${directory}/kms.sock` } }]), clock)
  const store = encryptedStore(inner, rules)
  try {
    await rules.kms[0]!.check()
    for (let i = 0; i < 20; i++) await store.create(`${key}-${i}`, plain)
    await store.create(key, plain)
    assert.equal(plugin.calls['Encrypt'], 1)
    assert.ok((await stored(inner)).toString('latin1').startsWith('k8s:enc:kms:v2:vault:'))
    assert.deepEqual(Buffer.from((await store.get(key))!.value), plain)
    assert.equal(plugin.calls['Decrypt'] ?? 0, 0)
    const after = encryptedStore(
      keepOpen(inner),
      await parseEncryptionConfig(config([{ kms: { apiVersion: 'v2', name: 'vault', endpoint: `unix://${directory}/kms.sock` } }]), clock),
    )
    assert.equal((await after.list('/registry/')).items.length, 21)
    assert.ok(plugin.calls['Decrypt']! >= 1)
    await after[Symbol.asyncDispose]()
    plugin.keyId = 'second'
    await clock.advance(61_000)
    await store.create(`${key}-new`, plain)
    assert.equal(plugin.calls['Encrypt'], 2)
    assert.equal((await store.get(key))!.stale, true)
    assert.equal((await store.get(`${key}-new`))!.stale, undefined)
    plugin.healthz = 'sealed'
    await clock.advance(61_000)
    await assert.rejects(rules.kms[0]!.check(), /says "sealed"/)
  } finally {
    plugin.stop()
    await store[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  }
})

test('KMS v2: a plugin that goes away stops no reads, and no writes for three minutes; when it is back all goes on', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'k8ts-kms-'))
  const socket = join(directory, 'kms.sock')
  let plugin = await fakeKms(socket)
  const clock = manualClock()
  await using inner = memoryStore()
  const rules = await parseEncryptionConfig(
    config([{ kms: { apiVersion: 'v2', name: 'vault', endpoint: `unix://${socket}`, timeout: '500ms' } }]),
    clock,
  )
  const store = encryptedStore(inner, rules)
  const [kms] = rules.kms
  try {
    await store.create(key, plain)
    await kms!.check()
    const asked = plugin.calls['Status']
    await kms!.check()
    assert.equal(plugin.calls['Status'], asked, 'a good answer is believed for a while')
    plugin.stop()
    await clock.advance(21_000)
    await assert.rejects(kms!.check(), /does not answer Status/)
    await clock.advance(60_000)
    await store.create(`${key}-later`, plain)
    assert.deepEqual(Buffer.from((await store.get(`${key}-later`))!.value), plain)
    await clock.advance(120_000)
    await assert.rejects(store.create(`${key}-too-late`, plain), /does not answer Status/)
    assert.deepEqual(Buffer.from((await store.get(key))!.value), plain)
    plugin = await fakeKms(socket)
    // the failure is believed for a moment, and the connection is made anew within seconds
    for (let tries = 0; ; tries++)
      try {
        await clock.advance(4000)
        await kms!.check()
        break
      } catch (error) {
        if (tries > 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    await store.create(`${key}-again`, plain)
    assert.equal((await store.list('/registry/')).items.length, 3)
  } finally {
    plugin.stop()
    await store[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  }
})

/** A plugin that "encrypts" by turning bytes around. */
async function fakeKms(socket: string) {
  const root = protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL('./facts/kms.v2.json', import.meta.url), 'utf8')) as protobuf.INamespace)
  const state = { keyId: 'first', healthz: 'ok', calls: {} as Record<string, number>, stop: () => server.forceShutdown() }
  const turned = (bytes: Uint8Array) => Buffer.from(bytes.map((byte) => byte ^ 0xff))
  const answers: Record<string, (request: any) => object> = {
    Status: () => ({ version: 'v2', healthz: state.healthz, keyId: state.keyId }),
    Encrypt: ({ plaintext }) => ({ ciphertext: turned(plaintext), keyId: state.keyId, annotations: { 'a.b': Buffer.from('c') } }),
    Decrypt: ({ ciphertext }) => ({ plaintext: turned(ciphertext) }),
  }
  const server = new Server()
  const methods = Object.keys(answers).map((name) => {
    const [request, response] = [root.lookupType(`v2.${name}Request`), root.lookupType(`v2.${name}Response`)]
    const definition = {
      path: `/v2.KeyManagementService/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: object) => Buffer.from(request.encode(value).finish()),
      requestDeserialize: (bytes: Buffer) => request.decode(bytes),
      responseSerialize: (value: object) => Buffer.from(response.encode(response.fromObject(value)).finish()),
      responseDeserialize: (bytes: Buffer) => response.decode(bytes),
    }
    const handle = (call: { request: object }, done: (error: null, value: object) => void) => {
      state.calls[name] = (state.calls[name] ?? 0) + 1
      done(null, answers[name]!(call.request))
    }
    return [name, definition, handle] as const
  })
  server.addService(
    Object.fromEntries(methods.map(([name, definition]) => [name, definition])),
    Object.fromEntries(methods.map(([name, , handle]) => [name, handle])) as never,
  )
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
  )
  return state
}

const mistakes: [string, string, RegExp][] = [
  ['another kind', '{"kind":"X"}', /EncryptionConfiguration of apiserver.config.k8s.io\/v1 is expected/],
  ['no resources', JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration' }), /resources: a list/],
  ['an unknown provider', config([{ rot13: {} }]), /providers\[0\]: unknown provider "rot13"/],
  ['a short key', config([keyed('secretbox', 'k', base64(16))]), /keys\[0\]\.secret: 16 bytes, 32 are possible/],
  ['a key that is no base64', config([keyed('aescbc', 'k', 'a b')]), /secret: base64 is expected/],
  ['KMS v1', config([{ kms: { name: 'x', endpoint: 'unix:///x' } }]), /v1 is deprecated, use v2/],
  ['an endpoint that is no socket', config([{ kms: { apiVersion: 'v2', name: 'x', endpoint: 'https://x' } }]), /unix:\/\/\/PATH/],
  ['a bare star', config([{ identity: {} }], ['*']), /"\*" is no resource/],
]
for (const [name, text, message] of mistakes)
  test(`a configuration with ${name} is refused`, () => assert.rejects(parseEncryptionConfig(text, realClock), message))
