import { createHmac, randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { cri } from '../cri/index.ts'

/** What an image was pulled with: anybody's (none, or the node's own credentials), or those of the pods whose fingerprints are there. */
interface PullRecord {
  everybody: boolean
  fingerprints: string[]
}

interface Stored {
  /** Keeps fingerprints from telling anything about the credentials to who reads the file. */
  salt: string
  /** By image id, then by the image's name without its tag: what one registry lets somebody have says nothing about another. */
  images: Record<string, Record<string, PullRecord>>
}

/**
 * Remembers with whose credentials the node pulled an image, so that being on the node lets nobody have it who could not pull it (KEP-2535, with upstream's
 * default policy: images that came some other way are everybody's). Kept in a file of the node.
 */
export interface PullRecords {
  /** Whether a pod with these credentials may have an image that is there without asking the registry. */
  mayUse(image: string, imageId: string, credentials: readonly cri.AuthConfig[]): Promise<boolean>
  /** `used` is what the registry accepted: a pod's credentials, or undefined for what all pods have. */
  pulled(image: string, imageId: string, used: cri.AuthConfig | undefined): Promise<void>
}

export function pullRecords(file: string): PullRecords {
  let loaded: Promise<Stored> | undefined
  let writing: Promise<unknown> = Promise.resolve()
  const load = () => (loaded ??= readStored(file))

  const fingerprint = (salt: string, auth: cri.AuthConfig) =>
    createHmac('sha256', salt)
      .update(JSON.stringify([auth.username, auth.password, auth.identityToken]))
      .digest('hex')

  return {
    async mayUse(image, imageId, credentials) {
      const { salt, images } = await load()
      const known = images[imageId]
      if (!known) return true
      const record = known[repositoryOf(image)]
      if (!record) return Object.values(known).every((other) => other.everybody)
      return record.everybody || credentials.some((auth) => record.fingerprints.includes(fingerprint(salt, auth)))
    },
    async pulled(image, imageId, used) {
      const stored = await load()
      const known = (stored.images[imageId] ??= {})
      const record = (known[repositoryOf(image)] ??= { everybody: false, fingerprints: [] })
      const print = used && fingerprint(stored.salt, used)
      if (print ? record.fingerprints.includes(print) : record.everybody) return
      if (print) record.fingerprints.push(print)
      else record.everybody = true
      const write = () => replaceFile(file, JSON.stringify(stored))
      await (writing = writing.then(write, write))
    },
  }
}

/** For nodes that remember nothing. */
export const noPullRecords: PullRecords = { mayUse: () => Promise.resolve(true), pulled: () => Promise.resolve() }

/** The name without tag and digest. */
function repositoryOf(image: string): string {
  const [name = ''] = image.split('@')
  const slash = name.lastIndexOf('/')
  const colon = name.indexOf(':', slash + 1)
  return colon < 0 ? name : name.slice(0, colon)
}

async function readStored(file: string): Promise<Stored> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { salt: randomBytes(32).toString('hex'), images: {} }
  }
  return JSON.parse(text) as Stored
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
