import type { Controller } from '#runtime'
import type { CiOptions } from './context.ts'
import { jobController } from './job.ts'
import { pipelineController, projectController } from './pipeline.ts'
import { workflowController } from './workflow.ts'

export type { AgentProgram, CiOptions } from './context.ts'

/** The controllers of pipelines. */
export function ciControllers(options: CiOptions): Controller[] {
  return [projectController(options), pipelineController(options), workflowController(), jobController(options)]
}
