import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readAll } from '#client'
import { admin, startTestServer } from '../../test-server.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** What Kubernetes 1.20 answered to creates of these objects, without what differs from one create to the next. */
const recorded = JSON.parse(readFileSync(new URL('reference-1.20.json', import.meta.url), 'utf8')) as {
  path: string
  input: { kind: string; metadata: { name: string } }
  output: Json
}[]

test('objects are defaulted and prepared as the reference does, apart from what newer releases add', async (t) => {
  await using server = await startTestServer()
  const transport = server.server.transport(admin)
  for (const { path, input, output } of recorded) {
    await t.test(`${input.kind} ${input.metadata.name}`, async () => {
      const response = await transport.send({
        method: 'POST',
        path,
        query: new URLSearchParams(),
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(input)),
      })
      const answer = JSON.parse(Buffer.from(await readAll(response)).toString()) as Json
      assert.deepEqual(
        [...differences(answer, output)].filter((difference) => !known.some((one) => one.test(difference))),
        [],
      )
    })
  }
})

/** Fields that differ for a reason: newer releases than 1.20 default them, or admission plugins, which are left out here, fill them in. */
const known: RegExp[] = [
  // Admission: priority, tolerations, service accounts, taints of new nodes, protection finalizers.
  /^spec\.(serviceAccountName|serviceAccount|tolerations|priority|preemptionPolicy|taints): /,
  /^metadata\.finalizers: ours undefined/,
  // Since 1.28, host ports are not defaulted in templates.
  /^spec\.template\.spec\.containers\[0\]\.ports\[0\]\.hostPort: ours undefined/,
  /^spec\.persistentVolumeClaimRetentionPolicy: ours \{"whenDeleted":"Retain","whenScaled":"Retain"\}, theirs undefined/,
  /^status\.availableReplicas: ours 0, theirs undefined/,
  /^spec\.updateStrategy\.rollingUpdate\.maxSurge: ours 0, theirs undefined/,
  // Jobs: labels under a domain since 1.27; every job has its own uid.
  /batch\.kubernetes\.io\/(controller-uid|job-name): .* theirs undefined/,
  /controller-uid: ours "[-0-9a-f]{36}", theirs "[-0-9a-f]{36}"/,
  /matchLabels\.controller-uid: ours undefined/,
  /^spec\.(completionMode|suspend|podReplacementPolicy|manualSelector|internalTrafficPolicy|ipFamilyPolicy|ipFamilies|allocateLoadBalancerNodePorts): .*, theirs undefined/,
  /^spec\.(storageCapacity|requiresRepublish|seLinuxMount): ours false, theirs undefined/,
  /^spec\.parameters\.scope: ours "Cluster", theirs undefined/,
  /^metadata\.labels: ours \{"kubernetes\.io\/metadata\.name":"\w+"\}, theirs undefined/,
  /^endpoints\[0\]\.nodeName: ours "h", theirs undefined/,
  /^status\.lastPhaseTransitionTime: /,
  // Null and absent, or null and empty, say the same.
  /: ours (undefined|\[\]), theirs null$/,
]

const volatile = new Set(['uid', 'creationTimestamp', 'resourceVersion', 'managedFields', 'generation'])

function* differences(ours: Json | undefined, theirs: Json | undefined, path = ''): Generator<string> {
  if (path.startsWith('metadata.') && volatile.has(path.slice(9))) return
  if (isObject(ours) && isObject(theirs)) {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)]))
      yield* differences(ours[key], theirs[key], path ? `${path}.${key}` : key)
  } else if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
    for (const [i, item] of ours.entries()) yield* differences(item, theirs[i], `${path}[${i}]`)
  } else if (JSON.stringify(ours) !== JSON.stringify(theirs)) yield `${path}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value)
