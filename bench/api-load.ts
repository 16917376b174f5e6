import type { core } from '#api'
import { resources } from '#api'
import { load } from './load.ts'
import type { Script } from './load.ts'
import type { MeasureId } from './measures.ts'
import { inParallel, pod, podsWelcome } from './objects.ts'
import type { Subject } from './subjects/subject.ts'
import { subjectClient } from './subjects/subject.ts'

const listed = 'listed'
const object = 'one'

export const loadIds = ['get', 'list', 'createConfigMap', 'createPod'] as const satisfies MeasureId[]
export type LoadId = (typeof loadIds)[number]

const requests: Record<LoadId, { script: Script; path: string }> = {
  get: { script: 'get', path: `/api/v1/namespaces/default/configmaps/${object}` },
  list: { script: 'get', path: `/api/v1/namespaces/${listed}/pods` },
  createConfigMap: { script: 'create-configmap', path: '/api/v1/namespaces/default/configmaps' },
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

/** Answers a second, per subject. They take turns, so that what else the machine does hits all of them alike; a first run, in which code is compiled, is not counted. */
export async function measureLoad(subjects: readonly Subject[], id: LoadId, runs: number, seconds: number): Promise<Map<Subject, number[]>> {
  const { script, path } = requests[id]
  const rates = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]))
  for (let run = -1; run < runs; run++)
    for (const subject of subjects) {
      const rate = await load(subject, script, path, run < 0 ? Math.min(2, seconds) : seconds)
      if (run >= 0) rates.get(subject)!.push(rate)
    }
  return rates
}
