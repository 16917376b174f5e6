import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileFor, problemLines } from './testing.ts'

const head = 'version: 2.1\n'
const job = 'jobs:\n  build:\n    docker:\n      - image: a:1\n    steps:\n'
const lines = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, index) => line(index)).join('')
const workflow = 'jobs:\n  t:\n    docker: [{image: "a:1"}]\n    steps: [checkout]\nworkflows:\n  w:\n    jobs:\n'
const whole = (text: string) => text.slice(0, text.lastIndexOf('\n', 512 * 1024))

/** Small files that ask for much. Each is refused, and soon: the time limit is a hundred times what it takes. */
const rows: { name: string; text: string; says: RegExp }[] = [
  { name: 'a file that is too long', text: '#'.repeat(600_000), says: /characters; a configuration may have/ },
  { name: 'lists in lists', text: '['.repeat(100_000), says: /nested too deeply/ },
  { name: 'maps in maps', text: '{a: '.repeat(50_000), says: /nested too deeply/ },
  { name: 'maps within the stack, but not within reason', text: lines(100, (i) => `${' '.repeat(i)}a:\n`), says: /nested more than 64 levels/ },
  {
    name: 'aliases of aliases',
    text: `${head}a0: &a0 [x, x]\n${lines(40, (i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`)}`,
    says: /stand for too much/,
  },
  {
    name: 'a chain of aliases',
    text: `${head}a0: &a0 [x]\n${lines(5000, (i) => `a${i + 1}: &a${i + 1} [*a${i}]\n`)}`,
    says: /nested more than 64 levels/,
  },
  { name: 'an alias of itself', text: `${head}a: &a [*a]`, says: /has no anchor &a above it/ },
  {
    name: 'merge keys without end',
    text: whole(`${head}a: &a {${lines(5000, (i) => `k${i}: 1, `)}}\n${lines(9000, (i) => `b${i}: {<<: *a}\n`)}`),
    says: /merge keys of this file add up to too much/,
  },
  {
    name: 'commands that double',
    text: `${head}commands:\n  c0:\n    steps: [checkout]\n${lines(60, (i) => `  c${i + 1}:\n    steps: [c${i}, c${i}]\n`)}${job}      - c60\n`,
    says: /grows too large/,
  },
  {
    name: 'a chain of commands',
    text: `${head}commands:\n  c0:\n    steps: [checkout]\n${lines(5000, (i) => `  c${i + 1}:\n    steps: [c${i}]\n`)}${job}      - c5000\n`,
    says: /nest more than 100 levels/,
  },
  {
    name: 'a text that doubles',
    text: `${head}commands:\n  c0:\n    parameters: {p: {type: string}}\n    steps: [{run: << parameters.p >>}]\n${lines(60, (i) => `  c${i + 1}:\n    parameters: {p: {type: string}}\n    steps: [{c${i}: {p: "<< parameters.p >><< parameters.p >>"}}]\n`)}${job}      - c60: {p: xx}\n`,
    says: /the text grows beyond/,
  },
  {
    name: 'matrix after matrix',
    text: `${head}jobs:\n  t:\n    parameters: {a: {type: integer}, b: {type: integer}}\n    docker: [{image: "a:1"}]\n    steps: [{run: "echo << parameters.a >> << parameters.b >>"}]\nworkflows:\n${lines(3000, (i) => `  w${i}: {jobs: [{t: {matrix: {parameters: {a: [1,2,3,4,5,6,7,8], b: [1,2,3,4,5,6,7,8]}}}}]}\n`)}`,
    says: /grows too large/,
  },
  {
    name: 'a pattern that repeats repetitions',
    text: `${head}${workflow}      - t: {filters: {branches: {only: "/((x{900}){900}){900}/"}}}\n`,
    says: /repeats too much/,
  },
  {
    name: 'many patterns',
    text: whole(`${head}${workflow}${lines(9000, (i) => `      - t: {name: n${i}, filters: {branches: {only: "/(((x{9}){9}){9}y)*${i}/"}}}\n`)}`),
    says: /grows too large/,
  },
  {
    name: 'a workflow that no object holds',
    text: `${head}${workflow}${lines(2000, (i) => `      - t: {name: n${i}, context: [${'abcdefghij'.repeat(15)}, ${'klmnopqrst'.repeat(5)}]}\n`)}`,
    says: /it may have 1000000/,
  },
  { name: 'very many mistakes', text: `${head}${job}${lines(20_000, (i) => `      - chekcout${i}\n`)}`, says: /more than 100 problems/ },
]

for (const { name, text, says } of rows) {
  test(`refused without harm: ${name}`, { timeout: 60_000 }, () => {
    const problems = problemLines(compileFor(text))
    assert.ok(
      problems.some((line) => says.test(line)),
      problems.slice(0, 5).join('\n'),
    )
    assert.ok(problems.length <= 101)
  })
}

test('no pattern takes long: a thousand choices on a name that fits none', { timeout: 60_000 }, () => {
  const text = `${head}${workflow}      - t: {filters: {branches: {only: "/(a*)*(a|aa)+(a|a?)+b/"}}}\n`
  assert.ok(compileFor(text, { branch: 'a'.repeat(5000) }).ok)
})

test('names that JavaScript’s objects have are names like others', () => {
  const text = `${head}jobs:\n  constructor:\n    docker: [{image: "a:1"}]\n    environment: {__proto__: x, constructor: y, toString: z}\n    steps: [{run: x}]\nworkflows: {w: {jobs: [constructor]}}`
  const result = compileFor(text, { parameters: {} })
  assert.ok(result.ok, problemLines(result).join('\n'))
  const environment = result.config.workflows[0]!.jobs[0]!.job!.environment
  assert.deepEqual(Object.keys(environment), ['__proto__', 'constructor', 'toString'])
  assert.deepEqual(problemLines(compileFor(`${head}${job}      - toString\n      - constructor: {}\n`)).length, 2)
})
