/** The name of a project: a DNS label, as it names objects, a directory and a part of addresses. */
export const isProjectName = (name: string): boolean => name.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)

/** Whether it names a project as `NAMESPACE/PROJECT`. */
export function isProjectKey(key: string): boolean {
  const parts = key.split('/')
  return parts.length === 2 && parts.every(isProjectName)
}

/** What follows the repository's name in the address, and what each needs the right to. */
const services = {
  'git-upload-pack': 'read',
  'git-receive-pack': 'push',
} as const

export type GitService = keyof typeof services
export type GitAccess = 'read' | 'push'

export interface GitRequest {
  /** `NAMESPACE/PROJECT`. */
  project: string
  service: GitService
  access: GitAccess
  /** `info/refs` or the service itself. */
  advertisement: boolean
}

/**
 * What a request to the Git endpoint is about; undefined for what is none of the smart protocol's: the dumb protocol's files are not served.
 * `rest` is the path below the endpoint as it was sent, e.g. `default/blog.git/info/refs`.
 */
export function parseGitRequest(method: string, rest: string, query: URLSearchParams): GitRequest | undefined {
  const [, project, path] = /^([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(rest) ?? []
  if (!project || !isProjectKey(project)) return undefined
  const advertisement = path === 'info/refs'
  const service = (advertisement ? query.get('service') : path) as GitService | null
  if (!service || !Object.hasOwn(services, service)) return undefined
  if (method !== (advertisement ? 'GET' : 'POST')) return undefined
  return { project, service, access: services[service], advertisement }
}
