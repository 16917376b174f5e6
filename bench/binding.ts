import type { core } from '#api'
import { resources } from '#api'
import { inParallel, pod, podsWelcome } from './objects.ts'
import type { Subject } from './subjects/subject.ts'
import { subjectClient } from './subjects/subject.ts'

const nodes = 1000

/**
 * Pods bound a second: the pods and 1,000 nodes that exist only in the API are there first, then the scheduler starts; counted from the first binding to the last,
 * as a watch sees them. No controllers run: they would find the nodes dead.
 */
export async function measureBinding(subject: Subject, pods: number): Promise<number> {
  await subject.start({ scheduler: false, controllers: false })
  await fill(subject, pods)
  await subject.change({ scheduler: true, controllers: false })
  return bindingRate(subject, pods)
}

async function fill(subject: Subject, pods: number): Promise<void> {
  await using owned = subjectClient(subject)
  const { client } = owned
  await podsWelcome(client, 'default', true)
  const created = client.resource<core.Node>(resources.nodes)
  await inParallel(nodes, async (i) => {
    const { metadata } = await created.create(hollowNode(i))
    // new nodes are tainted as not ready until a controller has seen them, and none runs
    await created.patch(metadata.name, undefined, 'merge', { spec: { taints: null } })
  })
  await inParallel(pods, (i) => client.resource<core.Pod>(resources.pods).create(pod('default', `pod-${i}`)))
}

async function bindingRate(subject: Subject, total: number): Promise<number> {
  await using owned = subjectClient(subject)
  const pods = owned.client.resource<core.Pod>(resources.pods)
  const signal = AbortSignal.timeout(300_000)
  const onNodes = { namespace: 'default', fieldSelector: 'spec.nodeName!=', signal }
  // bindings from before this moment are not counted
  const { items, metadata } = await pods.list(onNodes)
  const bound = new Set(items.map((item) => item.metadata.name))
  const before = bound.size
  let since = before > 0 ? performance.now() : 0
  for await (const event of pods.watch({ ...onNodes, resourceVersion: metadata.resourceVersion })) {
    if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue
    since ||= performance.now()
    bound.add(event.object.metadata.name)
    if (bound.size === total) return ((total - before) / (performance.now() - since)) * 1000
  }
  throw new Error(`${subject.name}: the watch ended with ${bound.size} of ${total} pods bound`)
}

function hollowNode(i: number): core.Node {
  const name = `hollow-${i}`
  const resourceList = { cpu: '32', memory: '256Gi', pods: '110' }
  const now = new Date().toISOString().replace(/\.\d+/, '')
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${i % 3}` } },
    spec: {},
    status: {
      capacity: resourceList,
      allocatable: resourceList,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }],
    },
  } as core.Node
}
