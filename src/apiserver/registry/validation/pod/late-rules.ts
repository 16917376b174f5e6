import type { StatusCause } from '#api'
import type { Causes } from '../causes.ts'

/**
 * Rules that came late: what an object had before may stay, so that it can still be changed elsewhere (upstream's
 * PodValidationOptions, which are computed from the old object).
 */
const late: [field: RegExp, message: RegExp][] = [
  [/annotations\[controller\.kubernetes\.io\/pod-deletion-cost\]$/, /must be a 32bit integer$/],
  [/\.(labelSelector|namespaceSelector)(\.|\[|$)/, /a valid label must be|63/],
  [/\.topologySpreadConstraints\[\d+\]/, /labelSelector|matchLabelKeys|valid label|63|selector operator|qualified name|name part|prefix part/],
  [/\.(limits|requests|overhead\.limits)\[hugepages-/, /is not positive integer multiple of/],
  [/\.projected\.path$/, /must be a relative path|must not (contain|start with) '\.\.'/],
  [/\.sysctls\[\d+\]\.name$/, /may not be specified when 'host(Network|IPC)' is true$/],
  [/\.nodeSelectorTerms\[\d+\]\.matchExpressions\[\d+\]\.values\[\d+\]$/, /./],
  [/\.initContainers\[\d+\]\.resizePolicy\[\d+\]\.restartPolicy$/, /non-sidecar initContainers$/],
  [/\.volumeDevices$/, /when `hostUsers` is false$/],
  [/\.image\.reference$/, /^Required value$/],
]

const isLate = ({ field = '', message = '' }: StatusCause) => late.some(([of, says]) => of.test(field) && says.test(message))

/** Takes out of `causes`, from `start` on, what late rules find in the old object as well. */
export function tolerate(causes: Causes, start: number, checkOld: (causes: Causes) => void): void {
  if (causes.length === start || !causes.slice(start).some(isLate)) return
  const before: Causes = []
  checkOld(before)
  const found = causes.splice(start)
  causes.push(...found.filter((cause) => !isLate(cause) || !before.some(({ field, message }) => field === cause.field && message === cause.message)))
}
