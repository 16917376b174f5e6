import type { Histogram } from '#base'
import { histogram, histogramFamily, metricFamily, metricLabels, observe } from '#base'

export type PolicyAction = 'allow' | 'deny' | 'audit' | 'warn'
export type PolicyError = 'no_error' | 'compile_error' | 'out_of_budget' | 'invalid_error'

/** One check of a policy, for a binding of it. */
export interface Check {
  policy: string
  binding: string
  error: PolicyError
  action: PolicyAction
  seconds: number
}

/** Counts and times the checks of policies, and the compilation and evaluation of their expressions, under upstream's metric names. */
export interface PolicyMetrics {
  observe(kind: 'validating' | 'mutating', check: Check): void
  compiled(seconds: number): void
  evaluated(seconds: number): void
  /** The Prometheus text form. */
  toString(): string
}

/** Upstream's, seconds: from a single access to what the limit of cost allows. */
const bounds = [0.0000005, 0.001, 0.01, 0.1, 1]
/** Prometheus' default. */
const defaultBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function policyMetrics(): PolicyMetrics {
  const checks = { validating: new Map<string, Histogram>(), mutating: new Map<string, Histogram>() }
  const compilations = histogram(defaultBounds)
  const evaluations = histogram(defaultBounds)
  return {
    observe(kind, { policy, binding, error, action, seconds }) {
      const labels = metricLabels({ enforcement_action: action, error_type: error, policy, policy_binding: binding })
      let found = checks[kind].get(labels)
      if (!found) checks[kind].set(labels, (found = histogram(bounds)))
      observe(found, seconds)
    },
    compiled: (seconds) => observe(compilations, seconds),
    evaluated: (seconds) => observe(evaluations, seconds),
    toString() {
      let text = ''
      for (const kind of ['validating', 'mutating'] as const) {
        const name = `apiserver_${kind}_admission_policy_check`
        const found = [...checks[kind]]
        text += metricFamily(
          `${name}_total`,
          'counter',
          `Checks of ${kind} admission policies, by binding and what was done`,
          found.map(([labels, { count }]) => [labels, count] as const),
        )
        text += histogramFamily(`${name}_duration_seconds`, `Time that a check of a ${kind} admission policy took`, found)
      }
      const cel = [
        ['compilation', compilations],
        ['evaluation', evaluations],
      ] as const
      for (const [what, times] of cel)
        if (times.count > 0) text += histogramFamily(`apiserver_cel_${what}_duration_seconds`, `CEL ${what} time in seconds`, [['', times]])
      return text
    },
  }
}

/** Upstream tells errors apart by their beginning. */
export function errorType(failed: boolean, message: string): PolicyError {
  if (!failed) return 'no_error'
  if (message.startsWith('compilation')) return 'compile_error'
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error'
}
