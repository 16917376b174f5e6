import type { core } from '#api'
import { resources } from '#api'
import type { Load, Script } from './load.ts'
import { load } from './load.ts'
import type { MeasureId } from './measures.ts'
import { inParallel, pod, podsWelcome } from './objects.ts'
import type { Subject } from './subjects/subject.ts'
import { subjectClient } from './subjects/subject.ts'

const listed = 'listed'
const object = 'one'
const protobuf = 'application/vnd.kubernetes.protobuf'

export const loadIds = ['get', 'getProtobuf', 'list', 'listProtobuf', 'createConfigMap', 'apply', 'createPod'] as const satisfies MeasureId[]
export type LoadId = (typeof loadIds)[number]

const configMaps = '/api/v1/namespaces/default/configmaps'
const requests: Record<LoadId, { script: Script; path: string; accept?: string }> = {
  get: { script: 'get', path: `${configMaps}/${object}` },
  getProtobuf: { script: 'get', path: `${configMaps}/${object}`, accept: protobuf },
  list: { script: 'get', path: `/api/v1/namespaces/${listed}/pods` },
  listProtobuf: { script: 'get', path: `/api/v1/namespaces/${listed}/pods`, accept: protobuf },
  createConfigMap: { script: 'create-configmap', path: configMaps },
  apply: { script: 'apply', path: configMaps },
  createPod: { script: 'create-pod', path: '/api/v1/namespaces/default/pods' },
}

/** What the rows read, and what pods need to be created. */
export async function prepareLoad(subject: Subject): Promise<void> {
  await using owned = subjectClient(subject)
  const { client } = owned
  await client
    .resource<core.Namespace>(resources.namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: listed } } as core.Namespace)
  for (const namespace of ['default', listed]) await podsWelcome(client, namespace, false)
  await client.resource<core.ConfigMap>(resources.configMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: object, namespace: 'default' },
    data: { k: 'x'.repeat(512) },
  } as core.ConfigMap)
  await inParallel(500, (i) => client.resource<core.Pod>(resources.pods).create(pod(listed, `pod-${i}`, 'nobody')))
}

/** Each subject's runs. They take turns, so that what else the machine does hits all of them alike; a first run, in which code is compiled, is not counted. */
export async function measureLoad(subjects: readonly Subject[], id: LoadId, runs: number, seconds: number): Promise<Map<Subject, Load[]>> {
  const { script, path, accept } = requests[id]
  const loads = new Map<Subject, Load[]>(subjects.map((subject) => [subject, []]))
  for (let run = -1; run < runs; run++)
    for (const subject of subjects) {
      const measured = await load(subject, script, path, run < 0 ? Math.min(2, seconds) : seconds, accept)
      if (run >= 0) loads.get(subject)!.push(measured)
    }
  return loads
}
