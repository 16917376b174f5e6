/** A container could not be started; `reason` and the message become its waiting state. */
export class StartFailure extends Error {
  readonly reason: string
  /** When to try again, wall-clock milliseconds; the worker decides when absent. */
  readonly retryAt: number | undefined
  constructor(reason: string, message: string, options?: ErrorOptions & { retryAt?: number }) {
    super(message, options)
    this.name = 'StartFailure'
    this.reason = reason
    this.retryAt = options?.retryAt
  }
}

/** A pod cannot have a sandbox here; `reason` is the event's. */
export class SandboxFailure extends Error {
  readonly reason: 'FailedCreatePodSandBox' | 'FailedPrepareDynamicResources'
  constructor(message: string, reason: SandboxFailure['reason'] = 'FailedCreatePodSandBox') {
    super(message)
    this.name = 'SandboxFailure'
    this.reason = reason
  }
}

/** A duration as Go prints it: `10s`, `1m20s`, `5m0s`, `1.5s`. */
export function goDuration(ms: number): string {
  if (ms < 1000) return ms === 0 ? '0s' : `${ms}ms`
  const seconds = ms / 1000
  const h = Math.floor(seconds / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  const s = Number((seconds % 60).toFixed(3))
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`
}
