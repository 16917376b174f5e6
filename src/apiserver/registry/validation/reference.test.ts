import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { meta } from '#api'
import { readAll } from '#client'
import { silentLogger } from '#base'
import { memoryStore } from '#store'
import { admin, startTestServer } from '../../test-server.ts'
import { serviceAllocator, withServiceAllocation } from '../allocation/index.ts'
import { strategies } from '../strategies/index.ts'

type Cause = [field: string, reason: string, message: string]

/** Creates that Kubernetes 1.20 refused, with the causes it gave. */
const recorded = JSON.parse(readFileSync(new URL('reference-1.20.json', import.meta.url), 'utf8')) as {
  path: string
  input: { kind: string }
  causes: Cause[]
}[]

/** What newer releases say otherwise than 1.20, the old text first. */
const newer: [old: RegExp, now: string][] = [
  [/(ownerReferences\.\w+ \| .*): (?:kind|name|uid) must not be empty$/, '$1: must not be empty'],
  [/"status\.hostIP", /, '"status.hostIP", "status.hostIPs", '],
  [/references for (\w) and \w$/, 'references for A/$1 and A2/$1'],
  [/less than or equal to cpu limit$/, 'less than or equal to cpu limit of 1'],
  [/match regex \(.*$/, 'match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'],
  [/must be valid IP address$/, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  [/podAffinityTerm\.matchExpressions/, 'podAffinityTerm.labelSelector'],
  [/^spec\.hostAliases\./, 'spec.hostAliases[0].'],
  [
    /(initContainers\[0\]\.\w+) \| FieldValueInvalid \| .*$/,
    '$1 | FieldValueForbidden | Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [/Expected exactly 5 fields, found 1: x$/, 'expected exactly 5 fields, found 1: [x]'],
  [/End of range/, 'end of range'],
  [/at least one letter or number \(a-z, 0-9\)$/, 'at least one letter (a-z)'],
  [/\(127\.0\.0\.0\/8\)$/, '(127.0.0.0/8, ::1/128)'],
  [/ExternalTrafficPolicy can only be set.*$/, 'may only be set for externally-accessible services'],
  [
    /FieldValueInvalid \| .*ExternalTrafficPolicy must be.*$/,
    'FieldValueNotSupported | Unsupported value: "Foo": supported values: "Cluster", "Local"',
  ],
  [
    /^spec\.LoadBalancerSourceRanges \| .*must be a list.*$/,
    'spec.LoadBalancerSourceRanges[0] | FieldValueInvalid | Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [/HealthCheckNodePort can only.*$/, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"],
  [/failed to allocated ip:(\S+) with error:provided IP is/, 'failed to allocate IP $1: the provided IP ($1) is'],
  [/"ReadWriteMany", "ReadWriteOnce"$/, '"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'],
  [/"x": must be a valid IPv4 address$/, '"x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  [/must be a valid (IPv[46]) address$/, 'must be an $1 address'],
  [/^data\[%s\]\[/, 'data['],
  [/"A_\/b c"/, '"a_/b c"'],
  // newer releases say what is wrong with several labels where one is wanted
  [/Invalid value: ("[-a-z0-9]+(\.[-a-z0-9]+)+"): a lowercase RFC 1123 label must.*$/, 'Invalid value: $1: must not contain dots'],
  [/`configMapKeyRef` or `secretKeyRef`$/, '`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'],
  [
    /terminationMessagePolicy \| FieldValueInvalid \| Invalid value: ("\w+"): must be 'File' or 'FallbackToLogsOnError'$/,
    'terminationMessagePolicy | FieldValueNotSupported | Unsupported value: $1: supported values: "File", "FallbackToLogsOnError"',
  ],
  // names that are searched may begin with an underscore since 1.32
  [
    /(searches\[\d+\] .*)'-' or '\.', and must (.*)'\[a-z0-9\]\(\[-a-z0-9\]\*\[a-z0-9\]\)\?\(.*'\)$/,
    "$1'_', '-' or '.', and must $2'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')",
  ],
  [/hostAliases\[(\d+)\]\.hostnames \|/, 'hostAliases[$1].hostnames[0] |'],
  [
    /\.containerPort \| FieldValueInvalid \| Invalid value: 80: must match `hostPort` when/,
    '.hostPort | FieldValueInvalid | Invalid value: 81: must match `containerPort` when',
  ],
  [/not a valid CIDR$/, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
  [/: usages must be provided$/, ''],
  [/must to greater or equal than 0$/, 'must be greater than or equal to 0'],
  [/maxUnavailable \| FieldValueInvalid \| .*cannot be 0$/, 'maxUnavailable | FieldValueRequired | Required value: cannot be 0 when maxSurge is 0'],
  [/the provided IP \(\S+\) is not in the valid range\..*$/, 'the provided network does not match the current range'],
]

/** Causes that only newer releases give, or only older ones: either side may have them. */
const optional = [
  /procMount/,
  /ttlSecondsAfterFinished/,
  /loopback range/,
  /"x": must be a valid IP address$/,
  /at least one stored version/,
  /must not have bits set beyond/,
  /schemas are required/,
  /apiVersion must specify API group$/,
  // of a missing name of a driver nothing else is said any more
  /csi\.driver \| FieldValueInvalid \| Invalid value: ""/,
  // admission gives pods their account, and with it tokens
  /must not be specified when serviceAccountName is not set$/,
  /looking for beginning of value$|is not valid JSON$/,
]

/** What 1.20 refused and newer releases take: names of services are labels like others since 1.36. */
const taken = /^metadata\.name \| .*a DNS-1035 label/

const text = ([field, reason, message]: Cause) => `${field} | ${reason} | ${message}`

// Old releases print values of Go's types in Go's syntax, new ones as JSON.
const goValue = /value: (map\[|\[\]|[a-z0-9]+\.[A-Z])/

/** Whether our cause says what the recorded one says. */
function says(ours: string, theirs: string): boolean {
  if (ours === theirs) return true
  if (!goValue.test(theirs)) return false
  const [field, reason, message = ''] = theirs.split(' | ')
  const detail = /^.*?[})]: (.*)$/.exec(message.replace(/^.*value: /, '').replace(/^.*[})](?=: )/, '}'))?.[1] ?? ''
  return ours.startsWith(`${field} | ${reason} | `) && ours.endsWith(detail)
}

const updated = (cause: string) => newer.reduce((now, [old, text]) => now.replace(old, text), cause)

test('invalid objects are refused with the causes that the reference gives', async (t) => {
  const store = memoryStore()
  const allocator = serviceAllocator({ store, reader: () => server.server.reader, clusterIPs: '10.97.0.0/16', log: silentLogger })
  await using server = await startTestServer({ store, strategies: withServiceAllocation(strategies, allocator) })
  const transport = server.server.transport(admin)
  for (const { path, input, causes } of recorded) {
    await t.test(`${input.kind}: ${causes.map(([field]) => field).join(', ')}`, async () => {
      const response = await transport.send({
        method: 'POST',
        path,
        query: new URLSearchParams(),
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(input)),
      })
      if (causes.every((cause) => taken.test(text(cause)))) {
        assert.equal(response.status, 201)
        return
      }
      assert.equal(response.status, 422)
      const status = JSON.parse(Buffer.from(await readAll(response)).toString()) as meta.Status
      const ours = status.details!.causes!.map((cause) => text([cause.field ?? '', cause.reason ?? '', cause.message ?? '']))
      const theirs = causes.map((cause) => updated(text(cause)))
      const needed = (cause: string) => !optional.some((pattern) => pattern.test(cause))
      const missing = theirs.filter((cause) => needed(cause) && !ours.some((one) => says(one, cause)))
      const extra = ours.filter((cause) => needed(cause) && !theirs.some((one) => says(cause, one)))
      assert.deepEqual({ missing, extra }, { missing: [], extra: [] })
    })
  }
})
