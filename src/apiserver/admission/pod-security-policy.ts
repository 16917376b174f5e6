import type { StatusCause } from '#api'
import type { PodSecurityLevel } from './pod-security-checks.ts'

export type PodSecurityMode = 'enforce' | 'audit' | 'warn'

export interface PodSecurityStandard {
  level: PodSecurityLevel
  /** Minor version of Kubernetes 1; Infinity for the latest. */
  version: number
}

/** What a namespace asks for by its labels. */
export type PodSecurityPolicy = Record<PodSecurityMode, PodSecurityStandard>

export const prefix = 'pod-security.kubernetes.io/'
const modes: readonly PodSecurityMode[] = ['enforce', 'audit', 'warn']
const levels: readonly PodSecurityLevel[] = ['privileged', 'baseline', 'restricted']

/** Whether `a` allows less than `b`. */
export const isStricter = (a: PodSecurityLevel, b: PodSecurityLevel): boolean => levels.indexOf(a) > levels.indexOf(b)

/** As messages name it, e.g. `restricted:v1.25`. */
export function standardText({ level, version }: PodSecurityStandard): string {
  return `${level}:${version === Infinity ? 'latest' : `v1.${version}`}`
}

/** Reads a namespace's labels. What cannot be read restricts as far as it can where it is enforced: it was meant to restrict. */
export function policyOf(labels: Readonly<Record<string, string>> = {}): { policy: PodSecurityPolicy; causes: StatusCause[] } {
  const causes: StatusCause[] = []
  const read = (mode: PodSecurityMode): PodSecurityStandard => {
    const level = labels[prefix + mode]
    const version = labels[`${prefix}${mode}-version`]
    const wrong = (label: string, value: string, why: string) =>
      causes.push({ reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field: `metadata.labels[${label}]` })
    const known = levels.find((l) => l === level)
    if (level !== undefined && !known) wrong(prefix + mode, level, `must be one of ${levels.join(', ')}`)
    const minor = version === undefined || version === 'latest' ? Infinity : /^v1\.(0|[1-9]\d*)$/.exec(version)?.[1]
    if (minor === undefined) wrong(`${prefix}${mode}-version`, version!, 'must be "latest" or "v1.x"')
    const fallback = level !== undefined && mode === 'enforce' ? 'restricted' : 'privileged'
    return { level: known ?? fallback, version: Number(minor ?? Infinity) }
  }
  const [enforce, audit, warn] = modes.map(read) as [PodSecurityStandard, PodSecurityStandard, PodSecurityStandard]
  // who enforces a level wants to hear of workloads whose pods will be refused
  const mirrored = labels[`${prefix}warn`] === undefined && isStricter(enforce.level, warn.level)
  return { policy: { enforce, audit, warn: mirrored ? enforce : warn }, causes }
}
