import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { CompiledStep } from '../config/compiled.ts'
import type { Exchange, Execution } from './exchange.ts'
import { exportLines, runCommand } from './step-run.ts'
import { quoted } from './exchange.ts'
import type { LogSpool } from './log-spool.ts'
import { createMasker, masked } from './mask.ts'
import type { AgentPlan, AgentReport, FailureReport, StepReport, TestReport } from './plan.ts'
import { paths } from './plan.ts'
import type { ServiceClient } from './service-client.ts'
import { resolvePath, StepError, type StepContext } from './steps.ts'
import { attachWorkspace, checkout, persistToWorkspace, restoreCache, saveCache, storeArtifacts, storeTestResults } from './step-files.ts'

export interface JobOptions {
  plan: AgentPlan
  exchange: Exchange
  client: ServiceClient
  spool: LogSpool
  /** Ends the job: it is canceled, or its pod goes. */
  signal: AbortSignal
  onReport(report: AgentReport): void
  /** Also shows the output here, for `kubectl logs`. */
  echo(text: string): void
}

const outputKept = 60
/** Where a step asks for the job's good end: `circleci-agent step halt`. */
const haltFile = `${paths.exchange}/halt`

/** Runs the steps, one after the other, and answers how it went. */
export async function runJob({ plan, exchange, client, spool, signal, onReport, echo }: JobOptions): Promise<AgentReport> {
  const report: AgentReport = { phase: 'Running', steps: [], artifacts: 0, startTime: now(), logSize: 0 }
  const publish = () => onReport(structuredClone({ ...report, logSize: spool.size }))
  const steps = plan.definition.steps
  let failed = false
  let halted = false

  // the container's image may still be on its way: what waits is seen by who made the pod
  const user = await exchange.ready(signal)
  const workingDirectory = resolvePath(plan.definition.workingDirectory || '~/project', { user, workingDirectory: user.home })
  const bashEnv = `/tmp/.bash_env-${plan.job.name}-${plan.job.index}`
  const environment: Record<string, string> = {
    ...plan.environment,
    ...plan.definition.environment,
    BASH_ENV: bashEnv,
    // the image's own programs win
    PATH: `${plan.definition.environment['PATH'] ?? (user.path || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')}:${paths.exchange}/bin`,
  }

  /** Runs `work` as the step `index`: its log, its state, what it failed of. */
  async function perform(
    index: number,
    name: string,
    about: { source?: StepReport['source']; command?: string },
    work: (context: StepContext) => Promise<'background' | void>,
  ): Promise<void> {
    const begun = performance.now()
    const step: StepReport = { index, name, phase: 'Running', startTime: now(), ...(about.source ? { source: about.source } : {}) }
    report.steps.push(step)
    const mask = createMasker(plan.secrets)
    let tail = ''
    const show = (text: string) => {
      if (text === '') return
      tail = (tail + text).slice(-16_384)
      spool.append({ t: Date.now(), s: index, d: text })
      echo(text)
    }
    const print = (text: string) => show(mask.push(text))
    spool.append({
      t: Date.now(),
      s: index,
      e: 'start',
      name,
      ...about.source,
      ...(about.command ? { command: masked(about.command, plan.secrets) } : {}),
    })
    echo(`\n==> ${name}\n`)
    publish()
    const running = new Set<Execution>()
    const stop = () => running.forEach((execution) => execution.kill())
    signal.addEventListener('abort', stop)
    const context: StepContext = {
      plan,
      exchange,
      client,
      user,
      workingDirectory,
      environment,
      print,
      signal,
      run(options) {
        const execution = exchange.run(options)
        running.add(execution)
        if (signal.aborted) execution.kill()
        void execution.ended.catch(() => {}).finally(() => running.delete(execution))
        return execution
      },
      local: (program, args, options) => localProgram(program, args, { ...options, print, signal }),
      addTests: (tests) => (report.tests = addTests(report.tests, tests)),
      addArtifacts: (count) => (report.artifacts += count),
    }
    let error: unknown
    let outcome: 'background' | void = undefined
    try {
      outcome = await work(context)
    } catch (failure) {
      error = failure
    }
    signal.removeEventListener('abort', stop)
    // what goes on in the background is shown as it comes, its masker stays
    if (outcome !== 'background') show(mask.flush())
    step.durationMilliseconds = Math.round(performance.now() - begun)
    step.phase = signal.aborted ? 'Canceled' : error === undefined ? (outcome === 'background' ? 'Background' : 'Succeeded') : 'Failed'
    if (error !== undefined && !signal.aborted) {
      const message = masked(error instanceof Error ? error.message : String(error), plan.secrets)
      const exitCode = error instanceof StepError ? error.exitCode : undefined
      if (message.startsWith('The command was ended:')) step.phase = 'TimedOut'
      step.message = message
      show(`${tail === '' || tail.endsWith('\n') ? '' : '\n'}${message}\n`)
      if (exitCode !== undefined) step.exitCode = exitCode
      failed = true
      report.failure ??= failureOf(step, tail)
    } else if (error === undefined && outcome !== 'background') step.exitCode = 0
    spool.append({
      t: Date.now(),
      s: index,
      e: 'end',
      phase: step.phase,
      ...(step.exitCode === undefined ? {} : { code: step.exitCode }),
      ...(step.message ? { message: step.message } : {}),
    })
    publish()
  }

  await perform(0, 'Spin up environment', {}, async (context) => {
    context.print(describeExecutor(plan))
    const code = await context.run({
      script: `$B mkdir -p ${quoted(workingDirectory)} && : >> ${quoted(bashEnv)} && cd ${quoted(workingDirectory)}`,
      onOutput: context.print,
    }).ended
    if (code !== 0) throw new StepError(`the working directory ${workingDirectory} cannot be made`, code)
  })

  for (const [i, step] of steps.entries()) {
    const skipped = signal.aborted || halted || (failed ? step.when === 'on_success' : step.when === 'on_fail')
    if (skipped) {
      report.steps.push({ index: i + 1, name: step.name, phase: 'Skipped', source: step.source })
      continue
    }
    await perform(i + 1, step.name, { source: step.source, ...(step.type === 'run' ? { command: step.command } : {}) }, (context) =>
      performStep(step, context),
    )
    if (!failed && step.type === 'run') halted = existsSync(haltFile)
  }
  report.phase = signal.aborted ? 'Canceled' : failed ? (report.steps.some((s) => s.phase === 'TimedOut') ? 'TimedOut' : 'Failed') : 'Succeeded'
  report.completionTime = now()
  report.logSize = spool.size
  return report
}

async function performStep(step: CompiledStep, context: StepContext): Promise<'background' | void> {
  switch (step.type) {
    case 'run':
      return (await runCommand(step, context)) === 'background' ? 'background' : undefined
    case 'checkout':
      return checkout(step, context)
    case 'save_cache':
      return saveCache(step, context)
    case 'restore_cache':
      return restoreCache(step, context)
    case 'persist_to_workspace':
      return persistToWorkspace(step, context)
    case 'attach_workspace':
      return attachWorkspace(step, context)
    case 'store_artifacts':
      return storeArtifacts(step, context)
    case 'store_test_results':
      return storeTestResults(step, context)
    case 'setup_remote_docker':
      return setupRemoteDocker(context)
    case 'add_ssh_keys':
      throw new StepError('add_ssh_keys is not supported: put the key into a context and load it with `ssh-add` in a run step')
    default:
      throw new StepError(`a step of type ${(step satisfies never as CompiledStep).type} is not known`)
  }
}

async function setupRemoteDocker(context: StepContext): Promise<void> {
  const code = await context.run({
    script: `${exportLines(context.environment)}\ncommand -v docker >/dev/null || exit 1\ndocker version`,
    onOutput: context.print,
  }).ended
  if (code !== 0)
    throw new StepError('The image has no docker program: use the tool image of k8ts (`k8ts image build` makes it), or a machine executor', code)
}

function describeExecutor(plan: AgentPlan): string {
  const { executor } = plan.definition
  const lines =
    executor.type === 'machine'
      ? [`Machine of class ${executor.resourceClass}`]
      : executor.images.map((image, i) => (i === 0 ? `Steps run in ${image.image}` : `Service ${image.name ?? i}: ${image.image}`))
  if (plan.definition.parallelism > 1) lines.push(`Copy ${plan.job.index} of ${plan.definition.parallelism}`)
  if (plan.job.attempt > 1) lines.push(`Start ${plan.job.attempt} of the job, after a failure of the infrastructure`)
  return `${lines.join('\n')}\n`
}

function failureOf(step: StepReport, tail: string): FailureReport {
  return {
    step: step.index,
    name: step.name,
    ...(step.exitCode === undefined ? {} : { exitCode: step.exitCode }),
    ...(step.message ? { message: step.message } : {}),
    ...(step.source ? { source: step.source } : {}),
    output: tail
      .trimEnd()
      .split('\n')
      .slice(-outputKept)
      .map((line) => line.slice(0, 500))
      .slice(-20),
  }
}

function addTests(a: TestReport | undefined, b: TestReport): TestReport {
  if (!a) return b
  return {
    total: a.total + b.total,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...a.failures, ...b.failures].slice(0, 100),
  }
}

function localProgram(
  program: string,
  args: string[],
  { env, cwd, print, signal }: { env?: Record<string, string>; cwd?: string; print: (text: string) => void; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', ...env },
      ...(cwd ? { cwd } : {}),
      signal,
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4096)
        if (stream === child.stdout) print(text)
      })
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new StepError(`${program} ${args.find((a) => /^[a-z]/.test(a)) ?? ''}: ${said.trim() || `exit code ${code}`}`, code ?? 1)),
    )
  })
}

const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z')
