// The same requests to the reference and to our API server: this sends them to ours and compares what comes back with what Kubernetes 1.20 and the libraries of
// 1.36 answered.
//
// requests/TOPIC.ts     the requests, as data
// recorded/RELEASE/     the references' answers, written by `npm run differential -- [--release 1.36] --record [TOPIC…]` with the reference running
//                       (url: K8TS_REFERENCE)
// reference-1.36/       the reference of 1.36: a server of its generic machinery, built of Debian's packages
// normalize.ts          takes out what differs every time
// deviations*.ts        every difference that remains, with its reason; what is not there fails
//
// `npm run differential -- [--release 1.36] [TOPIC…]` prints the differences of our server without the test around them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Deviation } from './deviations.ts'
import { deviationsOf, judge } from './judge.ts'
import { play } from './play.ts'
import type { Release } from './recorded.ts'
import { readRecorded } from './recorded.ts'
import { topics } from './requests/index.ts'
import type { Target } from './send.ts'
import { ours } from './target.ts'

const releases = ['1.20', '1.36'] as const
const targets = {} as Record<Release, Target>
before(async () => {
  for (const release of releases) targets[release] = await ours(release)
})
after(async () => {
  for (const release of releases) await targets[release][Symbol.asyncDispose]()
})

const needed = new Set<Deviation>()
const all = releases.flatMap((release) => Object.entries(topics[release]).map(([name, topic]) => ({ release, name, topic })))

for (const { release, name, topic } of all) {
  test(`${name}: answers are those of ${release}, apart from deviations with a reason`, async () => {
    const recorded = readRecorded(name, release)
    const answers = await play(targets[release], topic)
    const unexplained: Record<string, string[]> = {}
    for (const [request, answer] of answers) {
      const verdict = judge(release, name, request, answer, recorded[request]!)
      for (const deviation of verdict.needed) needed.add(deviation)
      if (verdict.unexplained.length > 0) unexplained[request] = verdict.unexplained
    }
    assert.deepEqual(unexplained, {})
    assert.deepEqual([...answers.keys()], Object.keys(recorded), 'requests and recordings are of one mind')
  })
}

test('every listed deviation is still one', () => {
  assert.deepEqual(
    releases.flatMap((release) => deviationsOf[release]).filter((deviation) => !needed.has(deviation)),
    [],
  )
})
