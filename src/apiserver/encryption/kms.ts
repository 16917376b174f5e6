import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServiceError } from '@grpc/grpc-js'
import { Client, credentials } from '@grpc/grpc-js'
import type { Type } from 'protobufjs'
import protobuf from 'protobufjs'
import type { Clock } from '#base'
import { openGcm, opened, sealGcm } from './aes.ts'
import type { Decrypted, Transformer } from './transformer.ts'
import { EncryptionError } from './transformer.ts'

export interface KmsOptions {
  name: string
  /** `unix:///path`. */
  endpoint: string
  /** Milliseconds that a call may take. */
  timeout: number
  clock: Clock
}

export interface Kms extends Transformer {
  /** Rejects when the plugin does not say that it is well. */
  check(): Promise<void>
  close(): void
}

// Upstream's times, milliseconds.
/** How long a status is good for: a key that was rotated is found out within this. */
const statusAge = 60_000
/** For how long values are still written with the seed at hand when the plugin does not answer any more. */
const grace = 3 * 60_000
/** How long a health check believes the last answer, a good and a bad one: a plugin that is away is not asked by every write and every probe. */
const healthyAge = 20_000
const unhealthyAge = 3000
const infoSize = 32
/** Seeds that were opened are kept: without them every read would ask the plugin. */
const seedsKept = 1000

type Message = Record<string, any>

/**
 * KMS v2 (KEP-3299): a plugin behind a socket keeps the key; it encrypts a random seed, from which every value gets a key of its own (HKDF), so that the plugin
 * is asked once a seed, not once a value. When the plugin's key changes there is a new seed, and what was written before is stale.
 */
export function kmsV2({ name, endpoint, timeout, clock }: KmsOptions): Kms {
  const client = new Client(endpoint, credentials.createInsecure(), { 'grpc.max_reconnect_backoff_ms': 1000 })
  let current: { seed: Buffer; keyId: string; encrypted: Uint8Array; annotations: Message } | undefined
  let status: { keyId: string; at: number } | undefined
  let failure: { error: Error; at: number } | undefined
  let asking: Promise<string> | undefined
  let preparing: Promise<NonNullable<typeof current>> | undefined
  const seeds = new Map<string, Buffer>()

  function call(method: 'Status' | 'Encrypt' | 'Decrypt', request: Message): Promise<Message> {
    const { requestType, responseType } = types(method)
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/v2.KeyManagementService/${method}`,
        (message: Message) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
        (bytes: Buffer) => responseType.toObject(responseType.decode(bytes), { defaults: true, objects: true }),
        request,
        { deadline: Date.now() + timeout },
        (error: ServiceError | null, answer?: Message) =>
          error
            ? reject(new EncryptionError(`the KMS plugin ${name} does not answer ${method}: ${error.details}`, { cause: error }))
            : resolve(answer!),
      )
    })
  }

  const isYounger = (at: number, age: number) => clock.monotonic() - at < age

  /** Asks for the plugin's status; all who want it at a time share one call, and for a little while its failure. */
  function ask(): Promise<string> {
    if (failure && isYounger(failure.at, unhealthyAge)) return Promise.reject(failure.error)
    asking ??= statusOf()
      .then(
        (id) => {
          failure = undefined
          status = { keyId: id, at: clock.monotonic() }
          return id
        },
        (error: unknown) => {
          failure = { error: error as Error, at: clock.monotonic() }
          throw error
        },
      )
      .finally(() => (asking = undefined))
    return asking
  }

  async function statusOf(): Promise<string> {
    const answer = await call('Status', {})
    if (answer['healthz'] !== 'ok') throw new EncryptionError(`the KMS plugin ${name} says ${JSON.stringify(answer['healthz'])}`)
    if (!String(answer['version']).startsWith('v2'))
      throw new EncryptionError(`the KMS plugin ${name} speaks ${JSON.stringify(answer['version'])}, not v2`)
    if (!answer['keyId']) throw new EncryptionError(`the KMS plugin ${name} names no key`)
    return answer['keyId'] as string
  }

  async function keyId(): Promise<string> {
    if (status && isYounger(status.at, statusAge)) return status.keyId
    try {
      return await ask()
    } catch (error) {
      if (status && current?.keyId === status.keyId && isYounger(status.at, grace)) return status.keyId
      throw error
    }
  }

  /** The seed that values are written with, made anew when the plugin's key is another one. */
  async function seedNow(): Promise<NonNullable<typeof current>> {
    const id = await keyId()
    if (current?.keyId === id) return current
    preparing ??= (async () => {
      const seed = randomBytes(32)
      const answer = await call('Encrypt', { plaintext: seed, uid: randomUUID() })
      current = { seed, keyId: answer['keyId'], encrypted: answer['ciphertext'], annotations: answer['annotations'] ?? {} }
      // the plugin may have moved on since it told its status
      status = { keyId: current.keyId, at: clock.monotonic() }
      remember(current.encrypted, seed)
      return current
    })().finally(() => (preparing = undefined))
    return preparing
  }

  const seedName = (encrypted: Uint8Array) => createHash('sha256').update(encrypted).digest('base64')
  function remember(encrypted: Uint8Array, seed: Buffer): void {
    if (seeds.size >= seedsKept) seeds.delete(seeds.keys().next().value!)
    seeds.set(seedName(encrypted), seed)
  }

  const envelope = types('Encrypt').root.lookupType('v2.EncryptedObject')

  return {
    prefix: `k8s:enc:kms:v2:${name}:`,
    async encrypt(plain, context) {
      const { seed, keyId: id, encrypted, annotations } = await seedNow()
      const info = randomBytes(infoSize)
      const encryptedData = Buffer.concat([info, sealGcm(derivedKey(seed, info), plain, context)])
      return envelope.encode({ encryptedData, keyID: id, encryptedDEKSource: encrypted, annotations, encryptedDEKSourceType: 1 }).finish()
    },
    decrypt(bytes, context) {
      let object: Message
      try {
        object = envelope.toObject(envelope.decode(bytes), { defaults: true, objects: true })
      } catch (error) {
        throw new EncryptionError('the value is no envelope of KMS v2', { cause: error })
      }
      const open = (seed: Buffer): Decrypted => {
        const data = object['encryptedData'] as Buffer
        const key = object['encryptedDEKSourceType'] === 1 ? derivedKey(seed, data.subarray(0, infoSize)) : seed
        const { plain } = opened(() => ({ plain: openGcm(key, object['encryptedDEKSourceType'] === 1 ? data.subarray(infoSize) : data, context) }))
        return { plain, stale: status !== undefined && object['keyID'] !== status.keyId }
      }
      const known = seeds.get(seedName(object['encryptedDEKSource']))
      if (known) return open(known)
      return (async () => {
        const answer = await call('Decrypt', {
          ciphertext: object['encryptedDEKSource'],
          uid: randomUUID(),
          keyId: object['keyID'],
          annotations: object['annotations'],
        })
        const seed = Buffer.from(answer['plaintext'])
        remember(object['encryptedDEKSource'], seed)
        await keyId().catch(() => {})
        return open(seed)
      })()
    },
    async check() {
      if (failure || !status || !isYounger(status.at, healthyAge)) await ask()
    },
    close: () => client.close(),
  }
}

/** HKDF-Expand with SHA-256 (RFC 5869) to 32 bytes. */
function derivedKey(seed: Buffer, info: Uint8Array): Buffer {
  return createHmac('sha256', seed)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
}

let root: protobuf.Root | undefined
function types(method: string): { requestType: Type; responseType: Type; root: protobuf.Root } {
  root ??= protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL('./facts/kms.v2.json', import.meta.url), 'utf8')) as protobuf.INamespace)
  return { requestType: root.lookupType(`v2.${method}Request`), responseType: root.lookupType(`v2.${method}Response`), root }
}
