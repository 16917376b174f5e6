// npm run bench: the table of the design, k8ts beside the reference where that is built. See `--help`.
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { loadIds, measureLoad, prepareLoad } from './api-load.ts'
import { measureBinding } from './binding.ts'
import { measureLargeList } from './large-list.ts'
import { requireWrk } from './load.ts'
import type { Costs, MeasureId, Results } from './measures.ts'
import { judge, measures, percentile } from './measures.ts'
import { measurePodStarts } from './pod-start.ts'
import { currentLoad, machine, table } from './report.ts'
import { k8tsSubject } from './subjects/k8ts.ts'
import { referenceIsThere, referenceSubject } from './subjects/reference.ts'
import type { Subject } from './subjects/subject.ts'
import { measureWatching } from './watching.ts'

const help = `npm run bench -- [FLAG…]

  --only ROW,…       only these rows: ${measures.map((m) => m.id).join(', ')}
  --runs N           runs behind each median (3)
  --seconds N        length of a run under load (5)
  --idle N           seconds until an idle control plane is weighed (20)
  --pods N           pods that the scheduler binds (3000)
  --singles N        pods that are started one at a time (20)
  --no-reference     only k8ts
  --reference-only   only the reference
  -o json            print JSON
`

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    idle: { type: 'string', default: '20' },
    pods: { type: 'string', default: '3000' },
    singles: { type: 'string', default: '20' },
    'no-reference': { type: 'boolean', default: false },
    'reference-only': { type: 'boolean', default: false },
    output: { type: 'string', short: 'o', default: 'text' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  console.log(help)
  process.exit(0)
}
const only = flags.only?.split(',') ?? measures.map((m) => m.id)
const wanted = (...ids: MeasureId[]) => ids.some((id) => only.includes(id))
const count = (text: string) => Number.parseInt(text, 10)
const runs = count(flags.runs)
// a control plane needs its directory on a disk: the rows about durable writes would mean nothing elsewhere
const dir = await mkdtemp('/var/tmp/k8ts-bench-')
// what was started ends with this process, by its exit handlers
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    rmSync(dir, { recursive: true, force: true })
    process.exit(1)
  })
const say = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)}  ${line}`)

const everything = { scheduler: true, controllers: true }
const results: Record<Subject['name'], Results> = { reference: {}, k8ts: {} }
/** Processor time a request, microseconds. */
const costs: Record<Subject['name'], Results> = { reference: {}, k8ts: {} }

function note(subject: Subject, id: MeasureId, values: number[]): void {
  results[subject.name][id] = values
  say(`${subject.name}: ${id} ${values.map((v) => Math.round(v * 10) / 10).join(' ')}`)
}

/** A control plane with nothing to do: how soon it answers, and how much memory it holds. */
async function measureIdle(subject: Subject): Promise<void> {
  const ready: number[] = []
  const memory: number[] = []
  for (let run = 0; run < runs; run++) {
    ready.push(await subject.start(everything))
    if (wanted('memory')) {
      await new Promise((resolve) => setTimeout(resolve, count(flags.idle) * 1000))
      memory.push(subject.memory())
    }
    await subject.clear()
  }
  if (wanted('ready')) note(subject, 'ready', ready)
  if (wanted('memory')) note(subject, 'memory', memory)
}

async function measureLarge(subject: Subject): Promise<void> {
  await subject.start(everything)
  const { times, rates, pages, memory } = await measureLargeList(subject, runs)
  note(subject, 'listLarge', times)
  note(subject, 'listLargeRate', rates)
  note(subject, 'listPages', pages)
  note(subject, 'memoryPods', [memory])
  await subject.clear()
}

async function measureWatches(subject: Subject): Promise<void> {
  await subject.start(everything)
  const { delays, missed, memory } = await measureWatching(subject, count(flags.seconds))
  if (missed > 0) say(`${subject.name}: ${missed} of ${missed + delays.length} events did not arrive within a second of the last write`)
  note(subject, 'watch', [percentile(delays, 0.99)])
  say(`${subject.name}: ${delays.length} events, p50 ${percentile(delays, 0.5).toFixed(1)} ms`)
  note(subject, 'memoryWatch', [memory])
  await subject.clear()
}

async function measureControlPlanes(subjects: readonly Subject[]): Promise<void> {
  try {
    if (wanted('ready', 'memory')) for (const subject of subjects) await measureIdle(subject)
    const loads = loadIds.filter((id) => wanted(id))
    if (loads.length > 0) {
      for (const subject of subjects) {
        await subject.start(everything)
        await prepareLoad(subject)
      }
      for (const id of loads)
        for (const [subject, measured] of await measureLoad(subjects, id, runs, count(flags.seconds))) {
          note(
            subject,
            id,
            measured.map(({ rate }) => rate),
          )
          costs[subject.name][id] = measured.map(({ cost }) => cost)
          say(`${subject.name}: ${id} takes ${measured.map(({ cost }) => Math.round(cost)).join(' ')} µs of processor time a request`)
        }
      for (const subject of subjects) await subject.clear()
    }
    if (wanted('listLarge', 'listLargeRate', 'listPages', 'memoryPods')) for (const subject of subjects) await measureLarge(subject)
    if (wanted('watch', 'memoryWatch')) for (const subject of subjects) await measureWatches(subject)
    if (wanted('bind')) {
      const rates = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]))
      for (let run = 0; run < runs; run++)
        for (const subject of subjects) {
          rates.get(subject)!.push(await measureBinding(subject, count(flags.pods)))
          await subject.clear()
        }
      for (const [subject, values] of rates) note(subject, 'bind', values)
    }
  } finally {
    for (const subject of subjects) await subject.clear()
  }
}

const costsOf = (id: MeasureId): Costs => ({ reference: costs.reference[id] ?? [], k8ts: costs.k8ts[id] ?? [] })

async function podStarts(): Promise<Results> {
  if (process.getuid?.() !== 0) {
    say('pods are not started: it needs root (network namespaces and containerd)')
    return {}
  }
  const { single, batch } = await measurePodStarts(dir, { singles: count(flags.singles), batch: 30, runs })
  say(`k8ts: pods one at a time ${single.map(Math.round).join(' ')}; 30 at once ${batch.map(Math.round).join(' ')}`)
  return { podStart: single, podStartP99: [percentile(single, 0.99)], podBatch: batch }
}

try {
  requireWrk()
  const before = currentLoad()
  const useReference = !flags['no-reference'] && referenceIsThere()
  if (!useReference && !flags['no-reference']) say('the reference is not built: its column shows recorded numbers')
  const k8ts = k8tsSubject(dir)
  const reference = referenceSubject(dir)
  await measureControlPlanes([...(flags['reference-only'] ? [] : [k8ts]), ...(useReference ? [reference] : [])])
  if (wanted('podStart', 'podStartP99', 'podBatch') && !flags['reference-only']) Object.assign(results.k8ts, await podStarts())
  const rows = measures.filter((m) => wanted(m.id)).map((m) => judge(m, results.reference[m.id] ?? [], results.k8ts[m.id] ?? [], costsOf(m.id)))
  const report = { rows, machine: machine(), load: { before, after: currentLoad() } }
  console.log(flags.output === 'json' ? JSON.stringify(report, undefined, 2) : `\n${table(report)}`)
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  if (process.env['K8TS_DEBUG']) console.error(error)
  process.exitCode = 1
} finally {
  if (!process.env['K8TS_DEBUG']) await rm(dir, { recursive: true, force: true })
}
process.exit()
