import type { meta } from './types/index.ts'

/** The reasons of apimachinery's StatusReason, each with its HTTP status code. */
export const statusCodes = {
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  Invalid: 422,
  ServerTimeout: 500,
  StoreReadError: 500,
  Timeout: 504,
  TooManyRequests: 429,
  BadRequest: 400,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  InternalError: 500,
  ServiceUnavailable: 503,
} as const satisfies Record<string, number>

export type StatusReason = keyof typeof statusCodes
export type StatusCause = meta.StatusCause
export type Status = Omit<meta.Status, 'metadata'> & { metadata: meta.ListMeta }

/** An error that is answered to the client as a `Status` object; retry depends on its reason, never on its message. */
export class StatusError extends Error {
  readonly status: Status
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? 'unknown error', options)
    this.name = 'StatusError'
    this.status = status
  }
  get code(): number {
    return this.status.code ?? 500
  }
  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** Whether `error` is a StatusError, of the given reason where one is named. */
export function isStatus(error: unknown, reason?: StatusReason): error is StatusError {
  return error instanceof StatusError && (reason === undefined || error.status.reason === reason)
}

/** A group and a resource as error messages name it: `deployments.apps`, `pods`. */
export interface GroupResource {
  group: string
  resource: string
}

const qualified = (gr: GroupResource) => (gr.group ? `${gr.resource}.${gr.group}` : gr.resource)

export function failure(reason: StatusReason | '', code: number, message: string, details?: meta.StatusDetails, options?: ErrorOptions): StatusError {
  return new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
      code,
    },
    options,
  )
}

// as the wire omits them: a list has no name, a path no kind
const forObject = (gr: GroupResource, name: string): meta.StatusDetails => ({
  ...(name ? { name } : {}),
  ...(gr.group ? { group: gr.group } : {}),
  ...(gr.resource ? { kind: gr.resource } : {}),
})

/** What is wrong with a large object in more places than this is not told in full: the answer would be larger than what was sent. */
const mostCauses = 1000
/** Nor is a long value that is wrong repeated in full by everything that is said of it. */
const longestCause = 10_000

const cut = (text: string) => (text.length > longestCause ? `${text.slice(0, longestCause)}…` : text)

/** Constructors of the errors the API answers, worded as apimachinery's `api/errors` words them. */
export const errors = {
  notFound: (gr: GroupResource, name: string) => failure('NotFound', 404, `${qualified(gr)} "${name}" not found`, forObject(gr, name)),
  pathNotFound: () => failure('NotFound', 404, 'the server could not find the requested resource', {}),
  alreadyExists: (gr: GroupResource, name: string) => failure('AlreadyExists', 409, `${qualified(gr)} "${name}" already exists`, forObject(gr, name)),
  conflict: (gr: GroupResource, name: string, why: string) =>
    failure('Conflict', 409, `Operation cannot be fulfilled on ${qualified(gr)} "${name}": ${why}`, forObject(gr, name)),
  modified: (gr: GroupResource, name: string) =>
    errors.conflict(gr, name, 'the object has been modified; please apply your changes to the latest version and try again'),
  forbidden: (gr: GroupResource, name: string, why: string) =>
    failure(
      'Forbidden',
      403,
      name ? `${qualified(gr)} "${name}" is forbidden: ${why}` : gr.resource ? `${qualified(gr)} is forbidden: ${why}` : `forbidden: ${why}`,
      forObject(gr, name),
    ),
  unauthorized: (message = 'Unauthorized') => failure('Unauthorized', 401, message),
  badRequest: (message: string) => failure('BadRequest', 400, message),
  invalid: (gk: { group: string; kind: string }, fullName: string, causes: StatusCause[]) => {
    const name = cut(fullName)
    const shown = causes.length > mostCauses ? causes.slice(0, mostCauses) : causes
    const told = shown.some(({ message = '' }) => message.length > longestCause)
      ? shown.map((cause) => ({ ...cause, message: cut(cause.message ?? '') }))
      : shown
    // what is said twice is a cause twice, and one line
    const lines = [...new Set(told.map((c) => `${c.field}: ${c.message}`))]
    if (causes.length > mostCauses) lines.push(`and ${causes.length - mostCauses} more`)
    const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
    return failure('Invalid', 422, `${gk.group ? `${gk.kind}.${gk.group}` : gk.kind} "${name}" is invalid: ${text}`, {
      ...(name ? { name } : {}),
      ...(gk.group ? { group: gk.group } : {}),
      ...(gk.kind ? { kind: gk.kind } : {}),
      causes: told,
    })
  },
  methodNotAllowed: (gr: GroupResource, action: string) =>
    failure('MethodNotAllowed', 405, `${action} is not supported on resources of kind "${qualified(gr)}"`, {
      ...(gr.group ? { group: gr.group } : {}),
      kind: gr.resource,
    }),
  gone: (message: string) => failure('Gone', 410, message),
  expired: (message: string) => failure('Expired', 410, message),
  unsupportedMediaType: (message: string) => failure('UnsupportedMediaType', 415, message),
  notAcceptable: (message: string) => failure('NotAcceptable', 406, message),
  tooLarge: (message: string) => failure('RequestEntityTooLarge', 413, message),
  tooManyRequests: (message: string, retryAfterSeconds = 1) => failure('TooManyRequests', 429, message, { retryAfterSeconds }),
  timeout: (message: string, retryAfterSeconds?: number) =>
    failure('Timeout', 504, `Timeout: ${message}`, retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  internal: (message: string, options?: ErrorOptions) =>
    failure('InternalError', 500, `Internal error occurred: ${message}`, { causes: [{ message }] }, options),
  unavailable: (message: string, options?: ErrorOptions) => failure('ServiceUnavailable', 503, message, undefined, options),
}
