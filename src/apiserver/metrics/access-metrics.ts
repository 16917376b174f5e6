import type { Histogram } from '#base'
import { histogram, histogramFamily, metricFamily, observe } from '#base'

/** Upstream's: 1 ms to 16 s. */
const bounds = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)

type AuthenticationResult = 'success' | 'failure' | 'error'
type AuthorizationResult = 'allowed' | 'denied' | 'no-opinion' | 'error'

/** Counts who is let in, under upstream's metric names. On the path of every request: text is made when asked for. */
export class AccessMetrics {
  readonly #authentication: Record<AuthenticationResult, Histogram> = {
    success: histogram(bounds),
    failure: histogram(bounds),
    error: histogram(bounds),
  }
  readonly #authorization: Record<AuthorizationResult, Histogram> = {
    allowed: histogram(bounds),
    denied: histogram(bounds),
    'no-opinion': histogram(bounds),
    error: histogram(bounds),
  }
  readonly #users = new Map<string, { count: number }>()

  authenticated(result: AuthenticationResult, seconds: number, username?: string): void {
    observe(this.#authentication[result], seconds)
    if (username === undefined) return
    const name = shownName(username)
    const user = this.#users.get(name)
    if (user) user.count++
    else this.#users.set(name, { count: 1 })
  }

  authorized(result: AuthorizationResult, seconds: number): void {
    observe(this.#authorization[result], seconds)
  }

  /** The Prometheus text form. */
  toString(): string {
    const used = (of: Record<string, Histogram>) => Object.entries(of).filter(([, { count }]) => count > 0)
    const counts = (of: Record<string, Histogram>) => used(of).map(([result, { count }]) => [`result="${result}"`, count] as const)
    const times = (of: Record<string, Histogram>) => used(of).map(([result, value]) => [`result="${result}"`, value] as const)
    return [
      metricFamily(
        'authenticated_user_requests',
        'counter',
        'Requests by the kind of their user',
        [...this.#users].map(([name, { count }]) => [`username="${name}"`, count] as const),
      ),
      metricFamily('authentication_attempts', 'counter', 'Requests by what became of their authentication', counts(this.#authentication)),
      histogramFamily('authentication_duration_seconds', 'Time that authentication took', times(this.#authentication)),
      metricFamily('authorization_attempts_total', 'counter', 'Requests by what became of their authorization', counts(this.#authorization)),
      histogramFamily('authorization_duration_seconds', 'Time that authorization took', times(this.#authorization)),
    ].join('')
  }
}

const known = new Set(['admin', 'client', 'kube_proxy', 'kubelet', 'system:serviceaccount:kube-system:default'])

/** Names of users are nobody's business who reads metrics: only upstream's few are shown. */
function shownName(username: string): string {
  return known.has(username) ? username : username.includes('@') ? 'email_id' : 'other'
}
