import { errors } from '#api'
import { managerName } from '../patch/index.ts'
import type { FieldValidation } from './registry.ts'

/** Options of a write as its query gives them. */
export interface WriteOptions {
  dryRun: boolean
  fieldManager: string
  fieldValidation: FieldValidation
  force: boolean
}

/** Reads and checks them; `kind` (e.g. `CreateOptions`) names them in errors. `userAgent` stands in for a missing field manager. */
export function writeOptions(query: URLSearchParams, kind: string, userAgent: string | undefined): WriteOptions {
  if (query.size === 0) return { dryRun: false, fieldManager: managerOf(userAgent), fieldValidation: 'Warn', force: false }
  const dryRun = query.getAll('dryRun')
  if (dryRun.some((value) => value !== 'All')) throw unsupported(kind, 'dryRun', dryRun, '"All"')
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (fieldValidation !== 'Ignore' && fieldValidation !== 'Warn' && fieldValidation !== 'Strict')
    throw unsupported(kind, 'fieldValidation', fieldValidation, '"", "Ignore", "Strict", "Warn"')
  const fieldManager = query.get('fieldManager') ?? ''
  if (fieldManager.length > 42 && Buffer.byteLength(fieldManager) > 128)
    throw errors.invalid({ group: 'meta.k8s.io', kind }, '', [
      { reason: 'FieldValueTooLong', message: 'Too long: may not be more than 128 bytes', field: 'fieldManager' },
    ])
  const hidden = [...fieldManager].findIndex((char) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char))
  if (hidden >= 0) {
    const code = [...fieldManager][hidden]!.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    throw errors.invalid({ group: 'meta.k8s.io', kind }, '', [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${goQuoted(fieldManager)}: invalid character U+${code} (at position ${hidden})`,
        field: 'fieldManager',
      },
    ])
  }
  return { dryRun: dryRun.length > 0, fieldManager: fieldManager || managerOf(userAgent), fieldValidation, force: query.get('force') === 'true' }
}

/** The options of an operation as admission sees them, of a request that says them in its query or, of a delete, in its body. */
export function operationOptions(operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT', query: URLSearchParams, ofDelete?: object): object {
  const kind = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: '' }[operation]
  const typed = { kind, apiVersion: 'meta.k8s.io/v1' }
  if (operation === 'DELETE') return { ...typed, ...ofDelete }
  const dryRun = query.getAll('dryRun')
  const fieldManager = query.get('fieldManager')
  const fieldValidation = query.get('fieldValidation')
  return {
    ...typed,
    ...(dryRun.length > 0 ? { dryRun } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation } : {}),
  }
}

/** A text in Go's quotes. */
const goQuoted = (text: string) => JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, '\\x$1')

/** The program's name at the start of the User-Agent. Headers come as Latin-1, whatever was sent. */
function managerOf(userAgent = ''): string {
  const slash = userAgent.indexOf('/')
  const name = slash < 0 ? userAgent : userAgent.slice(0, slash)
  return plainName.test(name) ? name : managerName('', Buffer.from(name, 'latin1').toString())
}
const plainName = /^[\w.-]{1,128}$/

function unsupported(kind: string, field: string, value: string | string[], supported: string): Error {
  return errors.invalid({ group: 'meta.k8s.io', kind }, '', [
    { reason: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`, field },
  ])
}
