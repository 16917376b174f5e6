import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import { StatusError } from '#api'
import { realClock } from '#base'
import { parseAuditPolicy } from '../audit/policy.ts'
import { auditor } from '../audit/trail.ts'
import { memoryReader } from '../memory-reader.ts'
import { admin, startTestServer } from '../test-server.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import type { PodSecurityExemptions } from './pod-security.ts'
import { podSecurity } from './pod-security.ts'

const plain = { containers: [{ name: 'c', image: 'i' }] }
const safe = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [{ name: 'c', image: 'i', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
}
const hostNetwork = { ...plain, hostNetwork: true }
const probing = { containers: [{ name: 'c', image: 'i', livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } }] }
const rmem = { ...plain, securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } }
const windows = {
  os: { name: 'windows' },
  securityContext: { runAsNonRoot: true },
  containers: plain.containers,
}

interface Row {
  name: string
  labels: Record<string, string>
  spec: object
  /** Where it is refused, why. */
  refused?: string
  warned?: string
  audited?: string
}

const network = 'host namespaces (hostNetwork=true)'
const rows: Row[] = [
  { name: 'nothing is asked without labels', labels: {}, spec: hostNetwork },
  {
    name: 'what is enforced is refused',
    labels: { enforce: 'baseline' },
    spec: hostNetwork,
    refused: `violates PodSecurity "baseline:latest": ${network}`,
  },
  { name: 'what keeps to the level passes', labels: { enforce: 'restricted', warn: 'restricted', audit: 'restricted' }, spec: safe },
  {
    name: 'what is warned of passes',
    labels: { enforce: 'privileged', warn: 'baseline', 'warn-version': 'v1.25' },
    spec: hostNetwork,
    warned: `would violate PodSecurity "baseline:v1.25": ${network}`,
  },
  {
    name: 'what is audited passes silently',
    labels: { audit: 'baseline' },
    spec: hostNetwork,
    audited: `would violate PodSecurity "baseline:latest": ${network}`,
  },
  {
    name: 'a misspelt level restricts',
    labels: { enforce: 'restrictde' },
    spec: hostNetwork,
    refused:
      'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
  { name: 'a misspelt level of warnings says nothing', labels: { warn: 'restrictde' }, spec: hostNetwork },
  {
    name: 'restricted of an old release knew no seccomp profiles nor capabilities',
    labels: { enforce: 'restricted', 'enforce-version': 'v1.7' },
    spec: plain,
    refused: 'violates PodSecurity "restricted:v1.7": runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
  },
  {
    name: 'probes of other hosts are forbidden since 1.34',
    labels: { enforce: 'baseline' },
    spec: probing,
    refused: 'violates PodSecurity "baseline:latest": probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")',
  },
  { name: 'and were allowed before', labels: { enforce: 'baseline', 'enforce-version': 'v1.33' }, spec: probing },
  { name: 'a sysctl is safe since a release', labels: { enforce: 'baseline' }, spec: rmem },
  {
    name: 'and was not before',
    labels: { enforce: 'baseline', 'enforce-version': 'v1.31' },
    spec: rmem,
    refused: 'violates PodSecurity "baseline:v1.31": forbidden sysctls (net.ipv4.tcp_rmem)',
  },
  { name: 'pods for Windows are spared what it does not have', labels: { enforce: 'restricted' }, spec: windows },
]

function admit(
  options: {
    labels?: Record<string, string>
    exempt?: PodSecurityExemptions
    pods?: object[]
    old?: object
    operation?: 'CREATE' | 'UPDATE'
    user?: string
  },
  resource: string,
  object: object,
) {
  const reader = memoryReader()
  const labels = Object.fromEntries(Object.entries(options.labels ?? {}).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]))
  reader.set('', 'namespaces', { metadata: { name: 'ns', labels } })
  for (const pod of options.pods ?? []) reader.set('', 'pods', pod as never)
  const [group = '', name = ''] = resource.split('/')
  const warnings: string[] = []
  const annotations: Record<string, string> = {}
  const request: AdmissionRequest = {
    operation: options.operation ?? 'CREATE',
    kind: { group, version: 'v1', kind: '' },
    object: { metadata: { name: 'a', namespace: 'ns' }, ...object } as unknown as KubeObject,
    ...(options.old ? { old: options.old as KubeObject } : {}),
    context: {
      now: '',
      dryRun: false,
      warnings,
      annotate: (key, value) => void (annotations[key] = value),
      request: {
        user: { username: options.user ?? 'u', groups: [] },
        verb: 'create',
        path: '',
        resource: { group, version: 'v1', resource: name, subresource: '', namespace: name === 'namespaces' ? '' : 'ns', name: '', rest: '' },
      },
    },
  }
  let refusal: string | undefined
  const plugin = podSecurity(reader, { exemptions: options.exempt ?? {} })
  try {
    if (plugin.handles(request)) void plugin.validate!(request)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    refusal = error.message
  }
  return { refusal, warnings, annotations }
}

const auditKey = 'pod-security.kubernetes.io/audit-violations'

for (const { name, labels, spec, refused, warned, audited } of rows) {
  test(name, () => {
    const { refusal, warnings, annotations } = admit({ labels }, '/pods', { spec })
    assert.equal(refusal, refused && `pods "a" is forbidden: ${refused}`)
    assert.deepEqual(warnings, warned ? [warned] : [])
    assert.equal(annotations[auditKey], audited)
  })
  test(`of a workload: ${name}`, () => {
    for (const [resource, object] of [
      ['apps/deployments', { spec: { template: { spec } } }],
      ['batch/cronjobs', { spec: { jobTemplate: { spec: { template: { spec } } } } }],
      ['/podtemplates', { template: { spec } }],
    ] as const) {
      const { refusal, warnings, annotations } = admit({ labels }, resource, object)
      assert.equal(refusal, undefined)
      const expected = warned ?? refused?.replace('violates', 'would violate')
      assert.deepEqual(warnings, expected ? [expected] : [])
      assert.equal(annotations[auditKey], audited)
    }
  })
}

test('the audit log learns which policy was enforced, and who was exempt from it', () => {
  const of = (exempt: PodSecurityExemptions, spec: object = hostNetwork) =>
    admit({ labels: { enforce: 'baseline' }, exempt, user: 'op' }, '/pods', { spec })
  assert.deepEqual(of({}, safe).annotations, { 'pod-security.kubernetes.io/enforce-policy': 'baseline:latest' })
  for (const [exempt, why] of [
    [{ usernames: ['op'] }, 'user'],
    [{ namespaces: ['ns'] }, 'namespace'],
  ] as const) {
    const { refusal, annotations } = of(exempt)
    assert.deepEqual([refusal, annotations], [undefined, { 'pod-security.kubernetes.io/exempt': why }])
  }
  const sandboxed = of({ runtimeClasses: ['sandbox'] }, { ...hostNetwork, runtimeClassName: 'sandbox' })
  assert.deepEqual([sandboxed.refusal, sandboxed.annotations], [undefined, { 'pod-security.kubernetes.io/exempt': 'runtimeClass' }])
})

test('a pod that was there before the label may be updated, and is not made worse', () => {
  const old = { metadata: { name: 'a' }, spec: hostNetwork }
  const update = (spec: object) => admit({ labels: { enforce: 'baseline' }, operation: 'UPDATE', old }, '/pods', { spec }).refusal
  assert.equal(update({ ...hostNetwork, containers: [{ name: 'c', image: 'other' }], activeDeadlineSeconds: 1 }), undefined)
  assert.match(update({ ...hostNetwork, containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }] })!, /privileged/)
})

const labelled = (labels: Record<string, string>) => ({
  metadata: { name: 'ns', labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value])) },
})

test('a namespace must have labels that can be read', () => {
  const created = admit({}, '/namespaces', labelled({ enforce: 'x', 'warn-version': '1.25' }))
  assert.equal(
    created.refusal,
    'Namespace "ns" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.25": must be "latest" or "v1.x"]',
  )
  // one that has been stored with such labels can be put right in steps
  assert.equal(
    admit({ operation: 'UPDATE', old: labelled({ enforce: 'x' }) }, '/namespaces', labelled({ enforce: 'x', warn: 'y' })).refusal,
    undefined,
  )
})

test('whoever enforces more is told of the pods that break it', () => {
  const pods = [
    { metadata: { name: 'b', namespace: 'ns' }, spec: hostNetwork },
    { metadata: { name: 'a', namespace: 'ns' }, spec: hostNetwork },
    { metadata: { name: 'p', namespace: 'ns' }, spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] } },
    { metadata: { name: 'good', namespace: 'ns' }, spec: plain },
  ]
  const update = (from: Record<string, string>, to: Record<string, string>, exempt: PodSecurityExemptions = {}) =>
    admit({ operation: 'UPDATE', old: labelled(from), pods, exempt }, '/namespaces', labelled(to)).warnings
  assert.deepEqual(update({}, { enforce: 'baseline' }), [
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 1 other pod): host namespaces',
    'p: privileged',
  ])
  assert.deepEqual(update({ enforce: 'restricted' }, { enforce: 'baseline' }), [])
  assert.deepEqual(update({ enforce: 'baseline' }, { enforce: 'baseline' }), [])
  assert.deepEqual(update({}, { enforce: 'baseline' }, { namespaces: ['ns'] }), [
    'namespace "ns" is exempt from Pod Security, and the policy (enforce="baseline:latest", audit="privileged:latest", warn="baseline:latest") will be ignored',
  ])
})

test('the client is warned and the audit log told by the request itself', async () => {
  const events: any[] = []
  const backend = {
    name: 'test',
    lost: 0,
    write: (line: string) => void events.push(JSON.parse(line)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const policy = parseAuditPolicy('{apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [RequestReceived], rules: [{level: Metadata}]}')
  const admission: AdmissionPlugin[] = []
  await using t = await startTestServer({ admission, audit: auditor({ policy, backends: [backend], clock: realClock }) })
  admission.push(podSecurity(t.server.reader))
  const modes = { 'pod-security.kubernetes.io/warn': 'baseline', 'pod-security.kubernetes.io/audit': 'baseline' }
  const send = (path: string, body: object) =>
    t.server.transport(admin).send({ method: 'POST', path, query: new URLSearchParams(), headers: { 'content-type': 'application/json' }, body })
  await send('/api/v1/namespaces', { metadata: { name: 'ns', labels: modes } })
  const { status, headers } = await send('/api/v1/namespaces/ns/pods', { metadata: { name: 'a' }, spec: hostNetwork })
  assert.equal(status, 201)
  const text = `would violate PodSecurity "baseline:latest": ${network}`
  assert.equal(headers.warning, `299 - ${JSON.stringify(text)}`)
  const { annotations } = events.find((event) => event.objectRef.resource === 'pods')
  assert.equal(annotations[auditKey], text)
  assert.equal(annotations['pod-security.kubernetes.io/enforce-policy'], 'privileged:latest')
})
