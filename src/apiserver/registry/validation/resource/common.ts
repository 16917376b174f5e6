import type { DeepReadonly, resource } from '#api'
import { cIdentifier, dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '#api'
import { evaluation } from '../../../admission/policies/lazy-evaluation.ts'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required, tooLong, tooMany } from '../causes.ts'

/** Names of drivers are compared without regard to case, like those of CSI drivers. */
export function validateDriver(causes: Causes, path: string, name: string | undefined): void {
  if (!name) {
    causes.push(required(path))
    return
  }
  if (name.length > 63) causes.push(tooLong(path, 63))
  invalidEach(causes, path, name, dns1123Subdomain(name.toLowerCase()))
}

/** What may be said of each item, and where. */
export type Check<T> = (causes: Causes, path: string, item: T) => void

/** Checks each item of a list that may have `max` at most; of one that is too long nothing else is said. */
export function validateList<T>(causes: Causes, path: string, list: readonly T[] | undefined, max: number, check: Check<T>): void {
  if (!list) return
  if (list.length > max) causes.push(tooMany(path, list.length, max))
  else list.forEach((item, i) => check(causes, `${path}[${i}]`, item))
}

/** Like `validateList`, for lists in which no key comes twice. */
export function validateSet<T>(
  causes: Causes,
  path: string,
  list: readonly T[] | undefined,
  max: number,
  check: Check<T>,
  key: (item: T) => string,
  shown: (item: T) => unknown = key,
): void {
  validateList(causes, path, list, max, check)
  if (!list || list.length > max) return
  const seen = new Set<string>()
  list.forEach((item, i) => {
    if (seen.has(key(item))) causes.push(duplicate(`${path}[${i}]`, shown(item)))
    seen.add(key(item))
  })
}

/** Checks keys and values of a map; keys that are too long are cut where the path names them. */
export function validateMap<T>(
  causes: Causes,
  path: string,
  map: DeepReadonly<Record<string, T>> | undefined,
  max: number,
  longestKey: number,
  checkKey: Check<string>,
  check: (causes: Causes, path: string, item: DeepReadonly<T>) => void,
): void {
  const keys = Object.keys(map ?? {})
  if (keys.length > max) {
    causes.push(tooMany(path, keys.length, max))
    return
  }
  for (const key of keys) {
    checkKey(causes, path, key)
    check(causes, `${path}[${shortened(key, longestKey)}]`, map![key] as DeepReadonly<T>)
  }
}

function shortened(text: string, longest: number): string {
  const max = Math.max(longest, 16)
  if (text.length <= max) return text
  const left = max - 3
  return `${text.slice(0, (left + 1) >> 1)}...${text.slice(text.length - (left >> 1))}`
}

export const validateLabel: Check<string> = (causes, path, name) => invalidEach(causes, path, name, dns1123Label(name))

export const validateLabelName: Check<string> = (causes, path, name) => invalidEach(causes, path, name, qualifiedName(name))

/** A pool's name is made of subdomains with slashes between them. */
export function validatePoolName(causes: Causes, path: string, name: string | undefined): void {
  if (!name) {
    causes.push(required(path))
    return
  }
  if (name.length > 253) causes.push(tooLong(path, 253))
  for (const part of name.split('/')) invalidEach(causes, path, part, dns1123Subdomain(part))
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const otherUuids = [/^urn:uuid:/i, /^\{.*\}$/, /^[0-9a-f]{32}$/i]

export function validateUid(causes: Causes, path: string, uid: string): void {
  const bare = uid.replace(/^urn:uuid:|^\{|\}$/gi, '')
  if (uid.length === 36 ? !uuid.test(uid) : !otherUuids.some((form) => form.test(uid)) || !(uuid.test(bare) || otherUuids[2]!.test(bare)))
    causes.push(invalid(path, uid, `error validating uid: ${uid.length === 36 ? 'invalid UUID format' : `invalid UUID length: ${uid.length}`}`))
  else if (uid.length !== 36 || uid !== uid.toLowerCase())
    causes.push(
      invalid(path, uid, 'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'),
    )
}

const maxIdentifier = 32
/** A domain of 63, a slash and an identifier. */
export const longestQualifiedName = 63 + 1 + maxIdentifier

function validateIdentifier(causes: Causes, path: string, id: string): void {
  if (id.length > maxIdentifier) causes.push(tooLong(path, maxIdentifier))
  invalidEach(causes, path, id, cIdentifier(id))
}

/** The name of an attribute or capacity: an identifier, after a domain where it is not the driver's own. */
export const validateQualifiedName: Check<string> = (causes, path, name) => {
  const [domain = '', id, more] = name.split('/')
  if (id === undefined) validateIdentifier(causes, path, domain)
  else if (more !== undefined) causes.push(invalid(path, name, 'must not contain more than one slash'))
  else {
    if (!domain) causes.push(invalid(path, '', 'the domain must not be empty'))
    else validateDriver(causes, path, domain)
    if (!id) causes.push(invalid(path, '', 'the name must not be empty'))
    else validateIdentifier(causes, path, id)
  }
}

export const validateFullyQualifiedName: Check<string> = (causes, path, name) => {
  validateQualifiedName(causes, path, name)
  if (!name.includes('/')) causes.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'))
}

const effects = ['NoExecute', 'NoSchedule', 'None']

export const validateTaint: Check<DeepReadonly<resource.DeviceTaint>> = (causes, path, { key = '', value, effect }) => {
  validateLabelName(causes, `${path}.key`, key)
  if (value) invalidEach(causes, `${path}.value`, value, labelValue(value))
  if (!effect) causes.push(required(`${path}.effect`))
  else if (!effects.includes(effect)) causes.push(notSupported(`${path}.effect`, effect, effects))
}

export function validateTolerations(causes: Causes, path: string, tolerations: DeepReadonly<resource.DeviceToleration[]> | undefined): void {
  tolerations?.forEach(({ key, operator, value = '', effect }, i) => {
    const at = `${path}[${i}]`
    if (key) validateLabelName(causes, `${at}.key`, key)
    if (operator === 'Exists') {
      if (value) causes.push(invalid(`${at}.value`, value, 'must be empty for operator `Exists`'))
    } else if (operator === 'Equal') invalidEach(causes, `${at}.value`, value, labelValue(value))
    else if (!operator) causes.push(required(`${at}.operator`))
    else causes.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    if (effect && !effects.includes(effect)) causes.push(notSupported(`${at}.effect`, effect, effects))
  })
}

interface Binding {
  bindingConditions?: readonly string[]
  bindingFailureConditions?: readonly string[]
}

const maxBindingConditions = 4

/** Conditions that must come true before a pod is bound, and those that say they will not: both or none, each once. */
export function validateBinding(causes: Causes, path: string, { bindingConditions = [], bindingFailureConditions = [] }: Binding): void {
  const at = `${path}.bindingConditions`
  const failed = `${path}.bindingFailureConditions`
  validateList(causes, at, bindingConditions, maxBindingConditions, validateLabelName)
  validateList(causes, failed, bindingFailureConditions, maxBindingConditions, validateLabelName)
  bindingConditions.forEach((condition, i) => {
    if (bindingConditions.indexOf(condition) < i) causes.push(duplicate(`${at}[${i}]`, condition))
  })
  bindingFailureConditions.forEach((condition, i) => {
    if (bindingFailureConditions.indexOf(condition) < i) causes.push(duplicate(`${failed}[${i}]`, condition))
    if (bindingConditions.includes(condition))
      causes.push(invalid(`${failed}[${i}]`, condition, 'bindingFailureConditions must not overlap with bindingConditions'))
  })
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0)
    causes.push(invalid(at, null, 'bindingConditions are required to use bindingFailureConditions'))
  if (bindingFailureConditions.length === 0 && bindingConditions.length > 0)
    causes.push(invalid(failed, null, 'bindingFailureConditions are required to use bindingConditions'))
}

/** Parameters for a driver: any JSON object, of which only the size is the server's business. */
export function validateRaw(causes: Causes, path: string, raw: unknown, stored: boolean, max: number): void {
  if (raw === undefined || raw === null) causes.push(required(path))
  else if (!stored && Buffer.byteLength(JSON.stringify(raw)) > max) causes.push(tooLong(path, max))
  else if (typeof raw !== 'object' || Array.isArray(raw)) causes.push(invalid(path, '<value omitted>', 'must be a valid JSON object'))
}

export const maxConfig = 32
const maxParameters = 10 * 1024

export function validateConfiguration(causes: Causes, path: string, { opaque }: DeepReadonly<resource.DeviceConfiguration>, stored: boolean): void {
  const at = `${path}.opaque`
  if (!opaque) {
    causes.push(required(at))
    return
  }
  validateDriver(causes, `${at}.driver`, opaque.driver)
  validateRaw(causes, `${at}.parameters`, opaque.parameters, stored, maxParameters)
}

const maxExpression = 10 * 1024
const maxSelectors = 32

/** Selectors have an expression each, about a device, that cannot cost too much. */
export function validateDeviceSelectors(
  causes: Causes,
  path: string,
  selectors: DeepReadonly<resource.DeviceSelector[]> | undefined,
  stored = false,
): void {
  validateList(causes, path, selectors, maxSelectors, (into, at, { cel }) => {
    if (!cel) into.push(required(`${at}.cel`))
    else if (!stored && Buffer.byteLength(cel.expression ?? '') > maxExpression) into.push(tooLong(`${at}.cel.expression`, maxExpression))
    else validateDeviceExpression(into, `${at}.cel.expression`, cel.expression ?? '')
  })
}

function validateDeviceExpression(causes: Causes, path: string, expression: string): void {
  const { cel, compileExpression } = evaluation()
  const { costOfDeviceSelector, deviceEnvironment, mostOfDeviceSelector, printType } = cel
  const { program, error } = compileExpression(deviceEnvironment(), expression)
  if (!program) {
    causes.push(invalid(path, expression, error ?? ''))
    return
  }
  const { resultType } = program
  if (resultType.kind !== 'bool' && resultType.kind !== 'any')
    causes.push(invalid(path, expression, `must evaluate to bool or the unknown type, not ${printType(resultType)}`))
  else if (costOfDeviceSelector(program) > mostOfDeviceSelector) causes.push(forbidden(path, 'too complex, exceeds cost limit'))
}
