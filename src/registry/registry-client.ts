import { Agent, request } from 'node:https'

/** Where a registry answers and who asks. */
export interface RegistryEndpoint {
  address: string
  port: number
  /** The name that its certificate has. */
  serverName: string
  /** PEM of the authority that signed it. */
  ca: string
  username: string
  password: string
}

export class RegistryError extends Error {
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.name = 'RegistryError'
    this.status = status
  }
}

export interface Manifest {
  digest: string
  mediaType: string
  /** Manifests that an index has, one for each platform. */
  manifests: readonly { digest: string }[]
  /** Bytes of its layers and configuration; of an index 0. */
  size: number
}

/**
 * The registry protocol (OCI distribution specification 1.0), as much as looking after a registry takes. Refusals reject with RegistryError; what is not
 * there is undefined. Disposing it closes its connections.
 */
export interface RegistryClient extends Disposable {
  /** Names of all repositories, also of those whose last tag is gone. */
  repositories(): Promise<string[]>
  tags(repository: string): Promise<string[]>
  /** By tag or digest. */
  digest(repository: string, reference: string): Promise<string | undefined>
  manifest(repository: string, reference: string): Promise<Manifest | undefined>
  /** With every tag that leads to it. */
  deleteManifest(repository: string, digest: string): Promise<void>
  /** The tag alone: what it led to stays, also under its other tags. */
  deleteTag(repository: string, tag: string): Promise<void>
}

const accepted = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

/** Manifests are small; more than this is none. */
const maxBody = 16 * 1024 * 1024

export function registryClient(endpoint: RegistryEndpoint): RegistryClient {
  const { address, port, serverName, ca, username, password } = endpoint
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca, servername: serverName })
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

  function ask(method: string, path: string, sent?: { type: string; body: Buffer }): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = {
        host: `${serverName}:${port}`,
        authorization,
        accept: accepted,
        ...(sent ? { 'content-type': sent.type, 'content-length': sent.body.length } : {}),
      }
      const asked = request({ host: address, port, method, path, headers, agent, timeout: 30_000 }, (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxBody) response.destroy(new Error(`the registry answers ${method} ${path} with more than ${maxBody} bytes`))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }))
      })
      asked.on('error', (cause: Error) => reject(new Error(`cannot reach the registry at ${address}:${port}: ${cause.message}`, { cause })))
      asked.on('timeout', () => asked.destroy(new Error('no answer for 30 s')))
      asked.end(sent?.body)
    })
  }

  /** The answer, unless it is a refusal; undefined when there is no such thing. */
  async function found(method: string, path: string, sent?: { type: string; body: Buffer }): Promise<Answer | undefined> {
    const answer = await ask(method, path, sent)
    if (answer.status === 404) return undefined
    if (answer.status >= 400) throw new RegistryError(`the registry refuses ${method} ${path}: ${refusal(answer)}`, answer.status)
    return answer
  }

  /** All pages of a list; the registry leads from one to the next by a Link header. */
  async function pages<T>(path: string, take: (body: any) => T[] | null | undefined): Promise<T[]> {
    const all: T[] = []
    for (let next: string | undefined = path; next;) {
      const answer: Answer | undefined = await found('GET', next)
      if (!answer) break
      all.push(...(take(JSON.parse(answer.body.toString())) ?? []))
      next = nextPage(answer.headers['link'])
    }
    return all
  }

  const at = (repository: string, rest: string) => `/v2/${repository.split('/').map(encodeURIComponent).join('/')}/${rest}`
  const manifestAt = (repository: string, reference: string) => at(repository, `manifests/${encodeURIComponent(reference).replaceAll('%3A', ':')}`)

  async function digest(repository: string, reference: string): Promise<string | undefined> {
    const answer = await found('HEAD', manifestAt(repository, reference))
    const value = answer?.headers['docker-content-digest']
    return typeof value === 'string' ? value : undefined
  }

  async function manifest(repository: string, reference: string): Promise<Manifest | undefined> {
    const answer = await found('GET', manifestAt(repository, reference))
    if (!answer) return undefined
    const read = JSON.parse(answer.body.toString()) as { mediaType?: string; manifests?: { digest: string }[]; layers?: Sized[]; config?: Sized }
    const sizes = [...(read.layers ?? []), ...(read.config ? [read.config] : [])]
    return {
      digest: String(answer.headers['docker-content-digest'] ?? ''),
      mediaType: read.mediaType ?? String(answer.headers['content-type'] ?? ''),
      manifests: read.manifests ?? [],
      size: sizes.reduce((sum, one) => sum + (one.size ?? 0), 0),
    }
  }

  async function deleteManifest(repository: string, value: string): Promise<void> {
    await found('DELETE', manifestAt(repository, value))
  }

  /**
   * docker-registry 2.8 deletes manifests, which takes all their tags along, and no single tags. So the tag is led to a manifest that nothing else leads
   * to, an index of nothing with a mark of its own, and that one is deleted.
   */
  async function deleteTag(repository: string, tag: string): Promise<void> {
    const type = 'application/vnd.oci.image.index.v1+json'
    const nothing = { schemaVersion: 2, mediaType: type, manifests: [], annotations: { 'dev.k8ts.deleted-tag': tag } }
    const answer = await found('PUT', manifestAt(repository, tag), { type, body: Buffer.from(JSON.stringify(nothing)) })
    const value = answer?.headers['docker-content-digest']
    if (typeof value !== 'string') throw new RegistryError(`the registry has no repository ${repository}`, 404)
    await deleteManifest(repository, value)
  }

  return {
    repositories: () => pages('/v2/_catalog?n=500', (body: { repositories?: string[] }) => body.repositories),
    tags: (repository) => pages(at(repository, 'tags/list?n=500'), (body: { tags?: string[] | null }) => body.tags),
    digest,
    manifest,
    deleteManifest,
    deleteTag,
    [Symbol.dispose]: () => agent.destroy(),
  }
}

interface Sized {
  size?: number
}

/** `</v2/_catalog?last=x&n=500>; rel="next"`. */
function nextPage(link: string | string[] | undefined): string | undefined {
  const match = /^<([^>]+)>\s*;\s*rel="?next"?/.exec(typeof link === 'string' ? link : '')
  if (!match) return undefined
  const { pathname, search } = new URL(match[1]!, 'https://registry/')
  return pathname + search
}

function refusal({ status, body }: Answer): string {
  try {
    const { errors } = JSON.parse(body.toString()) as { errors: { code: string; message: string }[] }
    return errors.map((error) => `${error.message} (${error.code})`).join('; ')
  } catch {
    return `code ${status}`
  }
}
