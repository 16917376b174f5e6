import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { letThrough, orderJobs } from './requires.ts'
import type { PlannedJob } from './requires.ts'
import { compileFor, outline, problemLines } from './testing.ts'

const planned = (name: string, passes: boolean, requires: string[]): PlannedJob => ({
  name,
  explicit: false,
  at: { line: 1, column: 1 },
  type: 'build',
  passes,
  contexts: [],
  wants: [],
  resolved: requires.map((job) => ({ job, on: ['success'] })),
})

const rows: { name: string; jobs: PlannedJob[]; runs: string[] }[] = [
  { name: 'a job without requirements runs when it passes', jobs: [planned('a', true, []), planned('b', false, [])], runs: ['a'] },
  {
    name: 'a requirement that does not run is forgotten',
    jobs: [planned('a', true, []), planned('b', false, []), planned('c', true, ['a', 'b'])],
    runs: ['a', 'c<a'],
  },
  { name: 'a job whose requirements all do not run does not run', jobs: [planned('a', false, []), planned('b', true, ['a'])], runs: [] },
  {
    name: 'this goes on down the line',
    jobs: [planned('c', true, ['b']), planned('b', true, ['a']), planned('a', false, []), planned('d', true, [])],
    runs: ['d'],
  },
  { name: 'the order of the file stays', jobs: [planned('z', true, ['a']), planned('a', true, [])], runs: ['z<a', 'a'] },
]

const shown = (jobs: PlannedJob[]) =>
  jobs.map(({ name, resolved }) => (resolved.length > 0 ? `${name}<${resolved.map(({ job }) => job).join()}` : name))

for (const { name, jobs, runs } of rows) test(name, () => assert.deepEqual(shown(letThrough(jobs, orderJobs(jobs).order)), runs))

/** Jobs that require only earlier ones, in any order. */
const graph = fc
  .array(fc.tuple(fc.boolean(), fc.array(fc.nat(20), { maxLength: 4 })), { maxLength: 20 })
  .map((list) =>
    list.map(([passes, wanted], index) =>
      planned(`j${index}`, passes, [...new Set(wanted.filter((other) => other < index).map((other) => `j${other}`))]),
    ),
  )
  .chain((jobs) => fc.shuffledSubarray(jobs, { minLength: jobs.length, maxLength: jobs.length }))

test('what runs is what is left when nothing more can be taken away', () => {
  fc.assert(
    fc.property(graph, (jobs) => {
      const { order, cycle } = orderJobs(jobs)
      assert.equal(cycle, undefined)
      assert.equal(new Set(order).size, jobs.length)
      let left = jobs.filter((job) => job.passes)
      for (let before = -1; before !== left.length;) {
        before = left.length
        left = left.filter((job) => job.resolved.length === 0 || job.resolved.some(({ job: name }) => left.some((other) => other.name === name)))
      }
      assert.deepEqual(
        letThrough(jobs, order).map(({ name }) => name),
        left.map(({ name }) => name),
      )
    }),
  )
})

test('a ring is found wherever it hangs', () => {
  const ring = fc.tuple(graph, fc.nat(), fc.nat()).filter(([jobs]) => jobs.length > 0)
  fc.assert(
    fc.property(ring, ([jobs, from, to]) => {
      // A job, and one that it waits for by any way, wait for one another once this edge is there.
      const byName = new Map(jobs.map((job) => [job.name, job]))
      const last = jobs[from % jobs.length]!
      const reachable = new Set([last])
      for (const job of reachable) for (const { job: name } of job.resolved) reachable.add(byName.get(name)!)
      const first = [...reachable][to % reachable.size]!
      first.resolved.push({ job: last.name, on: ['success'] })
      const { cycle } = orderJobs(jobs)
      assert.ok(cycle)
      for (const [index, job] of cycle.entries()) assert.ok(job.resolved.some(({ job: name }) => name === cycle[(index + 1) % cycle.length]!.name))
    }),
  )
})

test('a chain that is longer than the call stack', () => {
  const jobs = Array.from({ length: 100_000 }, (_, index) => planned(`j${index}`, true, index > 0 ? [`j${index - 1}`] : []))
  const { order } = orderJobs(jobs.toReversed())
  assert.equal(order[0]?.name, 'j0')
  assert.equal(letThrough(jobs, order).length, jobs.length)
})

test('a matrix makes a job for each combination that is not excluded, with names of their own', () => {
  const values = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 })
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.option(fc.integer({ min: 0, max: 9 }))), { maxLength: 4 })
  fc.assert(
    fc.property(values, values, pairs, (as, bs, without) => {
      const kept = as.flatMap((a) => bs.filter((b) => !without.some(([x, y]) => x === a && (y === null || y === b))).map((b) => `  t-${a}-${b}`))
      const exclude = without.map(([a, b]) => (b === null ? `{a: ${a}}` : `{b: ${b}, a: ${a}}`)).join(', ')
      const job = 'parameters: {a: {type: integer}, b: {type: integer}}, machine: true, steps: [{run: "<< parameters.a >> << parameters.b >>"}]'
      const result = compileFor(
        `version: 2.1\njobs: {t: {${job}}}\nworkflows: {w: {jobs: [{t: {matrix: {parameters: {a: [${as.join()}], b: [${bs.join()}]}, exclude: [${exclude}]}}}]}}\n`,
      )
      if (kept.length === 0) assert.match(problemLines(result).join(), /the matrix excludes all of its jobs/)
      else assert.deepEqual(result.ok && outline(result.config, 'jobs'), ['w', ...kept])
    }),
  )
})
