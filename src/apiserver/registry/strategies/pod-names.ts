import { dns1123Label } from '#api'

/** Of the name of a workload whose pods are called after it: warns of those that do not make host names. */
export function podHostnameWarnings(name: string): string[] {
  const problems = dns1123Label(name)
  if (problems.length === 0) return []
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ]
}
