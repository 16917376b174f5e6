import type { DeepReadonly, autoscaling } from '#api'

/** What was decided and done earlier; kept by the controller from round to round. */
export interface ScalingHistory {
  recommendations: { at: number; replicas: number }[]
  /** Changes made: positive when the target grew. */
  events: { at: number; change: number }[]
}

export const emptyHistory = (): ScalingHistory => ({ recommendations: [], events: [] })

type Rules = DeepReadonly<autoscaling.HPAScalingRules>

const defaultUp: Rules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}
const defaultDown: Rules = { stabilizationWindowSeconds: 300, selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }

export interface BehaviorInput {
  spec: DeepReadonly<autoscaling.HorizontalPodAutoscalerSpec>
  current: number
  desired: number
  history: ScalingHistory
  now: number
}

export interface Bounded {
  replicas: number
  /** Why the recommendation was not followed, for the AbleToScale condition. */
  stabilized: boolean
  limited?: { reason: string; message: string }
}

/**
 * The recommendation held back by stabilization windows, the rates of `behavior`, and the minimum and maximum (KEP-853). Adds the recommendation to the
 * history, and forgets what is older than any window.
 */
export function bound({ spec, current, desired, history, now }: BehaviorInput): Bounded {
  const up = { ...defaultUp, ...spec.behavior?.scaleUp }
  const down = { ...defaultDown, ...spec.behavior?.scaleDown }
  const windows = { up: (up.stabilizationWindowSeconds ?? 0) * 1000, down: (down.stabilizationWindowSeconds ?? 300) * 1000 }
  history.recommendations.push({ at: now, replicas: desired })
  history.recommendations = history.recommendations.filter((r) => r.at > now - Math.max(windows.up, windows.down) || r.at === now)
  const within = (window: number) => history.recommendations.filter((r) => r.at === now || r.at > now - window).map((r) => r.replicas)
  // grow only as far as everything in the window asked for; shrink only as far as everything in the window allowed
  const floor = Math.min(...within(windows.up))
  const ceiling = Math.max(...within(windows.down))
  const steady = Math.min(Math.max(current, floor), ceiling)
  const stabilized = steady !== desired

  const min = spec.minReplicas ?? 1
  const max = spec.maxReplicas
  if (steady > current) {
    const rate = growLimit(up, current, history, now)
    const limit = Math.min(Math.max(rate, current), max)
    if (steady > limit)
      return {
        replicas: limit,
        stabilized,
        limited:
          limit === max ? tooMany : { reason: 'ScaleUpLimit', message: 'the desired replica count is increasing faster than the maximum scale rate' },
      }
    return steady < min ? { replicas: min, stabilized, limited: tooFew } : { replicas: steady, stabilized }
  }
  if (steady < current) {
    const rate = shrinkLimit(down, current, history, now)
    const limit = Math.max(Math.min(rate, current), min)
    if (steady < limit)
      return {
        replicas: limit,
        stabilized,
        limited:
          limit === min
            ? tooFew
            : { reason: 'ScaleDownLimit', message: 'the desired replica count is decreasing faster than the maximum scale rate' },
      }
    return steady > max ? { replicas: max, stabilized, limited: tooMany } : { replicas: steady, stabilized }
  }
  if (current > max) return { replicas: max, stabilized, limited: tooMany }
  if (current < min) return { replicas: min, stabilized, limited: tooFew }
  // it stays where it is: a bound is the reason when it stands there, a window otherwise
  if (desired > max && current === max) return { replicas: current, stabilized, limited: tooMany }
  if (desired < min && current === min) return { replicas: current, stabilized, limited: tooFew }
  return { replicas: current, stabilized }
}

const tooMany = { reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' }
const tooFew = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' }

/** Every policy allows up to some number, counted from where the target was when its period began. */
function growLimit(rules: Rules, current: number, history: ScalingHistory, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = (rules.policies ?? []).map((policy) => {
    const start = current - changed(history, policy.periodSeconds, now, 1)
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits)
}

function shrinkLimit(rules: Rules, current: number, history: ScalingHistory, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = (rules.policies ?? []).map((policy) => {
    const start = current - changed(history, policy.periodSeconds, now, -1)
    return policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits)
}

const changed = (history: ScalingHistory, seconds: number, now: number, sign: 1 | -1) =>
  history.events.filter((e) => e.at > now - seconds * 1000 && Math.sign(e.change) === sign).reduce((sum, e) => sum + e.change, 0)
