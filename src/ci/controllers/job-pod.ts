import type { DeepReadonly, ci, core } from '#api'
import { type AgentPlan, paths } from '../agent/plan.ts'
import { bootCommand } from '../agent/exchange.ts'
import { remoteDockerCommand } from '../agent/remote-docker.ts'
import type { CompiledImage, CompiledJob } from '../config/compiled.ts'
import { labels } from '../names.ts'
import { type AgentProgram, type BuilderParts, ownerReference } from './context.ts'

export interface PodOptions {
  job: DeepReadonly<ci.Job>
  project: DeepReadonly<ci.Project>
  definition: CompiledJob
  attempt: number
  index: number
  toolImage: string
  program: AgentProgram
  /** For a job that builds images. */
  builder?: BuilderParts
  /** The Secret with registry credentials that the images name. */
  pullSecret?: string
}

export const podName = (job: DeepReadonly<ci.Job>, attempt: number, index: number): string => {
  const tail = `-${attempt}-${index}`
  return `${job.metadata.name.slice(0, 63 - tail.length).replace(/-+$/, '')}${tail}`
}

/** The pod of one copy of a job: an agent, the container that the steps run in, and the services beside it. */
export function jobPod({ job, project, definition, attempt, index, toolImage, program, builder, pullSecret }: PodOptions): core.Pod {
  const { executor } = definition
  const [first, ...services]: CompiledImage[] = executor.type === 'docker' ? executor.images : [{ image: toolImage, environment: {} }]
  const builds = builder && buildsImages(definition, toolImage)
  const inside = builds === 'in the steps' ? builder : undefined
  const name = podName(job, attempt, index)
  const names = services.flatMap((service) => service.name ?? [])
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: job.metadata.namespace!,
      labels: {
        [labels.project]: job.spec.projectName,
        [labels.pipeline]: job.spec.pipelineName,
        [labels.workflow]: job.spec.workflowName,
        [labels.job]: job.metadata.name,
        [labels.index]: String(index),
        [labels.attempt]: String(attempt),
      },
      ownerReferences: [ownerReference(job)],
    },
    spec: {
      restartPolicy: 'Never',
      serviceAccountName: project.spec.serviceAccountName || 'default',
      terminationGracePeriodSeconds: 15,
      // the names of services would be variables of the steps
      enableServiceLinks: false,
      ...(names.length > 0 ? { hostAliases: [{ ip: '127.0.0.1', hostnames: names }] } : {}),
      ...(pullSecret ? { imagePullSecrets: [{ name: pullSecret }] } : {}),
      containers: [
        {
          name: 'agent',
          image: toolImage,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', `${paths.program}/agent/main.ts`],
          env: [{ name: 'NODE_NO_WARNINGS', value: '1' }],
          securityContext: { runAsUser: 0 },
          resources: { requests: { cpu: '20m', memory: '48Mi' } },
          volumeMounts: [
            { name: 'exchange', mountPath: paths.exchange },
            { name: 'plan', mountPath: paths.plan.replace(/\/[^/]+$/, ''), readOnly: true },
            { name: 'program', mountPath: paths.program, readOnly: true },
            { name: 'work', mountPath: paths.work },
          ],
        },
        {
          name: 'steps',
          image: first!.image,
          imagePullPolicy: 'IfNotPresent',
          command: [...bootCommand],
          ...containerOf(first!, executor.resourceClass),
          ...(inside ? { securityContext: { ...inside.securityContext, ...userOf(first!) } } : {}),
          env: [...(inside?.env ?? []), ...environmentOf(first!)],
          volumeMounts: [{ name: 'exchange', mountPath: paths.exchange }, ...(inside?.volumeMounts ?? [])],
        },
        ...(builder && builds === 'beside them'
          ? [
              {
                name: 'docker',
                image: toolImage,
                imagePullPolicy: 'IfNotPresent' as const,
                command: remoteDockerCommand(),
                env: builder.env,
                securityContext: builder.securityContext,
                resources: { requests: { cpu: '20m', memory: '48Mi' } },
                volumeMounts: [{ name: 'exchange', mountPath: paths.exchange }, ...builder.volumeMounts],
              },
            ]
          : []),
        ...services.map((service, i) => ({
          name: `service-${i + 1}`,
          image: service.image,
          imagePullPolicy: 'IfNotPresent' as const,
          ...(service.entrypoint ? { command: [...service.entrypoint] } : {}),
          ...(service.command ? { args: [...service.command] } : {}),
          ...containerOf(service),
        })),
      ],
      volumes: [
        // scripts hold the values of variables: they stay off the disk
        { name: 'exchange', emptyDir: { medium: 'Memory' } },
        { name: 'plan', secret: { secretName: name, defaultMode: 0o400 } },
        { name: 'program', configMap: { name: program.name, items: Object.keys(program.files).map((path) => ({ key: programKey(path), path })) } },
        { name: 'work', emptyDir: {} },
        ...(builder?.volumes ?? []),
      ],
    },
  } as core.Pod
}

/** Where a job builds images: in the container of its steps (on a machine, and in the tool image itself), beside it, or not at all. */
export function buildsImages({ executor, steps }: CompiledJob, toolImage: string): 'in the steps' | 'beside them' | undefined {
  if (executor.type === 'machine' || executor.images[0]!.image === toolImage) return 'in the steps'
  return steps.some((step) => step.type === 'setup_remote_docker') ? 'beside them' : undefined
}

function containerOf(image: CompiledImage, resourceClass?: string): Partial<core.Container> {
  return {
    env: environmentOf(image),
    ...(image.user === undefined ? {} : { securityContext: userOf(image) }),
    resources: {
      requests: { cpu: '50m', memory: '64Mi' },
      ...(resourceClass && memory[resourceClass] ? { limits: { memory: memory[resourceClass] } } : {}),
    },
  }
}

const environmentOf = (image: CompiledImage): core.EnvVar[] =>
  Object.entries(image.environment).map(([name, value]) => ({ name, value: literal(value) }))

/** A user by number, or root; what another name stands for only the image knows. */
function userOf({ user }: CompiledImage): core.SecurityContext {
  if (user === 'root') return { runAsUser: 0 }
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user ?? '') ?? []
  return { ...(uid ? { runAsUser: Number(uid) } : {}), ...(gid ? { runAsGroup: Number(gid) } : {}) }
}

/** Kubernetes expands `$(NAME)` in a container's variables; here it is text. */
const literal = (value: string): string => value.replaceAll('$', '$$$$')

/** The memory of CircleCI's classes. Processors are shared: a pod of a class larger than the machine still runs, slower. */
const memory: Record<string, string> = {
  small: '2Gi',
  medium: '4Gi',
  'medium+': '6Gi',
  large: '8Gi',
  xlarge: '16Gi',
  '2xlarge': '32Gi',
}

/** Keys of a ConfigMap have no slashes. */
const programKey = (path: string): string => path.replaceAll('/', '--')

export function programMap(program: AgentProgram, namespace: string): core.ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: program.name, namespace },
    immutable: true,
    data: Object.fromEntries(Object.entries(program.files).map(([path, text]) => [programKey(path), text])),
  }
}

export function planSecret(job: DeepReadonly<ci.Job>, attempt: number, plan: AgentPlan): core.Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: podName(job, attempt, plan.job.index),
      namespace: job.metadata.namespace!,
      labels: { [labels.job]: job.metadata.name, [labels.project]: job.spec.projectName, [labels.attempt]: String(attempt) },
      ownerReferences: [ownerReference(job)],
    },
    type: 'ci.k8ts.dev/job',
    data: { 'plan.json': Buffer.from(JSON.stringify(plan)).toString('base64') },
  } as unknown as core.Secret
}

/** Credentials that images name, with the variables of the job in them; undefined when none does. */
export function pullSecretFor(job: DeepReadonly<ci.Job>, definition: CompiledJob, environment: Record<string, string>): core.Secret | undefined {
  if (definition.executor.type !== 'docker') return undefined
  const auths: Record<string, object> = {}
  for (const { image, auth } of definition.executor.images) {
    if (!auth) continue
    const [username, password] = [expand(auth.username, environment), expand(auth.password, environment)]
    auths[registryOf(image)] = { username, password, auth: Buffer.from(`${username}:${password}`).toString('base64') }
  }
  if (Object.keys(auths).length === 0) return undefined
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `${job.metadata.name.slice(0, 58)}-pull`,
      namespace: job.metadata.namespace!,
      ownerReferences: [ownerReference(job)],
      labels: { [labels.job]: job.metadata.name },
    },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  } as unknown as core.Secret
}

const expand = (text: string, environment: Record<string, string>): string =>
  text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, plain?: string) => environment[(braced ?? plain)!] ?? '')

/** As docker reads a name: the first part is a registry when it looks like a host. */
function registryOf(image: string): string {
  const first = image.split('/')[0]!
  return image.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : 'https://index.docker.io/v1/'
}
