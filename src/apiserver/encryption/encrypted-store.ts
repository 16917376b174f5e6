import type { KeyValue, Store, StoreEvent, WatchBatch, WriteResult } from '#store'
import { registryPrefix } from '../registry/watch-cache.ts'
import type { EncryptionRules } from './config.ts'
import type { Decrypted, Transformer } from './transformer.ts'
import { EncryptionError } from './transformer.ts'

/** What every ciphertext begins with; a plain value is JSON. */
const mark = Buffer.from('k8s:enc:')

/**
 * A store whose values are encrypted by rules, over one that sees ciphertext alone. What no provider of a rule can read is an error that names the key, and nothing is
 * taken for empty; what another than the first provider wrote is `stale`, so that writing it again, even unchanged, encrypts it anew: that is how keys are rotated.
 */
export function encryptedStore(store: Store, { rules, kms }: EncryptionRules): Store {
  const known = new Map<string, readonly Transformer[] | undefined>()

  function providersOf(key: string): readonly Transformer[] | undefined {
    const slash = key.indexOf('/', registryPrefix.length)
    const end = key.indexOf('/', slash + 1)
    if (!key.startsWith(registryPrefix) || slash < 0 || end < 0) return undefined
    const kind = key.slice(registryPrefix.length, end)
    if (!known.has(kind)) {
      const group = key.slice(registryPrefix.length, slash)
      const resource = key.slice(slash + 1, end)
      known.set(kind, rules.find((rule) => rule.matches(group === 'core' ? '' : group, resource))?.providers)
    }
    return known.get(kind)
  }

  function encrypt(key: string, value: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const [first] = providersOf(key) ?? []
    if (!first?.prefix) return value
    const sealed = first.encrypt(value, key)
    const prefixed = (bytes: Uint8Array) => Buffer.concat([Buffer.from(first.prefix), bytes])
    return sealed instanceof Promise ? sealed.then(prefixed) : prefixed(sealed)
  }

  function decrypt(key: string, value: Uint8Array): Decrypted | Promise<Decrypted> {
    const providers = providersOf(key)
    const isCipher = mark.equals(value.subarray(0, mark.length))
    if (!providers) {
      if (isCipher) throw new EncryptionError(`${key} is encrypted, and no rule says how to read it`)
      return { plain: value }
    }
    const index = providers.findIndex(({ prefix }) =>
      isCipher ? prefix !== '' && Buffer.from(prefix).equals(value.subarray(0, Buffer.byteLength(prefix))) : prefix === '',
    )
    // a plain value is read where nothing was said of it: else encryption could not be begun
    if (index < 0 && !isCipher) return { plain: value, stale: true }
    if (index < 0)
      throw new EncryptionError(
        `${key} cannot be read: no provider has its key ${Buffer.from(value.subarray(0, 80)).toString('latin1').split(':').slice(2, 5).join(':')}`,
      )
    const provider = providers[index]!
    const finish = ({ plain, stale = false }: Decrypted): Decrypted => ({ plain, stale: stale || index > 0 })
    const failed = (error: unknown): never => {
      throw new EncryptionError(`${key} cannot be read: ${(error as Error).message}`, { cause: error })
    }
    try {
      const opened = provider.decrypt(value.subarray(Buffer.byteLength(provider.prefix)), key)
      return opened instanceof Promise ? opened.then(finish, failed) : finish(opened)
    } catch (error) {
      return failed(error)
    }
  }

  async function readable(item: KeyValue): Promise<KeyValue> {
    const decrypted = decrypt(item.key, item.value)
    const { plain, stale } = decrypted instanceof Promise ? await decrypted : decrypted
    return plain === item.value && !stale ? item : { ...item, value: plain, ...(stale ? { stale } : {}) }
  }

  async function result(write: Promise<WriteResult>): Promise<WriteResult> {
    const answer = await write
    return answer.ok || !answer.current ? answer : { ok: false, current: await readable(answer.current) }
  }

  async function event(original: StoreEvent): Promise<StoreEvent> {
    if (!providersOf(original.key)) return original
    const { key, value, previous } = original
    const now = value && (await decrypt(key, value))
    const before = previous && (await decrypt(key, previous.value))
    return {
      ...original,
      ...(now ? { value: now.plain, ...(now.stale ? { stale: true } : {}) } : {}),
      ...(before ? { previous: { value: before.plain, modRevision: previous!.modRevision } } : {}),
    }
  }

  async function* watch(prefix: string, options: { from: number; signal?: AbortSignal }): AsyncGenerator<WatchBatch> {
    for await (const batch of store.watch(prefix, options)) {
      if (!batch.events.some(({ key }) => providersOf(key))) yield batch
      else yield { ...batch, events: await Promise.all(batch.events.map(event)) }
    }
  }

  const sealed = (key: string, value: Uint8Array, write: (bytes: Uint8Array) => Promise<WriteResult>) => {
    const bytes = encrypt(key, value)
    return result(bytes instanceof Promise ? bytes.then(write) : write(bytes))
  }

  return {
    async get(key, options) {
      const item = await store.get(key, options)
      return item && readable(item)
    },
    async list(prefix, options) {
      const listing = await store.list(prefix, options)
      return { ...listing, items: await Promise.all(listing.items.map(readable)) }
    },
    currentRevision: () => store.currentRevision(),
    create: (key, value, options) => sealed(key, value, (bytes) => store.create(key, bytes, options)),
    update: (key, value, revision, options) => sealed(key, value, (bytes) => store.update(key, bytes, revision, options)),
    delete: (key, revision) => result(store.delete(key, revision)),
    watch,
    compact: (revision) => store.compact(revision),
    ...(store.size ? { size: () => store.size!() } : {}),
    ...(store.leases ? { leases: true } : {}),
    ...(store.shared ? { shared: true } : {}),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      for (const plugin of kms) plugin.close()
    },
  }
}
