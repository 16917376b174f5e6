import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runTestFile } from '../tools/test-file.ts'

const head = `import { spawn } from 'node:child_process'\nimport { describe, test } from 'node:test'\nconst never = () => new Promise(() => setInterval(() => {}, 1000))\n`

const cases: { name: string; code: string; limitMs?: number; passed: number; failures: [name: string, message: RegExp][]; output?: RegExp }[] = [
  {
    name: 'what passes is counted, suites are not',
    code: `describe('s', () => { test('a', () => {}); test('b', () => {}) })`,
    passed: 2,
    failures: [],
  },
  {
    name: 'what fails is told with its reason, and the others go on',
    code: `test('a', () => { throw new Error('because') }); test('b', () => {})`,
    passed: 1,
    failures: [['a', /because/]],
  },
  {
    name: 'a failure in a suite is told once',
    code: `describe('s', () => { test('a', () => { throw new Error('because') }) })`,
    passed: 0,
    failures: [['a', /because/]],
  },
  {
    name: 'what a test tells about itself, such as its seed, is told',
    code: `test('a', (t) => { t.diagnostic('seed 7'); t.diagnostic('seed: 8') })`,
    passed: 1,
    failures: [],
    output: /seed 7\nseed: 8/,
  },
  {
    name: 'what it leaves running goes with it, and what left its group is not waited for',
    code: `test('a', () => { console.log('said'); for (const detached of [false, true]) spawn('sleep', [detached ? '5' : '120'], { stdio: 'inherit', detached }).unref() })`,
    limitMs: 60_000,
    passed: 1,
    failures: [],
    output: /said/,
  },
  {
    name: 'a file that cannot be loaded fails',
    code: `throw new Error('broken')`,
    passed: 0,
    failures: [['the file', /exit code 1/]],
  },
  {
    name: 'a file that ends before its tests do fails',
    code: `test('a', () => process.exit(3))`,
    passed: 0,
    failures: [['the file', /exit code 3/]],
  },
  {
    name: 'a file whose process is killed fails',
    code: `test('a', () => process.kill(process.pid, 'SIGKILL'))`,
    passed: 0,
    failures: [['the file', /SIGKILL/]],
  },
  {
    name: 'an error that comes when its test has ended fails the file',
    code: `test('a', () => void setTimeout(() => { throw new Error('late') }, 20)); test('b', () => new Promise((done) => setTimeout(done, 200)))`,
    passed: 2,
    failures: [['the file', /exit code/]],
    output: /Error: late/,
  },
  {
    name: 'a test that hangs fails, and its file ends',
    code: `test('a', () => {}); test('b', never)`,
    limitMs: 10_000,
    passed: 1,
    failures: [
      ['b', /timed out/],
      ['the file', /did not end within 10 s/],
    ],
  },
  {
    name: 'a file that leaves something open fails',
    code: `test('a', () => void never())`,
    limitMs: 10_000,
    passed: 1,
    failures: [['the file', /did not end within 10 s/]],
  },
]

describe('a file of tests', { concurrency: true }, () => {
  for (const { name, code, limitMs = 120_000, passed, failures, output = /(?:)/ } of cases)
    test(name, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'k8ts-test-file-'))
      try {
        const file = join(dir, 'x.test.mjs')
        writeFileSync(file, head + code)
        const result = await runTestFile(file, { limitMs, testLimitMs: 2000 })
        const failed = result.failures.map((failure) => failure.name)
        assert.deepEqual({ passed: result.passed, failed }, { passed, failed: failures.map(([name]) => name) })
        for (const [i, [, message]] of failures.entries()) assert.match(result.failures[i]!.message, message)
        assert.match(result.output, output)
        assert.equal(result.ok, failures.length === 0)
      } finally {
        rmSync(dir, { recursive: true })
      }
    })
})
