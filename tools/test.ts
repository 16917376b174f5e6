// npm test [PART…]: everything that must pass, or the named parts of it: check, unit, e2e.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { dropOldTestClusters } from '../test/e2e/cluster.ts'
import { environment, runTestFile, type FileResult } from './test-file.ts'

const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const asked = process.argv.slice(2)

/** What takes longest begins first, so that nothing waits for it in the end. */
const longUnitTests = ['src/store/etcd/etcd-store', 'test/differential/differential', 'src/kubelet/kubelet', 'test/linearizability/linearizability']
const longEndToEndTests = ['story', 'registry', 'build', 'ci-git', 'kubectl', 'storage', 'ci', 'clusters'].map((name) => `test/e2e/${name}`)

/** End to end tests that look at everything on the machine, or measure what a load comes to: nothing runs beside them. */
const wholeMachine = new Set(['app', 'down', 'ingress'])

/** What failed at first, and passed when its file ran once more, alone. */
const neededSecondChance: FileResult[] = []

const parts: Record<string, () => void | Promise<void>> = {
  check() {
    run(bin('tsc'), '--noEmit')
    run(bin('oxlint'), '--deny-warnings')
    run(bin('oxfmt'), '--check')
  },
  async unit() {
    const started = performance.now()
    const files = globSync(['src/**/*.test.ts', 'test/*.test.ts', 'test/{conformance,contract,controllers,differential,fuzz,linearizability}/**/*.test.ts'], { cwd: root }) // prettier-ignore
    const results = await runFiles(longestFirst(files, longUnitTests), {
      lanes: 4,
      limitMs: 300_000,
      report: ({ ok }) => ok && process.stdout.write('.'),
    })
    console.log(`\n${counts(results)}; longest: ${longest(results, 5)}`)
    console.log(`unit: ok, ${seconds(started)}`)
  },
  async e2e() {
    if (process.getuid?.() !== 0) return console.log('e2e: skipped, it needs root (network namespaces and containerd)')
    const started = performance.now()
    dropOldTestClusters()
    const files = longestFirst(globSync('test/e2e/*.test.ts', { cwd: root }), longEndToEndTests)
    const alone = files.filter((file) => wholeMachine.has(basename(file, '.test.ts')))
    const limits = { limitMs: 900_000, beforeSecondChance: dropOldTestClusters, report: say }
    // most of a test's time is waiting: two at a time keep two cores busy
    const together = await runFiles(
      files.filter((file) => !alone.includes(file)),
      { lanes: 2, ...limits },
    )
    console.log(counts([...together, ...(await runFiles(alone, { lanes: 1, ...limits }))]))
    console.log(`e2e: ok, ${seconds(started)}`)
  },
}

for (const name of asked) if (!(name in parts)) fail(`no part ${name}: there are ${Object.keys(parts).join(', ')}`)
for (const [name, part] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) await part()
if (neededSecondChance.length > 0) console.log(`passed only when run once more:\n${failedTests(neededSecondChance)}`)

function longestFirst(files: string[], long: readonly string[]): string[] {
  const places = new Map(long.map((name, i) => [`${name}.test.ts`, i]))
  const place = (file: string) => places.get(file) ?? long.length
  return files.toSorted((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
}

interface RunOptions {
  /** How many files run at the same time. */
  lanes: number
  /** How long one of them may take, in milliseconds. */
  limitMs: number
  /** Puts away what a failed run may have left. */
  beforeSecondChance?: () => void
  report(result: FileResult): void
}

/**
 * Runs test files in this order, several at a time. They drive real stores, sockets and whole machines against their clocks: what fails is
 * told at once, and is given a second chance when the others have ended. What fails twice fails everything.
 */
async function runFiles(files: string[], { lanes, limitMs, beforeSecondChance, report }: RunOptions): Promise<FileResult[]> {
  const results: FileResult[] = []
  const waiting = [...files]
  const once = async (file: string) => {
    const result = await runTestFile(file, { limitMs })
    if (!result.ok) tell(result)
    report(result)
    return result
  }
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) results.push(await once(file))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  for (const failed of results.filter(({ ok }) => !ok)) {
    beforeSecondChance?.()
    console.log(`${failed.file}: once more, alone`)
    const again = await once(failed.file)
    if (!again.ok) fail(`failed twice:\n${failedTests([again])}`)
    neededSecondChance.push(failed)
    results[results.indexOf(failed)] = again
  }
  return results
}

function tell({ file, failures, output }: FileResult): void {
  const indented = (text: string) => text.replace(/^/gm, '  ')
  console.log(['', ...failures.map(({ name, message }) => `✖ ${name}\n  ${file}\n${indented(message)}`), output].join('\n'))
}

function say({ file, ok, passed, failures, skipped, seconds, times }: FileResult): void {
  const how = `${passed} passed, ${failures.length} failed, ${skipped} skipped`
  const most = times.slice(0, 3).map((one) => one.seconds.toFixed(1))
  console.log(`${file}: ${ok ? 'ok' : 'failed'}, ${how}, ${seconds.toFixed(1)} s (longest tests: ${most.join(', ')})`)
}

function counts(results: FileResult[]): string {
  const sum = (of: (result: FileResult) => number) => results.reduce((total, result) => total + of(result), 0)
  return `${sum(({ passed }) => passed)} passed, ${sum(({ skipped }) => skipped)} skipped in ${results.length} files`
}

function longest(results: FileResult[], count: number): string {
  const shown = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, count)
  return shown.map(({ file, seconds }) => `${file} ${seconds.toFixed(1)} s`).join(', ')
}

function failedTests(results: FileResult[]): string {
  return results.flatMap(({ file, failures }) => failures.map(({ name }) => `  ${file}: ${name}`)).join('\n')
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

/** Runs a program and says how it went; ends everything when it fails. */
function run(program: string, ...args: string[]): void {
  const started = performance.now()
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: environment() })
  if (error) throw error
  console.log(`${[basename(program), ...args].join(' ')}: ${status === 0 ? 'ok' : 'failed'}, ${seconds(started)}`)
  if (status !== 0) process.exit(1)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
