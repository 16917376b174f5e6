import { metricFamily, metricLabels } from '#base'

/** Results of health checks, as `/metrics/slis` shows them. */
export class HealthMetrics {
  readonly #checks = new Map<string, { name: string; type: string; healthy: boolean; success: number; error: number }>()

  /** `type` is the endpoint: `healthz`, `livez` or `readyz`. */
  checked(name: string, type: string, healthy: boolean): void {
    const key = `${type} ${name}`
    let check = this.#checks.get(key)
    if (!check) this.#checks.set(key, (check = { name, type, healthy, success: 0, error: 0 }))
    check.healthy = healthy
    check[healthy ? 'success' : 'error']++
  }

  /** The Prometheus text form. */
  toString(): string {
    const all = [...this.#checks.values()]
    return (
      metricFamily(
        'kubernetes_healthcheck',
        'gauge',
        'Whether a health check passed when it was done last',
        all.map(({ name, type, healthy }) => [metricLabels({ name, type }), healthy ? 1 : 0] as const),
      ) +
      metricFamily(
        'kubernetes_healthchecks_total',
        'counter',
        'Health checks by what came of them',
        all.flatMap(({ name, type, success, error }) =>
          (
            [
              ['success', success],
              ['error', error],
            ] as const
          )
            .filter(([, count]) => count > 0)
            .map(([status, count]) => [metricLabels({ name, status, type }), count] as const),
        ),
      )
    )
  }
}
