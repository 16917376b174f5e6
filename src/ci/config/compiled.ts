/**
 * What a configuration means, once its parameters, commands, executors, matrices and filters are worked out: what is to run, in which order.
 * It is plain JSON: a Workflow object carries it, an agent reads its job's part of it. The terms are those of CircleCI's configuration reference, version 2.1.
 */
export interface CompiledConfig {
  /** The workflows that this pipeline runs: those that its `when` lets through, with the jobs that the filters let through. */
  workflows: CompiledWorkflow[]
}

export interface CompiledWorkflow {
  name: string
  jobs: WorkflowJob[]
}

export interface WorkflowJob {
  /** Unique in its workflow: the job's name, or what `name` or a matrix makes of it. */
  name: string
  type: 'build' | 'approval' | 'no-op'
  /** Names of jobs of the same workflow and the outcomes of theirs that let this one start. */
  requires: { job: string; on: JobOutcome[] }[]
  /** Names of contexts whose variables the job gets, in this order: later ones win. */
  contexts: string[]
  /** At most one job of the project with this key runs at a time. */
  serialGroup?: string
  /** Absent for approvals. */
  job?: CompiledJob
}

export type JobOutcome = 'success' | 'failed' | 'canceled' | 'not_run' | 'unauthorized'

export interface CompiledJob {
  /** The job's name in `jobs`, before `name` and matrix. */
  base: string
  executor: CompiledExecutor
  /** Of the executor and the job; the job's win. Values may hold `$NAME`, which is not expanded. */
  environment: Record<string, string>
  /** May start with `~`. */
  workingDirectory: string
  /** The default of `run` steps, e.g. `/bin/bash -eo pipefail`. */
  shell?: string
  /** How many copies run, told apart by CIRCLE_NODE_INDEX. 1 or more. */
  parallelism: number
  steps: CompiledStep[]
}

export type CompiledExecutor =
  | {
      type: 'docker'
      /** The first runs the steps, the others are services beside it. */
      images: CompiledImage[]
      resourceClass: string
    }
  | { type: 'machine'; image: string; resourceClass: string; dockerLayerCaching: boolean }

export interface CompiledImage {
  image: string
  /** The host name of a service. */
  name?: string
  entrypoint?: string[]
  command?: string[]
  user?: string
  environment: Record<string, string>
  /** `$NAME` in these is expanded from the job's contexts and project variables when it starts. */
  auth?: { username: string; password: string }
}

/** When a step runs: after what succeeded so far, after a failure, or both. */
export type StepCondition = 'on_success' | 'on_fail' | 'always'

/** Where it stands in the configuration: what a failed step leads to. */
export interface SourceLocation {
  file: string
  /** 1-based. */
  line: number
}

export type CompiledStep = { name: string; when: StepCondition; source: SourceLocation } & (
  | {
      type: 'run'
      command: string
      shell?: string
      environment: Record<string, string>
      workingDirectory?: string
      background: boolean
      /** Milliseconds without output after which the step fails; 10 minutes unless told. */
      noOutputTimeout: number
      /** Milliseconds after which the step fails, whatever it prints. */
      maxTime?: number
    }
  | { type: 'checkout'; path?: string; method?: 'blobless' | 'full' }
  | { type: 'setup_remote_docker'; dockerLayerCaching: boolean; version?: string }
  | { type: 'save_cache'; key: string; paths: string[] }
  | { type: 'restore_cache'; keys: string[] }
  | { type: 'persist_to_workspace'; root: string; paths: string[] }
  | { type: 'attach_workspace'; at: string }
  | { type: 'store_artifacts'; path: string; destination?: string }
  | { type: 'store_test_results'; path: string }
  | { type: 'add_ssh_keys'; fingerprints: string[] }
)

/** What a configuration is compiled for: the values behind `pipeline.*`. */
export interface CompileInput {
  /** The file's name in messages, e.g. `.circleci/config.yml`. */
  file: string
  text: string
  /** Values of the pipeline's own parameters, as a trigger gave them. */
  parameters: Record<string, string | number | boolean>
  pipeline: {
    id: string
    number: number
    triggerSource: 'webhook' | 'api' | 'scheduled_pipeline' | 'local'
    project: { name: string; gitUrl: string }
    git: { branch?: string; tag?: string; revision: string; baseRevision?: string; defaultBranch?: string }
    actor: string
    /** More values, by their names after `pipeline.`, e.g. `trigger_parameters.webhook.body`. */
    values?: Record<string, string | number | boolean>
  }
}

export interface ConfigProblem extends SourceLocation {
  /** 1-based. */
  column: number
  message: string
}

/** A configuration either compiles or says what is wrong, all of it, with lines. */
export type CompileResult = { ok: true; config: CompiledConfig; warnings: ConfigProblem[] } | { ok: false; problems: ConfigProblem[] }
