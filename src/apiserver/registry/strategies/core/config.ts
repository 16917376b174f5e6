import type { DeepReadonly, core } from '#api'
import { configMapKey } from '#api'
import { jsonError } from '../../../json-error.ts'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, immutable, invalid, invalidEach, required, same, tooLong } from '../../validation/causes.ts'
import { tlsPairProblem } from './tls-pair.ts'

/** Data of one ConfigMap or Secret: at most 1 MiB. */
const maxSize = 1024 * 1024

const immutableMessage = 'field is immutable when `immutable` is set'

function validateKeys(causes: Causes, path: string, map: DeepReadonly<Record<string, string>> | undefined): void {
  for (const key in map) {
    const messages = configMapKey(key)
    if (messages.length > 0) invalidEach(causes, `${path}[${key}]`, key, messages)
  }
}

function validateImmutability(
  causes: Causes,
  object: DeepReadonly<{ immutable?: boolean; data?: object; binaryData?: object }>,
  old: DeepReadonly<{ immutable?: boolean; data?: object; binaryData?: object }>,
): void {
  if (!old.immutable) return
  if (!object.immutable) causes.push(forbidden('immutable', immutableMessage))
  if (!same(object.data, old.data)) causes.push(forbidden('data', immutableMessage))
  if (!same(object.binaryData, old.binaryData)) causes.push(forbidden('binaryData', immutableMessage))
}

export const configMapStrategy: ResourceStrategy<core.ConfigMap> = {
  validate(object) {
    const causes: Causes = []
    let size = 0
    for (const key in object.data) {
      const messages = configMapKey(key)
      if (messages.length > 0) invalidEach(causes, `data[${key}]`, key, messages)
      if (object.binaryData && key in object.binaryData) causes.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
      const value = object.data[key]!
      // Exact sizes only where they can matter: a string has at most three bytes per UTF-16 unit.
      size += value.length > maxSize / 4 ? Buffer.byteLength(value) : value.length
    }
    validateKeys(causes, 'binaryData', object.binaryData)
    for (const key in object.binaryData) size += base64Size(object.binaryData[key]!)
    if (size > maxSize) causes.push(tooLong('[]', maxSize))
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    validateImmutability(causes, object, old)
    return causes
  },
}

/** What a Secret of a known type must carry; types not named here carry anything. */
const requiredData: Record<string, (causes: Causes, secret: DeepReadonly<core.Secret>) => void> = {
  'kubernetes.io/service-account-token': (causes, { metadata }) => {
    if (!metadata.annotations?.['kubernetes.io/service-account.name'])
      causes.push(required('metadata.annotations[kubernetes.io/service-account.name]'))
  },
  'kubernetes.io/dockercfg': (causes, secret) => requireJson(causes, secret, '.dockercfg'),
  'kubernetes.io/dockerconfigjson': (causes, secret) => requireJson(causes, secret, '.dockerconfigjson'),
  'kubernetes.io/basic-auth': (causes, { data }) => {
    if (data?.username !== undefined || data?.password !== undefined) return
    causes.push(required('data[username]'), required('data[password]'))
  },
  'kubernetes.io/ssh-auth': (causes, { data }) => {
    if (!data?.['ssh-privatekey']) causes.push(required('data[ssh-privatekey]'))
  },
  'kubernetes.io/tls': (causes, { data }) => {
    if (data?.['tls.crt'] === undefined) causes.push(required('data[tls.crt]'))
    if (data?.['tls.key'] === undefined) causes.push(required('data[tls.key]'))
  },
}

function requireJson(causes: Causes, { data }: DeepReadonly<core.Secret>, key: string): void {
  const value = data?.[key]
  if (value === undefined) {
    causes.push(required(`data[${key}]`))
    return
  }
  const problem = jsonError(Buffer.from(value, 'base64').toString())
  if (problem) causes.push(invalid(`data[${key}]`, '<secret contents redacted>', problem))
}

export const secretStrategy: ResourceStrategy<core.Secret> = {
  default(object) {
    object.type ||= 'Opaque'
    foldStringData(object)
  },
  prepareForCreate: foldStringData,
  prepareForUpdate(object, old) {
    foldStringData(object)
    // An update that names no type keeps the one there is.
    if (!object.type && old.type) object.type = old.type
  },
  validate(object) {
    const causes: Causes = []
    let size = 0
    for (const key in object.data) {
      const messages = configMapKey(key)
      if (messages.length > 0) invalidEach(causes, `data[${key}]`, key, messages)
      size += base64Size(object.data[key]!)
    }
    if (size > maxSize) causes.push(tooLong('data', maxSize))
    if (object.type !== 'Opaque') requiredData[object.type ?? '']?.(causes, object)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'type', object.type, old.type)
    validateImmutability(causes, object, old)
    return causes
  },
  selectableFields: (object) => ({ type: object.type ?? '' }),
  warnings({ type, data }) {
    if (type !== 'kubernetes.io/tls') return []
    const text = (key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString('latin1')
    const problem = tlsPairProblem(text('tls.crt'), text('tls.key'))
    return problem ? [problem] : []
  },
}

/** `stringData` is a way to write, never to read: its values are encoded into `data`, over what is there. */
function foldStringData(object: core.Secret): void {
  if (!object.stringData) return
  const data = (object.data ??= {})
  for (const key in object.stringData) data[key] = Buffer.from(object.stringData[key]!).toString('base64')
  delete object.stringData
}

const base64Size = (text: string) => Math.floor((text.length * 3) / 4) - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
