import type { DeepReadonly, KubeObject, core } from '#api'
import { isStatus, resources } from '#api'
import type { Client, ResourceRef } from '#client'
import type { ControllerContext } from '#runtime'
import type { CompileInput, CompileResult } from '../config/index.ts'
import type { GitSource } from '../git-source.ts'
import type { Reports } from '../service/reports.ts'
import type { JobTokens } from '../service/tokens.ts'

/** What the controllers of pipelines need beside the API. */
export interface CiOptions {
  git: GitSource
  compile(input: CompileInput): CompileResult
  reports: Reports
  tokens: JobTokens
  /** Where agents reach the service: `https://ADDRESS:PORT`, and the authority that signed its certificate. */
  service: { url: string; ca: string }
  /** Where people find a project's repository and its runs. */
  publicUrl: string
  toolImage: string
  /** What a container gets in which images are built: rights, and the way to the cluster's registry. */
  builder(namespace: string): Promise<BuilderParts>
  program: AgentProgram
}

export interface BuilderParts {
  env: core.EnvVar[]
  volumeMounts: core.VolumeMount[]
  volumes: core.Volume[]
  securityContext: core.SecurityContext
}

/** The agent's program as the files of a ConfigMap. */
export interface AgentProgram {
  /** `k8ts-ci-agent-HASH`. */
  name: string
  /** By path in the program's directory. */
  files: Record<string, string>
}

export type Objects = ReturnType<typeof ciCaches>

/** The shared views of the kinds, with the indexes that all three controllers ask by. */
export function ciCaches(context: ControllerContext) {
  const key = (namespace: string | undefined, name: string) => `${namespace}/${name}`
  return {
    projects: context.cache(resources.ciProjects),
    pipelines: context.cache(resources.ciPipelines, { project: (p) => [key(p.metadata.namespace, p.spec.projectName)] }),
    workflows: context.cache(resources.ciWorkflows, { pipeline: (w) => [key(w.metadata.namespace, w.spec.pipelineName)] }),
    jobs: context.cache(resources.ciJobs, {
      workflow: (j) => [key(j.metadata.namespace, j.spec.workflowName)],
      project: (j) => [key(j.metadata.namespace, j.spec.projectName)],
    }),
  }
}

export const keyOf = (namespace: string | undefined, name: string): string => `${namespace}/${name}`

/** Changes fields of an object's status; what is not named stays. Nothing is sent when nothing changes. */
export async function patchStatus<T extends KubeObject & { status?: object }>(
  client: Client,
  ref: ResourceRef<T>,
  object: DeepReadonly<T>,
  status: Record<string, unknown>,
): Promise<void> {
  const current = (object.status ?? {}) as Record<string, unknown>
  const changed = Object.fromEntries(
    Object.entries(status).filter(([name, value]) => JSON.stringify(value ?? null) !== JSON.stringify(current[name] ?? null)),
  )
  if (Object.keys(changed).length === 0) return
  const { name, namespace } = object.metadata
  // a change that was decided on an old state is refused, and decided again
  const body = { metadata: { resourceVersion: object.metadata.resourceVersion }, status: changed }
  await client.resource(ref).patch(name, namespace, 'merge', body, { subresource: 'status' })
}

/** Takes the next number of a project's pipelines or jobs. Numbers rise; one that nobody uses in the end is a gap. */
export async function takeNumber(
  client: Client,
  namespace: string,
  project: string,
  counter: 'lastPipelineNumber' | 'lastJobNumber',
): Promise<number> {
  const projects = client.resource(resources.ciProjects)
  for (;;) {
    const fresh = await projects.get(project, namespace)
    const number = (fresh.status?.[counter] ?? 0) + 1
    try {
      const body = { metadata: { resourceVersion: fresh.metadata.resourceVersion }, status: { [counter]: number } }
      await projects.patch(project, namespace, 'merge', body, { subresource: 'status' })
      return number
    } catch (error) {
      if (!isStatus(error, 'Conflict')) throw error
    }
  }
}

export const ownerReference = (owner: DeepReadonly<KubeObject>) => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid!,
  controller: true,
  blockOwnerDeletion: true,
})

/** Creates it unless there is one of this name: names are derived, so that a second try makes no second object. */
export async function createOnce<T extends KubeObject>(client: Client, ref: ResourceRef<T>, object: T): Promise<void> {
  try {
    await client.resource(ref).create(object as never)
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
  }
}

export async function deleteIfThere<T extends KubeObject>(
  client: Client,
  ref: ResourceRef<T>,
  name: string,
  namespace: string,
  gracePeriodSeconds?: number,
): Promise<void> {
  try {
    await client.resource(ref).delete(name, namespace, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
  }
}

/** The variables that a Secret holds. */
export function secretVariables(secret: DeepReadonly<core.Secret> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(secret?.data ?? {}).map(([name, value]) => [name, Buffer.from(value as string, 'base64').toString()]))
}

export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
