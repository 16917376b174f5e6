// npm test [PART…]: everything that must pass, or the named parts of it: check, unit, e2e.
import { spawn, spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { dropOldTestClusters } from '../test/e2e/cluster.ts'

const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const asked = process.argv.slice(2)

/** End to end tests that look at everything on the machine, or hold requests against a clock: nothing runs beside them. */
const wholeMachine = new Set(['app', 'down', 'ingress', 'story'])

const parts: Record<string, () => void | Promise<void>> = {
  check() {
    run(bin('tsc'), '--noEmit')
    run(bin('oxlint'), '--deny-warnings')
    run(bin('oxfmt'), '--check')
  },
  unit() {
    test(
      4,
      globSync(['src/**/*.test.ts', 'test/*.test.ts', 'test/{conformance,contract,controllers,differential,fuzz,linearizability}/**/*.test.ts'], {
        cwd: root,
      }),
    )
  },
  async e2e() {
    if (process.getuid?.() !== 0) return console.log('e2e: skipped, it needs root (network namespaces and containerd)')
    dropOldTestClusters()
    const files = globSync('test/e2e/*.test.ts', { cwd: root }).sort()
    const alone = files.filter((file) => wholeMachine.has(basename(file, '.test.ts')))
    // most of a test's time is waiting: two at a time keep two cores busy
    const together = files.filter((file) => !alone.includes(file))
    await Promise.all([1, 2].map(() => lane(together)))
    await lane(alone)
  },
}

for (const name of asked) if (!(name in parts)) fail(`no part ${name}: there are ${Object.keys(parts).join(', ')}`)
for (const [name, part] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) await part()

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

/** Runs test files one after the other until none is left; each file's output comes in one piece. */
async function lane(files: string[]): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    // these drive a whole machine against its clocks: what fails once is given a second chance, and said
    if (await attemptAside(file)) continue
    console.log(`${file}: failed, once more`)
    if (!(await attemptAside(file))) process.exit(1)
  }
}

function attemptAside(file: string): Promise<boolean> {
  const started = performance.now()
  const child = spawn(process.execPath, testing(1, [file]), { cwd: root, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk))
  return new Promise((resolve) =>
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(said))
      console.log(`${file}: ${code === 0 ? 'ok' : 'failed'}, ${((performance.now() - started) / 1000).toFixed(1)} s`)
      resolve(code === 0)
    }),
  )
}

/** The tools are told which Node to use by their PATH: the system's may be too old for them. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` }
}

/** Runs a program and says how it went. */
function attempt(program: string, ...args: string[]): boolean {
  const started = performance.now()
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: environment() })
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
