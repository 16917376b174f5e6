import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { compilePattern } from './pattern.ts'
import { createBudget } from './problems.ts'
import { shellWords } from './shell-words.ts'
import { compileFor } from './testing.ts'
import type { Trigger } from './testing.ts'

const folder = join(import.meta.dirname, 'examples')
const examples = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
const words = [...new Set(examples.flatMap((text) => text.match(/[\w.-]+|<<|>>|[^\s\w]/g) ?? []))]

/** What holds for any text: it compiles or says where it is wrong, the same each time, and what it compiles to is sound. */
function check(text: string, trigger: Trigger): void {
  const result = compileFor(text, trigger)
  assert.deepEqual(compileFor(text, trigger), result)
  const lastLine = text.split(/\r\n|\n|\r/).length
  for (const problem of result.ok ? result.warnings : result.problems) {
    assert.ok(problem.line >= 1 && problem.line <= lastLine, `line ${problem.line} of ${lastLine}: ${problem.message}`)
    assert.ok(problem.column >= 1)
    assert.notEqual(problem.message, '')
  }
  if (!result.ok) {
    assert.notEqual(result.problems.length, 0)
    return
  }
  for (const workflow of result.config.workflows) {
    const names = workflow.jobs.map((job) => job.name)
    assert.equal(new Set(names).size, names.length)
    const started = new Set<string>()
    for (let before = -1; before !== started.size;) {
      before = started.size
      for (const job of workflow.jobs) if (job.requires.every((required) => started.has(required.job))) started.add(job.name)
    }
    assert.equal(started.size, names.length, 'every job can start at some time')
    for (const { type, job } of workflow.jobs) {
      assert.equal(job === undefined, type !== 'build')
      if (!job) continue
      assert.ok(job.parallelism >= 1)
      for (const step of job.steps) {
        assert.notEqual(step.name, '')
        assert.ok(step.source.line <= lastLine)
      }
    }
  }
  // Plain JSON, as an object of the API holds it.
  assert.deepEqual(JSON.parse(JSON.stringify(result.config)), result.config)
}

const trigger = fc.record({ branch: fc.constantFrom('main', 'release/1', 'docs-x') }, { requiredKeys: [] }) as fc.Arbitrary<Trigger>
const numRuns = Number(process.env.FUZZ_RUNS ?? 300)

test('any text', () => fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), trigger, check), { numRuns }))

test('any words of configurations', () => {
  const token = fc.tuple(fc.constantFrom(...words), fc.constantFrom(' ', ': ', '\n', '\n  ', '\n    - ', '\n      ', ''))
  const text = fc.array(token, { maxLength: 120 }).map((tokens) => `version: 2.1\n${tokens.map(([word, space]) => word + space).join('')}`)
  fc.assert(fc.property(text, trigger, check), { numRuns })
})

test('examples with lines taken out, doubled, moved and changed', () => {
  const change = fc.record({
    at: fc.nat(200),
    kind: fc.constantFrom('drop', 'double', 'indent', 'outdent', 'swap', 'word'),
    word: fc.constantFrom(...words),
    which: fc.nat(20),
  })
  const text = fc.tuple(fc.constantFrom(...examples), fc.array(change, { minLength: 1, maxLength: 6 })).map(([example, changes]) => {
    const lines = example.split('\n')
    for (const { at, kind, word, which } of changes) {
      const index = at % lines.length
      const line = lines[index]!
      if (kind === 'drop') lines.splice(index, 1)
      else if (kind === 'double') lines.splice(index, 0, line)
      else if (kind === 'indent') lines[index] = `  ${line}`
      else if (kind === 'outdent') lines[index] = line.replace(/^ {2}/, '')
      else if (kind === 'swap') [lines[index], lines[(index + 1) % lines.length]] = [lines[(index + 1) % lines.length]!, line]
      else
        lines[index] = line
          .split(/(?<=\s)/)
          .map((part, i, all) => (i === which % all.length ? `${word}${/\s$/.test(part) ? ' ' : ''}` : part))
          .join('')
      if (lines.length === 0) lines.push('')
    }
    return lines.join('\n')
  })
  fc.assert(fc.property(text, trigger, check), { numRuns: numRuns * 3 })
})

test('any values in the places of configurations', () => {
  const keys = words.filter((word) => /^[a-z_-]+$/.test(word))
  const leaf = fc.oneof(
    fc.constantFrom(...words, '<< parameters.a >>', '<< pipeline.number >>', '<< matrix.a >>', 'pipeline.git.branch == "main"'),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string(),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 4 }),
    ),
  }))
  const config = fc.record(
    { version: fc.constant(2.1), jobs: tree, commands: tree, executors: tree, parameters: tree, orbs: tree, workflows: tree },
    { requiredKeys: ['version', 'jobs', 'workflows'] },
  )
  fc.assert(
    fc.property(config, trigger, (value, how) => check(stringify(value, { aliasDuplicateObjects: false }), how)),
    { numRuns },
  )
})

test('words that were quoted come back', () => {
  const quote = (word: string) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 6 }), (list) => assert.deepEqual(shellWords(list.map(quote).join('  ')), list)),
    { numRuns },
  )
})

test('a pattern of a name’s own letters matches that name alone', () => {
  const budget = createBudget(Number.MAX_SAFE_INTEGER)
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), (name, other) => {
      const pattern = compilePattern(name.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`), { line: 1, column: 1 }, budget)
      assert.ok(pattern.ok)
      assert.equal(pattern.value(name), true)
      assert.equal(pattern.value(other), name === other)
      assert.equal(pattern.value(`${name}x`), false)
    }),
    { numRuns },
  )
})
