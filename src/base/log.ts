import { pino } from 'pino'

/** Structured logging: a message and its fields. Secrets are never fields. */
export interface Logger {
  debug(message: string, fields?: object): void
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
  /** A logger whose lines carry `component`. */
  named(component: string): Logger
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** JSON lines on `destination` (a file path or, when absent, standard error). */
export function createLogger(options: { level?: LogLevel; destination?: string } = {}): Logger {
  const target = options.destination ?? 2
  const root = pino(
    { level: options.level ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ dest: target, sync: true, mkdir: true }),
  )
  return wrap(root)
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  named: () => silentLogger,
}

type PinoLogger = Pick<import('pino').Logger, LogLevel> & { child(bindings: object): PinoLogger }

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (message, fields) => logger.debug(printable(fields), message),
    info: (message, fields) => logger.info(printable(fields), message),
    warn: (message, fields) => logger.warn(printable(fields), message),
    error: (message, fields) => logger.error(printable(fields), message),
    named: (component) => wrap(logger.child({ component })),
  }
}

function printable(fields: object | undefined): object {
  if (!fields) return {}
  return Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, v instanceof Error ? describeError(v) : v]))
}

/** An error and its causes in one line. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  for (let e: unknown = error, depth = 0; e !== undefined && depth < 5; depth++) {
    parts.push(e instanceof Error ? e.message : String(e))
    e = e instanceof Error ? e.cause : undefined
  }
  return parts.join(': ')
}
