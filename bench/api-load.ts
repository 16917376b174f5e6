import type { core } from '#api'
import { resources } from '#api'
import type { Client } from '#client'
import { load } from './load.ts'
import type { MeasureId } from './measures.ts'
import { ensureServiceAccount, inParallel } from './objects.ts'
import type { Subject } from './subjects/subject.ts'
import { subjectClient } from './subjects/subject.ts'

const listed = 'listed'
const object = 'one'

type LoadId = Extract<MeasureId, 'createConfigMap' | 'createPod' | 'get' | 'list'>

const paths: Record<LoadId, Parameters<typeof load>[1 | 2][]> = {
  get: ['get', `/api/v1/namespaces/default/configmaps/${object}`],
  list: ['get', `/api/v1/namespaces/${listed}/pods`],
  createConfigMap: ['create-configmap', '/api/v1/namespaces/default/configmaps'],
  createPod: ['create-pod', '/api/v1/namespaces/default/pods'],
}

/** What the rows read. */
export async function prepareLoad(subject: Subject): Promise<void> {
  await using owned = subjectClient(subject)
  const { client } = owned
  await client.resource<core.ConfigMap>(resources.configMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: object, namespace: 'default' },
    data: { k: 'x'.repeat(512) },
  } as core.ConfigMap)
  await client
    .resource<core.Namespace>(resources.namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: listed } } as core.Namespace)
  for (const namespace of ['default', listed]) await ensureServiceAccount(client, namespace)
  await createListed(client)
}

async function createListed(client: Client): Promise<void> {
  const pods = client.resource<core.Pod>(resources.pods)
  await inParallel(500, (i) => pods.create(pod(`pod-${i}`)))
}

const pod = (name: string) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: listed, labels: { app: 'bench' } },
    spec: {
      schedulerName: 'nobody',
      containers: [
        {
          name: 'c',
          image: 'nginx:1.25',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          env: [{ name: 'A', value: 'b' }],
        },
      ],
    },
  }) as core.Pod

/** Rates of one row; the first run, in which code is compiled and caches fill, is not counted. */
export async function measureLoad(subject: Subject, id: LoadId, runs: number, seconds: number): Promise<number[]> {
  const [script, path] = paths[id] as [Parameters<typeof load>[1], string]
  await load(subject, script, path, Math.min(2, seconds))
  const rates: number[] = []
  for (let run = 0; run < runs; run++) rates.push(await load(subject, script, path, seconds))
  return rates
}
