import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '#api'
import { manualClock } from '#base'
import { memoryReader } from '../memory-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { embedPluginFiles, parseAdmissionConfiguration } from './configuration.ts'
import { eventRateLimit } from './event-rate-limit.ts'
import { checkPluginNames } from './index.ts'
import {
  alwaysPullImages,
  denyServiceExternalIPs,
  limitPodHardAntiAffinityTopology,
  namespaceAutoProvision,
  namespaceExists,
  podNodeSelector,
} from './optional-plugins.ts'
import { podTolerationRestriction } from './pod-tolerations.ts'
import { podSecurity } from './pod-security.ts'
import { runAdmission } from './run.ts'

const header = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n'
const plugin = (name: string, configuration: string) =>
  `${header}plugins:\n- name: ${name}\n  configuration:\n${configuration.replace(/^/gm, '    ')}`
const podSecurityHeader = 'apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n'
const eventHeader = 'apiVersion: eventratelimit.admission.k8s.io/v1alpha1\nkind: Configuration\n'

const tolerationHeader = 'apiVersion: podtolerationrestriction.admission.k8s.io/v1alpha1\nkind: Configuration\n'

const request = (
  operation: AdmissionRequest['operation'],
  path: string,
  kind: string,
  object?: object,
  options: { old?: object; user?: string } = {},
): AdmissionRequest => {
  const [resource = '', namespace = '', name = ''] = path.split('/')
  return {
    operation,
    context: {
      now: '2026-01-01T00:00:00Z',
      dryRun: false,
      request: {
        user: { username: options.user ?? 'jane', groups: [] },
        verb: operation.toLowerCase(),
        path: '/',
        resource: { group: '', version: 'v1', resource, subresource: '', namespace, name, rest: '' },
      },
    },
    kind: { group: '', version: 'v1', kind },
    ...(object ? { object: object as never } : {}),
    ...(options.old ? { old: options.old as never } : {}),
  }
}
const refusal = async (plugin: AdmissionPlugin, each: AdmissionRequest) => {
  try {
    await runAdmission([plugin], each)
    return undefined
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return `${error.code} ${error.message}`
  }
}
const pod = (spec: object = {}, metadata: object = { name: 'p', namespace: 'ns' }) => ({
  metadata,
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
})

test('plugins are told what the configuration says', () => {
  assert.deepEqual(
    parseAdmissionConfiguration(
      plugin(
        'PodSecurity',
        `${podSecurityHeader}defaults: {enforce: baseline, enforce-version: v1.30, warn: restricted}\nexemptions: {namespaces: [kube-system]}`,
      ),
    ),
    {
      podSecurity: {
        defaults: {
          enforce: { level: 'baseline', version: 30 },
          audit: { level: 'privileged', version: Infinity },
          warn: { level: 'restricted', version: Infinity },
        },
        exemptions: { usernames: [], namespaces: ['kube-system'], runtimeClasses: [] },
      },
    },
  )
  assert.deepEqual(parseAdmissionConfiguration(plugin('EventRateLimit', `${eventHeader}limits: [{type: Namespace, qps: 50, burst: 100}]`)), {
    eventLimits: [{ type: 'Namespace', qps: 50, burst: 100, cacheSize: 0 }],
  })
})

test('files that plugins name are put into the configuration', async () => {
  const files: Record<string, string> = { 'limits.yaml': `${eventHeader}limits: [{type: Server, qps: 1, burst: 1}]` }
  const embedded = await embedPluginFiles(`${header}plugins: [{name: EventRateLimit, path: limits.yaml}]`, (path) => Promise.resolve(files[path]!))
  assert.deepEqual(parseAdmissionConfiguration(embedded), { eventLimits: [{ type: 'Server', qps: 1, burst: 1, cacheSize: 0 }] })
})

test('what cannot be meant is refused with the field that is wrong', async (context) => {
  const rows: [string, string, RegExp][] = [
    ['another kind', 'kind: Pod\napiVersion: v1', /an AdmissionConfiguration of apiserver.config.k8s.io\/v1 is expected/],
    ['a field that there is not', `${header}plugin: []`, /there is no field "plugin"/],
    ['a plugin that reads nothing', plugin('Priority', 'a: b'), /plugins\[0\]: nothing is read for the plugin "Priority"/],
    ['another kind for a plugin', plugin('PodSecurity', `${eventHeader}limits: []`), /a PodSecurityConfiguration is expected/],
    [
      'a level that there is not',
      plugin('PodSecurity', `${podSecurityHeader}defaults: {enforce: strict}`),
      /PodSecurity: defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted/,
    ],
    [
      'a version',
      plugin('PodSecurity', `${podSecurityHeader}defaults: {warn-version: "1.2"}`),
      /defaults.warn-version: Invalid value: "1.2": must be "latest" or "v1.x"/,
    ],
    [
      'an exemption twice',
      plugin('PodSecurity', `${podSecurityHeader}exemptions: {namespaces: [a, a]}`),
      /exemptions.namespaces\[1\]: Duplicate value: "a"/,
    ],
    [
      'a toleration that there is not',
      plugin('PodTolerationRestriction', `${tolerationHeader}whitelist: [{key: a, operator: Exists, value: b}]`),
      /PodTolerationRestriction: whitelist\[0\].operator: Invalid value: "b": value must be empty when `operator` is 'Exists'/,
    ],
    ['no limits', plugin('EventRateLimit', eventHeader), /EventRateLimit: limits: must not be empty/],
    [
      'a limit of nothing',
      plugin('EventRateLimit', `${eventHeader}limits: [{type: Server, qps: 0, burst: 1}]`),
      /limits\[0\].qps: Invalid value: 0: must be positive/,
    ],
    [
      'a limit of something else',
      plugin('EventRateLimit', `${eventHeader}limits: [{type: Pod, qps: 1, burst: 1}]`),
      /limits\[0\].type: Unsupported value: "Pod"/,
    ],
  ]
  for (const [name, text, error] of rows) await context.test(name, () => assert.throws(() => parseAdmissionConfiguration(text), error))
})

test('plugins that there are not, and plugins that are on and off, are refused', () => {
  checkPluginNames(['AlwaysPullImages', 'EventRateLimit'], ['PodSecurity', 'ResourceQuota'])
  assert.throws(() => checkPluginNames(['Nope'], []), /enable-admission-plugins plugin "Nope" is unknown/)
  assert.throws(() => checkPluginNames([], ['RBACEscalation']), /disable-admission-plugins plugin "RBACEscalation" is unknown/)
  assert.throws(
    () => checkPluginNames(['Priority'], ['Priority']),
    /\["Priority"\] in enable-admission-plugins and disable-admission-plugins overlapped/,
  )
})

test('namespaces without labels are held to the defaults of the configuration', async () => {
  const reader = memoryReader()
  reader.set('', 'namespaces', { metadata: { name: 'ns' } })
  reader.set('', 'namespaces', { metadata: { name: 'open', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } })
  const standard = { level: 'baseline', version: Infinity } as const
  const plugin = podSecurity(reader, { defaults: { enforce: standard, audit: standard, warn: standard }, exemptions: { usernames: ['root'] } })
  const create = (namespace: string, user?: string) =>
    refusal(plugin, request('CREATE', `pods/${namespace}`, 'Pod', pod({ hostNetwork: true }, { name: 'p', namespace }), user ? { user } : {}))
  assert.match((await create('ns'))!, /^403 .*violates PodSecurity "baseline:latest": host namespaces \(hostNetwork=true\)/)
  assert.equal(await create('open'), undefined)
  assert.equal(await create('ns', 'root'), undefined)
})

test('events are limited in all, by namespace, by user, and by source and object', async () => {
  const clock = manualClock()
  const event = (namespace: string, user = 'jane', source = 'kubelet') =>
    request(
      'CREATE',
      `events/${namespace}`,
      'Event',
      { metadata: { name: 'e', namespace }, source: { component: source }, involvedObject: { name: 'p' } },
      { user },
    )
  const byNamespace = eventRateLimit([{ type: 'Namespace', qps: 1, burst: 2, cacheSize: 2 }], clock)
  assert.equal(await refusal(byNamespace, event('a')), undefined)
  assert.equal(await refusal(byNamespace, event('a')), undefined)
  assert.equal(await refusal(byNamespace, event('a')), '429 Too many requests: limit reached on type Namespace for key a')
  assert.equal(await refusal(byNamespace, event('b')), undefined)
  await clock.advance(1000)
  assert.equal(await refusal(byNamespace, event('a')), undefined)
  assert.ok(await refusal(byNamespace, event('a')))
  // what was used least of late is forgotten
  await refusal(byNamespace, event('b'))
  await refusal(byNamespace, event('c'))
  assert.equal(await refusal(byNamespace, event('a')), undefined)
  const byAll = eventRateLimit(
    [
      { type: 'User', qps: 1, burst: 1, cacheSize: 0 },
      { type: 'SourceAndObject', qps: 1, burst: 1, cacheSize: 0 },
    ],
    clock,
  )
  assert.equal(await refusal(byAll, event('a')), undefined)
  assert.equal(
    await refusal(byAll, event('a')),
    '429 Too many requests: [limit reached on type User for key jane, limit reached on type SourceAndObject for key kubeletp]',
  )
  assert.equal(await refusal(byAll, event('a', 'joe', 'scheduler')), undefined)
  assert.equal(await refusal(byAll, { ...event('a'), context: { ...event('a').context, dryRun: true } }), undefined)
})

test('plugins that are off by default', async (context) => {
  const reader = memoryReader()
  reader.set('', 'namespaces', { metadata: { name: 'ns', annotations: { 'scheduler.alpha.kubernetes.io/node-selector': 'zone=a' } } })
  await context.test('images are always pulled, but for what runs already', async () => {
    const created = pod({
      initContainers: [{ name: 'i', image: 'i:2', imagePullPolicy: 'Never' }],
      volumes: [{ name: 'v', image: { reference: 'x' } }],
    })
    assert.equal(await refusal(alwaysPullImages(), request('CREATE', 'pods/ns', 'Pod', created)), undefined)
    assert.deepEqual(JSON.stringify(created).match(/"(imagePullPolicy|pullPolicy)":"Always"/g)?.length, 3)
    const kept = pod()
    await refusal(alwaysPullImages(), request('UPDATE', 'pods/ns/p', 'Pod', kept, { old: pod() }))
    assert.deepEqual(kept, pod())
  })
  await context.test('services keep their external addresses, and get no new ones', async () => {
    const service = (...externalIPs: string[]) => ({ metadata: { name: 's' }, spec: { externalIPs } })
    const plugin = denyServiceExternalIPs()
    assert.equal(
      await refusal(plugin, request('CREATE', 'services/ns', 'Service', service('1.2.3.4'))),
      '403 services "s" is forbidden: Use of external IPs is denied by admission control',
    )
    assert.equal(
      await refusal(plugin, request('UPDATE', 'services/ns/s', 'Service', service('1.2.3.4'), { old: service('1.2.3.4', '5.6.7.8') })),
      undefined,
    )
  })
  await context.test('pods keep others away from their node alone', async () => {
    const away = (topologyKey: string) =>
      pod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey }] } } })
    const plugin = limitPodHardAntiAffinityTopology()
    assert.match(
      (await refusal(plugin, request('CREATE', 'pods/ns', 'Pod', away('zone'))))!,
      /has TopologyKey zone but only key kubernetes.io\/hostname is allowed/,
    )
    assert.equal(await refusal(plugin, request('CREATE', 'pods/ns', 'Pod', away('kubernetes.io/hostname'))), undefined)
  })
  await context.test('a namespace has to be there, or is made', async () => {
    assert.equal(await refusal(namespaceExists(reader), request('CREATE', 'pods/none', 'Pod', pod())), '404 namespaces "none" not found')
    assert.equal(await refusal(namespaceExists(reader), request('CREATE', 'pods/ns', 'Pod', pod())), undefined)
    const made: string[] = []
    const client = { resource: () => ({ create: ({ metadata }: { metadata: { name: string } }) => Promise.resolve(made.push(metadata.name)) }) }
    const plugin = namespaceAutoProvision(reader, () => client as never)
    await refusal(plugin, request('CREATE', 'pods/new', 'Pod', pod()))
    await refusal(plugin, request('CREATE', 'pods/ns', 'Pod', pod()))
    assert.deepEqual(made, ['new'])
  })
  await context.test('pods run on the nodes of their namespace', async () => {
    const plugin = podNodeSelector(reader, { clusterDefaultNodeSelector: 'kind=general', ns: 'zone=a,disk=ssd' })
    const chosen = pod({ nodeSelector: { disk: 'ssd' } })
    assert.equal(await refusal(plugin, request('CREATE', 'pods/ns', 'Pod', chosen)), undefined)
    assert.deepEqual(chosen.spec, { ...pod().spec, nodeSelector: { zone: 'a', disk: 'ssd' } })
    assert.match(
      (await refusal(plugin, request('CREATE', 'pods/ns', 'Pod', pod({ nodeSelector: { zone: 'b' } }))))!,
      /pod node label selector conflicts with its namespace node label selector/,
    )
    assert.match(
      (await refusal(plugin, request('CREATE', 'pods/ns', 'Pod', pod({ nodeSelector: { disk: 'hdd' } }))))!,
      /pod node label selector labels conflict with its namespace whitelist/,
    )
    const other = pod({}, { name: 'p', namespace: 'other' })
    await refusal(plugin, request('CREATE', 'pods/other', 'Pod', other))
    assert.deepEqual((other.spec as { nodeSelector?: object }).nodeSelector, { kind: 'general' })
  })
})

test('pods get the tolerations of their namespace, and may have no others than it lists', async (context) => {
  const key = (name: string, more: object = {}) => ({ key: name, operator: 'Exists', ...more })
  const reader = memoryReader()
  const namespace = (name: string, annotations: Record<string, string>) =>
    reader.set('', 'namespaces', {
      metadata: { name, annotations: Object.fromEntries(Object.entries(annotations).map(([k, v]) => [`scheduler.alpha.kubernetes.io/${k}`, v])) },
    })
  namespace('plain', {})
  namespace('own', { defaultTolerations: JSON.stringify([key('own')]), tolerationsWhitelist: JSON.stringify([key('own'), key('more')]) })
  namespace('open', { defaultTolerations: '', tolerationsWhitelist: '' })
  namespace('broken', { tolerationsWhitelist: '{"a":1}' })
  const text = plugin(
    'PodTolerationRestriction',
    `${tolerationHeader}default: [{key: all, operator: Exists}]\nwhitelist: [{key: all, operator: Exists}, {key: b, value: x}]`,
  )
  const { tolerations } = parseAdmissionConfiguration(text)
  const of = podTolerationRestriction(reader, tolerations)
  const given = async (where: string, wanted?: object[], operation: 'CREATE' | 'UPDATE' = 'CREATE', containers?: object[]) => {
    const one = pod({ ...(wanted ? { tolerations: wanted } : {}), ...(containers ? { containers } : {}) }, { name: 'p', namespace: where })
    const refused = await refusal(of, request(operation, `pods/${where}`, 'Pod', one, operation === 'UPDATE' ? { old: one } : {}))
    return refused ?? (one.spec as { tolerations?: object[] }).tolerations
  }
  const conflict = (whose: string) => `500 pod tolerations (possibly merged with namespace default tolerations) conflict with its ${whose} whitelist`
  const rows: [name: string, found: unknown, expected: unknown][] = [
    ['the configuration’s where the namespace has none', await given('plain'), [key('all')]],
    [
      'beside what the pod says, as far as it is listed',
      await given('plain', [{ key: 'b', operator: 'Equal', value: 'x' }]),
      [{ key: 'b', operator: 'Equal', value: 'x' }, key('all')],
    ],
    ['what is not listed is refused', await given('plain', [key('c')]), conflict('cluster')],
    ['another value is refused', await given('plain', [{ key: 'b', operator: 'Equal', value: 'y' }]), conflict('cluster')],
    [
      'the namespace’s come before the configuration’s',
      await given('own', [key('more', { effect: 'NoSchedule' })]),
      [key('more', { effect: 'NoSchedule' }), key('own')],
    ],
    ['and so does its list', await given('own', [key('all')]), conflict('namespace')],
    ['what another one covers is left out', await given('own', [key('own', { effect: 'NoSchedule' })]), [key('own')]],
    ['empty annotations mean none, and all', await given('open', [key('anything')]), [key('anything')]],
    ['an update gets none', await given('plain', undefined, 'UPDATE'), undefined],
    [
      'an annotation that cannot be read lets nobody pass',
      await given('broken', [key('a')]),
      '500 tolerations of the namespace: a list of tolerations is expected',
    ],
    [
      'pods that ask for resources tolerate that memory is short',
      await given('open', [], 'CREATE', [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }]),
      [key('node.kubernetes.io/memory-pressure', { effect: 'NoSchedule' })],
    ],
  ]
  for (const [name, found, expected] of rows) await context.test(name, () => assert.deepEqual(found, expected))
})
