import type { DeepReadonly, ci } from '#api'

/** How a pipeline stands by its workflows; of one that was run again, the newest run counts. */
export function pipelinePhase(workflows: readonly DeepReadonly<ci.Workflow>[]): { phase: ci.PipelinePhase; workflows: ci.PipelineWorkflow[] } {
  const newest = new Map<string, DeepReadonly<ci.Workflow>>()
  const repeated = new Set(workflows.map((workflow) => workflow.spec.rerunOf))
  for (const workflow of workflows.toSorted(byAge)) {
    const known = newest.get(workflow.spec.workflow)
    if (!known || !repeated.has(workflow.metadata.name)) newest.set(workflow.spec.workflow, workflow)
  }
  const states = [...newest.values()].map((workflow): ci.PipelineWorkflow => ({
    name: workflow.metadata.name,
    phase: workflow.status?.phase ?? 'Pending',
  }))
  const has = (...phases: ci.PipelinePhase[]) => states.some((state) => phases.includes(state.phase!))
  const phase = has('Pending', 'Running')
    ? 'Running'
    : has('OnHold')
      ? 'OnHold'
      : has('Errored')
        ? 'Errored'
        : has('Failed')
          ? 'Failed'
          : has('Canceled')
            ? 'Canceled'
            : 'Succeeded'
  return { phase, workflows: states }
}

function byAge(a: DeepReadonly<ci.Workflow>, b: DeepReadonly<ci.Workflow>): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return x < y ? -1 : x > y ? 1 : a.metadata.name < b.metadata.name ? -1 : 1
}
