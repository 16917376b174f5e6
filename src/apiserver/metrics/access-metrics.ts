import type { Histogram } from '#base'
import { histogram, histogramFamily, metricFamily, observe } from '#base'

/** Upstream's: 1 ms to 16 s. */
const bounds = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)

const [hour, day] = [3600, 86_400]
/** Upstream's: half an hour to a year, seconds. */
const lifetimes = [0, hour / 2, hour, 2 * hour, 6 * hour, 12 * hour, day, 2 * day, 4 * day, 7 * day, 30 * day, 90 * day, 180 * day, 360 * day]

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
  readonly #certificates = histogram(lifetimes)
  readonly #users = new Map<string, { count: number }>()

  authenticated(result: AuthenticationResult, seconds: number, username?: string): void {
    observe(this.#authentication[result], seconds)
    if (username === undefined) return
    const name = shownName(username)
    const user = this.#users.get(name)
    if (user) user.count++
    else this.#users.set(name, { count: 1 })
  }

  /** A connection was opened with a client certificate that is good for so long. */
  certificateSeen(seconds: number): void {
    observe(this.#certificates, seconds)
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
      histogramFamily('apiserver_client_certificate_expiration_seconds', 'How long the certificates of clients are still good for', [
        ['', this.#certificates],
      ]),
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
