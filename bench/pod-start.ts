import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '#api'
import { resources } from '#api'
import type { ClusterConfig } from '#cluster'
import { adminClient, buildImage, down, loadImages, up } from '#cluster'
import type { Client, ResourceClient } from '#client'

const cluster = 'bench'
const label = 'bench'

/** Images as the reference's tests use them; the first that is there is taken. */
const archives = ['k8s.gcr.io_pause_3.2.tar', 'docker.io_library_busybox_latest.tar']

export interface PodStarts {
  /** One pod after the other, ms. */
  single: number[]
  /** All of a batch, ms; one a run. */
  batch: number[]
}

/** A real cluster of one node, brought up and taken down: how long pods take from POST to Ready, as a watch sees it. */
export async function measurePodStarts(dir: string, { singles, batch, runs }: { singles: number; batch: number; runs: number }): Promise<PodStarts> {
  process.env['KUBECONFIG'] = join(dir, 'kubeconfig')
  const config = await up({ name: cluster })
  try {
    const image = await loadImage(config)
    await using admin = await adminClient(cluster)
    await using watcher = watchPods(admin.client)
    await accountThere(admin.client)
    await start(watcher, image, ['warm-0', 'warm-1'])
    const result: PodStarts = { single: [], batch: [] }
    for (let i = 0; i < singles; i++) result.single.push(await start(watcher, image, [`single-${i}`]))
    await watcher.removeAll()
    for (let run = 0; run < runs; run++) {
      result.batch.push(
        await start(
          watcher,
          image,
          Array.from({ length: batch }, (_, i) => `batch-${run}-${i}`),
        ),
      )
      await watcher.removeAll()
    }
    return result
  } finally {
    await down(cluster)
  }
}

async function loadImage(config: ClusterConfig): Promise<string> {
  const archive = archives.map((file) => join('/opt/upstream/images', file)).find(existsSync)
  if (archive) return (await loadImages(config, [archive]))[0]!
  // a program without libraries, from the image that every node has
  const directory = await mkdtemp('/tmp/k8ts-bench-image-')
  try {
    await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY wait /wait\nENTRYPOINT ["/wait", "-P"]\n')
    await (await import('node:fs/promises')).copyFile('/usr/bin/catatonit', join(directory, 'wait'))
    return (await buildImage(config, { tag: 'localhost/bench-wait:1', directory }))[0]!
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The namespace's service account comes a moment after the cluster. */
async function accountThere(client: Client): Promise<void> {
  const watch = client
    .resource<core.ServiceAccount>(resources.serviceAccounts)
    .watch({ namespace: 'default', fieldSelector: 'metadata.name=default', resourceVersion: '0', signal: AbortSignal.timeout(30_000) })
  for await (const event of watch) if (event.type === 'ADDED') return
}

interface PodWatcher extends AsyncDisposable {
  pods: ResourceClient<core.Pod>
  /** Resolves to the moment when the pod was seen to be Ready. */
  ready(name: string): Promise<number>
  removeAll(): Promise<void>
}

function watchPods(client: Client): PodWatcher {
  const pods = client.resource<core.Pod>(resources.pods)
  const stopping = new AbortController()
  const there = new Set<string>()
  const readyAt = new Map<string, number>()
  const waiting = new Map<string, (at: number) => void>()
  let emptied = () => {}
  const follow = async () => {
    const query = { namespace: 'default', labelSelector: label, resourceVersion: '0', signal: stopping.signal }
    for await (const event of pods.watch(query)) {
      if (event.type === 'BOOKMARK' || event.type === 'ERROR') continue
      const { name } = event.object.metadata
      if (event.type === 'DELETED') {
        there.delete(name)
        if (there.size === 0) emptied()
        continue
      }
      there.add(name)
      if (readyAt.has(name) || !event.object.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) continue
      readyAt.set(name, performance.now())
      waiting.get(name)?.(readyAt.get(name)!)
    }
  }
  const following = follow().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error
  })
  return {
    pods,
    ready: async (name) => readyAt.get(name) ?? (await new Promise((resolve) => waiting.set(name, resolve))),
    removeAll: async () => {
      const gone = new Promise<void>((resolve) => (emptied = resolve))
      await pods.deleteCollection({ namespace: 'default', labelSelector: label }, { gracePeriodSeconds: 0 })
      if (there.size > 0) await gone
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await following
    },
  }
}

/** Creates the pods at once; the milliseconds until the last of them is Ready. */
async function start(watcher: PodWatcher, image: string, names: string[]): Promise<number> {
  const since = performance.now()
  const late = AbortSignal.timeout(120_000)
  const failed = new Promise<never>((_, reject) =>
    late.addEventListener('abort', () => reject(new Error(`not Ready after 120 s: some of ${names.join(', ')}`))),
  )
  const all = names.map(async (name) => {
    await watcher.pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { [label]: 'yes' } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image }] },
    } as core.Pod)
    return watcher.ready(name)
  })
  return Math.max(...(await Promise.race([Promise.all(all), failed]))) - since
}
