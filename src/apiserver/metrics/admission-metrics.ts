import type { Histogram } from '#base'
import { histogram, histogramFamily, metricLabels, observe } from '#base'

/** Upstream's, seconds. */
const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5]

export type AdmissionPhase = 'admit' | 'validate'

interface Outcomes {
  passed: Histogram
  rejected: Histogram
}

/** Times admission plugins, and both steps as a whole, under upstream's metric names. */
export class AdmissionMetrics {
  readonly #plugins = new Map<string, Map<string, Outcomes>>()

  /** `name` is empty for a whole step. */
  observe(name: string, phase: AdmissionPhase, operation: string, rejected: boolean, seconds: number): void {
    let byName = this.#plugins.get(name)
    if (!byName) this.#plugins.set(name, (byName = new Map()))
    const key = phase === 'admit' ? operation : validating[operation]!
    let outcomes = byName.get(key)
    if (!outcomes) byName.set(key, (outcomes = { passed: histogram(bounds), rejected: histogram(bounds) }))
    observe(rejected ? outcomes.rejected : outcomes.passed, seconds)
  }

  /** The Prometheus text form. */
  toString(): string {
    const plugins: [string, Histogram][] = []
    const steps: [string, Histogram][] = []
    for (const [name, byKey] of this.#plugins)
      for (const [key, { passed, rejected }] of byKey) {
        const validates = key.startsWith('validate ')
        const operation = validates ? key.slice('validate '.length) : key
        for (const [value, refused] of [
          [passed, 'false'],
          [rejected, 'true'],
        ] as const) {
          if (value.count === 0) continue
          const about = { operation, rejected: refused, type: validates ? 'validate' : 'admit' }
          if (name) plugins.push([metricLabels({ name, ...about }), value])
          else steps.push([metricLabels(about), value])
        }
      }
    return (
      histogramFamily('apiserver_admission_step_admission_duration_seconds', 'Time that all plugins took together', steps) +
      histogramFamily('apiserver_admission_controller_admission_duration_seconds', 'Time that a plugin took', plugins)
    )
  }
}

const validating: Record<string, string> = Object.fromEntries(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'].map((name) => [name, `validate ${name}`]))
