// The agent: the program of the first container in a job's pod.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openExchange } from './exchange.ts'
import { runJob } from './job.ts'
import { provideRemoteDocker } from './remote-docker.ts'
import { openLogSpool } from './log-spool.ts'
import { type AgentPlan, type AgentReport, paths } from './plan.ts'
import { serviceClient } from './service-client.ts'

/** How long the end of a job waits for a service that is away. */
const patienceMs = 6 * 3600_000

const plan = JSON.parse(readFileSync(paths.plan, 'utf8')) as AgentPlan
const stop = new AbortController()
// what comes from the job's output has nobody who waits for it: a disk that is full ends the agent here
process.on('uncaughtException', fail)
process.on('SIGTERM', () => stop.abort(new Error('the job was told to end')))

const client = serviceClient(plan.service)
const busybox = ['/opt/k8ts/bin/busybox', '/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
if (!busybox) fail(new Error('the tool image has no busybox'))
const exchange = openExchange({ busybox: busybox! })
mkdirSync(paths.work, { recursive: true })
provideCommands()

let latest: AgentReport | undefined
let sending: Promise<void> | undefined

/** Reports go one after the other; of several that wait, the last one alone. */
function publish(report: AgentReport): void {
  latest = report
  sending ??= (async () => {
    while (latest) {
      const body = Buffer.from(JSON.stringify(latest))
      latest = undefined
      await client.send('PUT', '/agent/v1/report', { body: () => body, patienceMs }).then((answer) => answer.body.resume())
    }
  })()
    .catch((error: unknown) => console.error(`k8ts: the report was refused: ${String(error)}`))
    .finally(() => (sending = undefined))
}

try {
  const spool = openLogSpool({ file: join(paths.work, 'log'), client })
  const report = await runJob({
    plan,
    exchange,
    client,
    spool,
    signal: stop.signal,
    onReport: publish,
    echo: (text) => void process.stdout.write(text),
  })
  try {
    await spool.complete()
  } catch (error) {
    report.message = error instanceof Error ? error.message : String(error)
    if (report.phase === 'Succeeded') report.phase = 'InfrastructureFailed'
  }
  await sending
  publish(report)
  await sending
  // who made the pod reads this when the report could not be taken
  writeFileSync(
    '/dev/termination-log',
    JSON.stringify({ phase: report.phase, message: report.message ?? report.failure?.message ?? '' }).slice(0, 4000),
  )
  exchange.quit()
  process.exit(0)
} catch (error) {
  fail(error)
}

function fail(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  console.error(`k8ts: ${text}`)
  try {
    writeFileSync('/dev/termination-log', JSON.stringify({ phase: 'InfrastructureFailed', message: text }).slice(0, 4000))
  } catch {
    // a disk that is full is told by the exit code
  }
  process.exit(70)
}

/** What steps may call: `circleci-agent step halt`, for those who end a job early and well. */
function provideCommands(): void {
  const bin = join(paths.exchange, 'bin')
  mkdirSync(bin, { recursive: true })
  if (plan.definition.steps.some((step) => step.type === 'setup_remote_docker')) provideRemoteDocker(bin)
  for (const name of ['circleci-agent', 'circleci']) {
    writeFileSync(
      join(bin, name),
      `#!/bin/sh
case "$1 $2" in
  "step halt") : > ${paths.exchange}/halt ;;
  *) echo "$0 $*: only \\\`step halt\\\` is there" >&2; exit 1 ;;
esac
`,
      { mode: 0o755 },
    )
    chmodSync(join(bin, name), 0o755)
  }
}
