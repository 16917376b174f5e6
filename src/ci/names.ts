import type { DeepReadonly, ci, core } from '#api'

/** The group of the kinds, which is the prefix of labels and annotations, too. */
export const ciGroup = 'ci.k8ts.dev'

/** Labels of what belongs to a run; all of one namespace. */
export const labels = {
  project: 'ci.k8ts.dev/project',
  pipeline: 'ci.k8ts.dev/pipeline',
  workflow: 'ci.k8ts.dev/workflow',
  job: 'ci.k8ts.dev/job',
  /** On a pod: its place among the job's parallel copies. */
  index: 'ci.k8ts.dev/index',
  /** On a pod: which start of the job it belongs to, from 1. */
  attempt: 'ci.k8ts.dev/attempt',
  /**
   * On a Secret: its data are the variables of the context of this name, in the namespace of the projects that use it.
   * What a label cannot hold (blanks) is written in the annotation of the same name, and the label is empty.
   */
  context: 'ci.k8ts.dev/context',
} as const

/** The Secret whose data are the variables of a project, e.g. `blog-environment`, unless the project names another. */
export const environmentSecretName = (project: DeepReadonly<ci.Project>): string =>
  project.spec.environmentSecretName || `${project.metadata.name}-environment`

/** The context that a Secret holds; undefined when it is none. */
export function contextOf(secret: DeepReadonly<core.Secret>): string | undefined {
  const label = secret.metadata.labels?.[labels.context]
  if (label === undefined) return undefined
  return secret.metadata.annotations?.[labels.context] || label || undefined
}

/** Where the service keeps what belongs to a project, and how its address names it: `NAMESPACE/PROJECT`. */
export const projectKey = (object: DeepReadonly<{ metadata: { namespace?: string; name: string } }>): string =>
  `${object.metadata.namespace}/${object.metadata.name}`

const ended = new Set<string | undefined>([
  'Succeeded',
  'Failed',
  'Canceled',
  'Errored',
  'TimedOut',
  'InfrastructureFailed',
  'NotRun',
  'Unauthorized',
])

/** Whether a pipeline, workflow or job has come to its end. */
export const isEnded = (object: DeepReadonly<{ status?: { phase?: string } }>): boolean => ended.has(object.status?.phase)
