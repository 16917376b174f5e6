import type { CompiledJob } from '../config/compiled.ts'

/** What an agent is told when its pod is made: a file of the job's Secret. */
export interface AgentPlan {
  service: {
    /** `https://ADDRESS:PORT`. */
    url: string
    /** Good for this start of this job alone. */
    token: string
    /** PEM of the authority that signed the service's certificate. */
    ca: string
  }
  /** The Job object's name and namespace, and which of its copies and starts this is. */
  job: { namespace: string; name: string; index: number; attempt: number }
  definition: CompiledJob
  /** Variables of the project, of its contexts and CIRCLE_*, as they win over one another; a job's own win over these. */
  environment: Record<string, string>
  /** Values that are not to be seen in any output. */
  secrets: string[]
  git: { url: string; branch?: string; tag?: string; revision: string }
  /** The job's number, unique in its project. */
  number: number
}

/** Where the pieces stand in the containers. */
export const paths = {
  /** Shared by the agent and the container of the steps. */
  exchange: '/.k8ts-ci',
  /** The agent's own, from the Secret. */
  plan: '/.k8ts-agent/plan/plan.json',
  /** The agent's program, from a ConfigMap. */
  program: '/.k8ts-agent/program',
  /** The agent's own disk. */
  work: '/.k8ts-agent/work',
} as const

/** What the agent tells the service after each step, and once at the end. */
export interface AgentReport {
  phase: 'Running' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Canceled' | 'InfrastructureFailed'
  message?: string
  steps: StepReport[]
  failure?: FailureReport
  tests?: TestReport
  artifacts: number
  /** RFC 3339. */
  startTime: string
  completionTime?: string
  /** Bytes of the log that belong to this report: it is complete when the service has as many. */
  logSize: number
}

export interface StepReport {
  index: number
  name: string
  phase: 'Running' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Canceled' | 'Skipped' | 'Background'
  exitCode?: number
  startTime?: string
  durationMilliseconds?: number
  source?: { file: string; line: number }
  message?: string
}

export interface FailureReport {
  step: number
  name: string
  exitCode?: number
  message?: string
  source?: { file: string; line: number }
  /** The last lines of the step's output. */
  output: string[]
}

export interface TestReport {
  total: number
  failed: number
  skipped: number
  /** At most a hundred. */
  failures: { name: string; className?: string; file?: string; message?: string }[]
}

/** A line of the log as it is kept: what came when, of which step. */
export type LogRecord =
  | { t: number; s: number; e: 'start'; name: string; file?: string; line?: number; command?: string }
  | { t: number; s: number; d: string }
  | { t: number; s: number; e: 'end'; phase: StepReport['phase']; code?: number; message?: string }
