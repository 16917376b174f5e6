// npm test [PART…]: everything that must pass, or the named parts of it: check, unit, e2e.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { dropOldTestClusters } from '../test/e2e/cluster.ts'

const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const asked = process.argv.slice(2)

const parts: Record<string, () => void> = {
  check() {
    // the tools are told which Node to use by their PATH: the system's may be too old for them
    run(bin('tsc'), '--noEmit')
    run(bin('oxlint'), '--deny-warnings')
    run(bin('oxfmt'), '--check')
  },
  unit() {
    test(4, globSync(['src/**/*.test.ts', 'test/*.test.ts', 'test/{contract,controllers,differential,linearizability}/**/*.test.ts'], { cwd: root }))
  },
  e2e() {
    if (process.getuid?.() !== 0) return console.log('e2e: skipped, it needs root (network namespaces and containerd)')
    dropOldTestClusters()
    for (const file of globSync('test/e2e/*.test.ts', { cwd: root }).sort()) {
      // these drive a whole machine against its clocks: what fails once is given a second chance, and said
      if (attempt(process.execPath, ...testing(1, [file]))) continue
      console.log(`${file}: failed, once more`)
      run(process.execPath, ...testing(1, [file]))
    }
  },
}

for (const name of asked) if (!(name in parts)) fail(`no part ${name}: there are ${Object.keys(parts).join(', ')}`)
for (const [name, part] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) part()

function test(concurrency: number, files: string[]): void {
  run(process.execPath, ...testing(concurrency, files.sort()))
}

function testing(concurrency: number, files: string[]): string[] {
  const reporter = ['--test-reporter', join(root, 'tools/test-summary.ts'), '--test-reporter-destination=stdout']
  return ['--test', `--test-concurrency=${concurrency}`, '--test-timeout=600000', ...reporter, ...files]
}

function run(program: string, ...args: string[]): void {
  if (!attempt(program, ...args)) process.exit(1)
}

/** Runs a program and says how it went. */
function attempt(program: string, ...args: string[]): boolean {
  const started = performance.now()
  const env = { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` }
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env })
  if (error) throw error
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const name = [program.split('/').at(-1), ...args.filter((a) => !a.includes('reporter') && !a.includes('test-summary'))].slice(0, 5).join(' ')
  console.log(`${name}: ${status === 0 ? 'ok' : 'failed'}, ${seconds} s`)
  return status === 0
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
