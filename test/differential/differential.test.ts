// The same requests to the reference and to our API server: this sends them to ours and compares what comes back with what Kubernetes 1.20 answered.
//
// requests/TOPIC.ts     the requests, as data
// recorded/TOPIC.json   the reference's answers, written by `npm run differential -- --record [TOPIC…]` with the reference running (url: K8TS_REFERENCE)
// normalize.ts          takes out what differs every time
// deviations.ts         every difference that remains, with its reason; what is not there fails
//
// `npm run differential -- [TOPIC…]` prints the differences of our server without the test around them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Deviation } from './deviations.ts'
import { deviations } from './deviations.ts'
import { judge } from './judge.ts'
import { play } from './play.ts'
import { readRecorded } from './recorded.ts'
import { topics } from './requests/index.ts'
import type { Target } from './send.ts'
import { ours } from './target.ts'

let target: Target
before(async () => {
  target = await ours()
})
after(() => target[Symbol.asyncDispose]())

const needed = new Set<Deviation>()

for (const [name, topic] of Object.entries(topics)) {
  test(`${name}: answers are the reference's, apart from deviations with a reason`, async () => {
    const recorded = readRecorded(name)
    const answers = await play(target, topic)
    const unexplained: Record<string, string[]> = {}
    for (const [request, answer] of answers) {
      const verdict = judge(name, request, answer, recorded[request]!)
      for (const deviation of verdict.needed) needed.add(deviation)
      if (verdict.unexplained.length > 0) unexplained[request] = verdict.unexplained
    }
    assert.deepEqual(unexplained, {})
    assert.deepEqual([...answers.keys()], Object.keys(recorded), 'requests and recordings are of one mind')
  })
}

test('every listed deviation is still one', () => {
  assert.deepEqual(
    deviations.filter((deviation) => !needed.has(deviation)),
    [],
  )
})
