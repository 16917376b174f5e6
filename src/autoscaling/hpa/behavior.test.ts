import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { autoscaling } from '#api'
import { bound, emptyHistory } from './behavior.ts'

const spec = (part: Partial<autoscaling.HorizontalPodAutoscalerSpec>): autoscaling.HorizontalPodAutoscalerSpec => ({
  minReplicas: 2,
  maxReplicas: 5,
  scaleTargetRef: { kind: 'Deployment', name: 'app' },
  ...part,
})
const window = (down: number, up = 0) =>
  spec({ behavior: { scaleDown: { stabilizationWindowSeconds: down }, scaleUp: { stabilizationWindowSeconds: up } } })

/** Rounds as [second, current, what the metrics ask for, what is decided, why not what was asked for]. */
type Round = [second: number, current: number, desired: number, replicas: number, limited?: string]
const cases: [name: string, spec: autoscaling.HorizontalPodAutoscalerSpec, rounds: Round[]][] = [
  ['more is followed at once', window(60), [[0, 2, 3, 3]]],
  ['more than the maximum is the maximum', window(60), [[0, 2, 9, 5, 'TooManyReplicas']]],
  [
    'less waits until the window is over',
    window(60),
    [
      [0, 2, 3, 3],
      [15, 3, 2, 3],
      [59, 3, 2, 3],
      [60, 3, 2, 2],
    ],
  ],
  [
    'less than the minimum waits for the window, too',
    window(60),
    [
      [0, 2, 4, 4],
      [15, 4, 1, 4],
      [60, 4, 1, 2, 'TooFewReplicas'],
      [75, 2, 1, 2, 'TooFewReplicas'],
    ],
  ],
  [
    'more than the maximum waits for a window of growth',
    window(0, 30),
    [
      [0, 3, 3, 3],
      [15, 3, 9, 3],
      [30, 3, 9, 5, 'TooManyReplicas'],
      [45, 5, 9, 5, 'TooManyReplicas'],
    ],
  ],
  ['a target below the minimum grows to it', window(60), [[0, 1, 1, 2, 'TooFewReplicas']]],
  ['a target above the maximum shrinks to it', window(60), [[0, 7, 7, 5, 'TooManyReplicas']]],
]
for (const [name, of, rounds] of cases)
  test(name, () => {
    const history = emptyHistory()
    for (const [second, current, desired, replicas, limited] of rounds) {
      const answer = bound({ spec: of, current, desired, history, now: second * 1000 })
      assert.deepEqual([answer.replicas, answer.limited?.reason], [replicas, limited], `after ${second} s`)
      if (replicas !== current) history.events.push({ at: second * 1000, change: replicas - current })
    }
  })
