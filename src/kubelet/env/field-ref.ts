import type { core, DeepReadonly } from '#api'

/** What the kubelet knows of a pod before the API server does. */
export interface PodRuntimeFacts {
  nodeName: string
  hostIPs: readonly string[]
  podIPs: readonly string[]
}

/**
 * The value of a downward API field path, e.g. `metadata.labels['app']`. Throws an Error in upstream's words for a path that is not supported.
 */
export function fieldValue(pod: DeepReadonly<core.Pod>, fieldPath: string, facts: PodRuntimeFacts): string {
  const subscript = /^(.+?)\['(.*)'\]$/s.exec(fieldPath)
  if (subscript) {
    const [, path, key] = subscript as unknown as [string, string, string]
    if (path === 'metadata.labels') return pod.metadata.labels?.[key] ?? ''
    if (path === 'metadata.annotations') return pod.metadata.annotations?.[key] ?? ''
    throw new Error(`fieldPath "${fieldPath}" does not support subscript`)
  }
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid ?? ''
    case 'metadata.labels':
      return formatMap(pod.metadata.labels)
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName || facts.nodeName
    case 'spec.serviceAccountName':
    case 'spec.serviceAccount':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
      return facts.hostIPs[0] ?? ''
    case 'status.hostIPs':
      return facts.hostIPs.join(',')
    case 'status.podIP':
      return facts.podIPs[0] ?? ''
    case 'status.podIPs':
      return facts.podIPs.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`)
  }
}

function formatMap(map: DeepReadonly<Record<string, string>> | undefined): string {
  const lines = Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${quoted(value)}`)
  return lines.join('\n')
}

const escapes: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** A string as Go's `%q` prints it: the format in which files of labels and annotations are specified. */
function quoted(value: string): string {
  // control, format, surrogate, private-use and unassigned characters, and all spaces but the plain one, are not printable to Go
  const body = value.replace(/["\\]|[\p{C}\p{Z}]/gu, (c) => {
    if (c === ' ') return c
    const code = c.codePointAt(0)!
    if (escapes[c]) return escapes[c]
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${body}"`
}
