import type { DeepReadonly, core } from '#api'
import { type Causes, duplicate, invalid, notSupported, required, tooMany } from '../causes.ts'

type Container = DeepReadonly<core.Container>

const policies = ['Always', 'Never', 'OnFailure']
const actions = ['Restart', 'RestartAllContainers']
const operators = ['In', 'NotIn']
const maxRules = 20
const maxExitCodes = 255

/** Checks a container's own restart policy, and the rules by which exit codes override it. */
export function validateRestartPolicy(causes: Causes, path: string, { restartPolicy, restartPolicyRules: rules }: Container): void {
  if (restartPolicy === undefined) {
    if (rules?.length) causes.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  } else if (!policies.includes(restartPolicy)) causes.push(notSupported(`${path}.restartPolicy`, restartPolicy, policies))
  if (!rules) return
  if (rules.length > maxRules) causes.push(tooMany(`${path}.restartPolicyRules`, rules.length, maxRules))
  rules.forEach(({ action, exitCodes }, i) => {
    const at = `${path}.restartPolicyRules[${i}]`
    if (!actions.includes(action ?? '')) causes.push(notSupported(`${at}.action`, action ?? '', actions))
    if (!exitCodes) {
      causes.push(required(`${at}.exitCodes`, 'must be specified'))
      return
    }
    const { operator = '', values = [] } = exitCodes
    if (!operators.includes(operator)) causes.push(notSupported(`${at}.exitCodes.operator`, operator, operators))
    if (values.length > maxExitCodes) causes.push(tooMany(`${at}.exitCodes.values`, values.length, maxExitCodes))
  })
}

const resizable = ['cpu', 'memory']
const resizePolicies = ['NotRequired', 'RestartContainer']

/** Checks what a container wants to happen when its resources are resized. */
export function validateResizePolicy(
  causes: Causes,
  path: string,
  resizes: NonNullable<Container['resizePolicy']>,
  podRestartPolicy: string | undefined,
): void {
  const seen = new Set<string>()
  resizes.forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) causes.push(duplicate(`${path}[${i}]`, resourceName))
    seen.add(resourceName)
    // upstream names the list, not its items
    if (!resourceName) causes.push(required(path))
    else if (!resizable.includes(resourceName)) causes.push(notSupported(path, resourceName, resizable))
    if (!restartPolicy) causes.push(required(path))
    else if (!resizePolicies.includes(restartPolicy)) causes.push(notSupported(path, restartPolicy, resizePolicies))
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired')
      causes.push(invalid(path, restartPolicy ?? '', "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
  })
}
