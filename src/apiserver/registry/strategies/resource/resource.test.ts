import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { resource } from '#api'
import { resources } from '#api'
import { causesOf, refusals } from '../../../test-refusals.ts'
import { startTestServer } from '../../../test-server.ts'

type Loose = any

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const identifier =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
const ofRequest = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

const claim = (spec: object): object => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'a', namespace: 'default' },
  spec: { devices: spec },
})
const exactly = (more: object = {}) => ({ deviceClassName: 'gpu', ...more })
const request = (more: object = {}): object => ({ requests: [{ name: 'r', exactly: exactly(more) }] })
const opaque = (more: object = {}) => ({ opaque: { driver: 'd.example.com', parameters: { a: 1 }, ...more } })

test('claims that mean nothing are refused in upstream’s words', async (context) => {
  await using t = await startTestServer()
  const rows: [string, object, string[]][] = [
    ['a claim for one device is taken', request(), []],
    ['a claim with alternatives is taken', { requests: [{ name: 'r', firstAvailable: [{ name: 'a', ...exactly() }] }] }, []],
    [
      'a request has a name',
      { requests: [{ name: 'Bad_', exactly: exactly() }] },
      [`spec.devices.requests[0].name: Invalid value: "Bad_": ${label}`],
    ],
    [
      'a name comes once',
      { requests: [...(request() as Loose).requests, ...(request() as Loose).requests] },
      ['spec.devices.requests[1]: Duplicate value: "r"'],
    ],
    [
      'a request says what it wants',
      { requests: [{ name: 'r' }] },
      ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
    ],
    [
      'and says it once',
      { requests: [{ name: 'r', exactly: exactly(), firstAvailable: [{ name: 'a', ...exactly() }] }] },
      ['spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set'],
    ],
    [
      'a claim has 32 requests at most',
      { requests: many(33, (i) => ({ name: `r${i}`, exactly: exactly() })) },
      ['spec.devices.requests: Too many: 33: must have at most 32 items'],
    ],
    [
      'a request has 8 alternatives at most',
      { requests: [{ name: 'r', firstAvailable: many(9, (i) => ({ name: `a${i}`, ...exactly() })) }] },
      ['spec.devices.requests[0].firstAvailable: Too many: 9: must have at most 8 items'],
    ],
    [
      'alternatives have names of their own',
      {
        requests: [
          {
            name: 'r',
            firstAvailable: [
              { name: 'a', ...exactly() },
              { name: 'a', ...exactly() },
            ],
          },
        ],
      },
      ['spec.devices.requests[0].firstAvailable[1]: Duplicate value: "a"'],
    ],
    ['a class has to be named', request({ deviceClassName: '' }), ['spec.devices.requests[0].exactly.deviceClassName: Required value']],
    ['by a subdomain', request({ deviceClassName: 'a_b' }), [`spec.devices.requests[0].exactly.deviceClassName: Invalid value: "a_b": ${subdomain}`]],
    [
      'an alternative needs a class too',
      { requests: [{ name: 'r', firstAvailable: [{ name: 'a' }] }] },
      ['spec.devices.requests[0].firstAvailable[0].deviceClassName: Required value'],
    ],
    [
      'all devices have no count',
      request({ allocationMode: 'All', count: 2 }),
      ["spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"],
    ],
    ['a count is positive', request({ count: -1 }), ['spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero']],
    [
      'there are two modes',
      request({ allocationMode: 'Some' }),
      ['spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"'],
    ],
    ['a selector has an expression', request({ selectors: [{}] }), ['spec.devices.requests[0].exactly.selectors[0].cel: Required value']],
    [
      'of 10 KiB at most',
      request({ selectors: [{ cel: { expression: 'x'.repeat(10241) } }] }),
      ['spec.devices.requests[0].exactly.selectors[0].cel.expression: Too long: may not be more than 10240 bytes'],
    ],
    [
      'there are 32 selectors at most',
      request({ selectors: many(33, () => ({ cel: { expression: 'true' } })) }),
      ['spec.devices.requests[0].exactly.selectors: Too many: 33: must have at most 32 items'],
    ],
    [
      'tolerations are those of devices',
      request({
        tolerations: [
          { key: 'a b', operator: 'Exists', value: 'x' },
          { operator: 'Almost', effect: 'NoGo' },
          { key: 'a', operator: 'Equal', value: '-' },
        ],
      }),
      [
        `spec.devices.requests[0].exactly.tolerations[0].key: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
        'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "x": must be empty for operator `Exists`',
        'spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Almost": supported values: "Equal", "Exists"',
        'spec.devices.requests[0].exactly.tolerations[1].effect: Unsupported value: "NoGo": supported values: "NoExecute", "NoSchedule", "None"',
        `spec.devices.requests[0].exactly.tolerations[2].value: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      ],
    ],
    [
      'constraints are about requests of the claim',
      { ...request(), constraints: [{ requests: ['r', 'other', 'r', 'a/b/c'], matchAttribute: 'd.example.com/a' }] },
      [
        `spec.devices.constraints[0].requests[1]: Invalid value: "other": ${ofRequest}`,
        `spec.devices.constraints[0].requests[3]: Invalid value: "a/b/c": ${ofRequest}`,
        'spec.devices.constraints[0].requests[2]: Duplicate value: "r"',
      ],
    ],
    [
      'a constraint compares an attribute',
      { ...request(), constraints: [{ requests: ['r'] }] },
      [
        'spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      ],
    ],
    [
      'named in full',
      { ...request(), constraints: [{ matchAttribute: 'a' }, { distinctAttribute: '/1' }, { matchAttribute: 'a/b/c' }] },
      [
        'spec.devices.constraints[0].matchAttribute: Invalid value: "a": a fully qualified name must be a domain and a name separated by a slash',
        'spec.devices.constraints[1].distinctAttribute: Invalid value: "": the domain must not be empty',
        `spec.devices.constraints[1].distinctAttribute: Invalid value: "1": ${identifier}`,
        'spec.devices.constraints[2].matchAttribute: Invalid value: "a/b/c": must not contain more than one slash',
      ],
    ],
    [
      'there are 32 constraints at most',
      { ...request(), constraints: many(33, () => ({ matchAttribute: 'a/b' })) },
      ['spec.devices.constraints: Too many: 33: must have at most 32 items'],
    ],
    [
      'configuration is for a driver',
      { ...request(), config: [{}, opaque({ driver: '' }), opaque({ driver: 'x'.repeat(64) }), { ...opaque(), requests: ['no'] }] },
      [
        'spec.devices.config[0].opaque: Required value',
        'spec.devices.config[1].opaque.driver: Required value',
        'spec.devices.config[2].opaque.driver: Too long: may not be more than 63 bytes',
        `spec.devices.config[3].requests[0]: Invalid value: "no": ${ofRequest}`,
      ],
    ],
    [
      'its parameters are an object of 10 KiB at most',
      { ...request(), config: [{ opaque: { driver: 'd' } }, opaque({ parameters: { a: 'x'.repeat(10240) } })] },
      [
        'spec.devices.config[0].opaque.parameters: Required value',
        'spec.devices.config[1].opaque.parameters: Too long: may not be more than 10240 bytes',
      ],
    ],
    [
      'there are 32 configurations at most',
      { ...request(), config: many(33, () => opaque()) },
      ['spec.devices.config: Too many: 33: must have at most 32 items'],
    ],
  ]
  for (const [name, spec, expected] of rows)
    await context.test(name, async () => {
      assert.deepEqual(await refusals(t.client, resources.resourceClaims, claim(spec)), expected)
      const template = {
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceClaimTemplate',
        metadata: { name: 'a', namespace: 'default' },
        spec: { spec: { devices: spec } },
      }
      const inTemplate = expected.map((text) => `spec.${text}`)
      assert.deepEqual(await refusals(t.client, resources.resourceClaimTemplates, template), inTemplate)
    })
})

test('a claim gets its defaults and keeps its spec', async () => {
  await using t = await startTestServer()
  const claims = t.client.resource(resources.resourceClaims)
  const made = await claims.create({
    ...claim({ requests: [{ name: 'r', exactly: exactly({ tolerations: [{ key: 'a' }] }) }] }),
    status: { reservedFor: [{ resource: 'pods', name: 'p', uid: '1' }] },
  } as Loose)
  assert.deepEqual(made.spec.devices!.requests![0]!.exactly, {
    deviceClassName: 'gpu',
    allocationMode: 'ExactCount',
    count: 1,
    tolerations: [{ key: 'a', operator: 'Equal' }],
  })
  assert.deepEqual(made.status ?? {}, {})
  const changed = { ...made, spec: { devices: {} } }
  assert.match((await causesOf(claims.update(changed as Loose)))[0]!, /^spec: Invalid value: \{.*\}: field is immutable$/)
  const templates = t.client.resource(resources.resourceClaimTemplates)
  const template = await templates.create({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { name: 'a', namespace: 'default' },
    spec: { metadata: { labels: { a: 'b' } }, spec: made.spec },
  } as Loose)
  assert.match(
    (await causesOf(templates.update({ ...template, spec: { ...template.spec, metadata: { labels: { a: 'c' } } } } as Loose)))[0]!,
    /^spec: Invalid value: .*field is immutable$/,
  )
})

test('a template gives its claims labels and annotations alone', async () => {
  await using t = await startTestServer()
  const spec = { metadata: { name: 'x', uid: 'u', labels: { 'a b': 'c' }, finalizers: ['d.example.com/e'] }, spec: { devices: {} } }
  const template = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaimTemplate', metadata: { name: 'a', namespace: 'default' }, spec }
  assert.deepEqual(await refusals(t.client, resources.resourceClaimTemplates, template), [
    `spec.metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    'spec.metadata.name: Forbidden: cannot be set',
    'spec.metadata.uID: Forbidden: cannot be set',
    'spec.metadata.finalizers: Forbidden: cannot be set',
  ])
})

const result = (more: object = {}) => ({ request: 'r', driver: 'd.example.com', pool: 'pool', device: 'dev', ...more })
const allocated = (...results: object[]) => ({ allocation: { devices: { results } } })
const user = (uid: string) => ({ resource: 'pods', name: `p-${uid}`, uid })
const device = (more: object = {}) => ({ driver: 'd.example.com', pool: 'pool', device: 'dev', ...more })
const condition = (more: object = {}) => ({
  type: 'Ready',
  status: 'True',
  reason: 'Yes',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
  ...more,
})

test('the status of a claim is held against the claim', async (context) => {
  await using t = await startTestServer()
  const claims = t.client.resource(resources.resourceClaims)
  const made = await claims.create(claim(request()) as Loose)
  const rows: [string, object, string[]][] = [
    [
      'what was asked for may be allocated',
      { ...allocated(result()), reservedFor: [user('1')], devices: [device({ conditions: [condition()] })] },
      [],
    ],
    [
      'nobody has what is not allocated',
      { reservedFor: [user('1')] },
      ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
    ],
    [
      'users are named, each once',
      { ...allocated(result()), reservedFor: [{}, user('1'), user('1')] },
      [
        'status.reservedFor[0].resource: Required value',
        'status.reservedFor[0].name: Required value',
        'status.reservedFor[0].uid: Required value',
        'status.reservedFor[2]: Duplicate value: "1"',
      ],
    ],
    [
      'there are 256 users at most',
      { ...allocated(result()), reservedFor: many(257, (i) => user(`${i}`)) },
      ['status.reservedFor: Too many: 257: must have at most 256 items'],
    ],
    [
      'an allocation names a device',
      allocated(result({ request: 'no', driver: '', pool: '', device: 'A' }), result({ pool: `a/B/${'x'.repeat(250)}` })),
      [
        `status.allocation.devices.results[0].request: Invalid value: "no": ${ofRequest}`,
        'status.allocation.devices.results[0].driver: Required value',
        'status.allocation.devices.results[0].pool: Required value',
        `status.allocation.devices.results[0].device: Invalid value: "A": ${label}`,
        'status.allocation.devices.results[1].pool: Too long: may not be more than 253 bytes',
        `status.allocation.devices.results[1].pool: Invalid value: "B": ${subdomain}`,
      ],
    ],
    [
      'there are 32 results at most',
      allocated(...many(33, () => result())),
      ['status.allocation.devices.results: Too many: 33: must have at most 32 items'],
    ],
    [
      'a share has a UUID',
      allocated(result({ shareID: 'x' }), result({ shareID: '2F8DE6D8-5E0F-4B5E-9D3D-0F2B3C4D5E6F' })),
      [
        'status.allocation.devices.results[0].shareID: Invalid value: "x": error validating uid: invalid UUID length: 1',
        'status.allocation.devices.results[1].shareID: Invalid value: "2F8DE6D8-5E0F-4B5E-9D3D-0F2B3C4D5E6F": uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
      ],
    ],
    [
      'conditions of binding come with those of its failure',
      allocated(
        result({ bindingConditions: ['a', 'a'] }),
        result({ bindingConditions: ['a'], bindingFailureConditions: ['a'] }),
        result({ bindingFailureConditions: ['b'] }),
      ),
      [
        'status.allocation.devices.results[0].bindingConditions[1]: Duplicate value: "a"',
        'status.allocation.devices.results[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions',
        'status.allocation.devices.results[1].bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions',
        'status.allocation.devices.results[2].bindingConditions: Invalid value: null: bindingConditions are required to use bindingFailureConditions',
      ],
    ],
    [
      'configuration comes from somewhere',
      {
        allocation: {
          devices: {
            results: [result()],
            config: [opaque(), { ...opaque(), source: 'FromSky' }, { ...opaque(), source: 'FromClaim', requests: ['x'] }],
          },
        },
      },
      [
        'status.allocation.devices.config[0].source: Required value',
        'status.allocation.devices.config[1].source: Unsupported value: "FromSky": supported values: "FromClaim", "FromClass"',
        `status.allocation.devices.config[2].requests[0]: Invalid value: "x": ${ofRequest}`,
      ],
    ],
    [
      'a node selector is one',
      { allocation: { devices: { results: [result()] }, nodeSelector: { nodeSelectorTerms: [] } } },
      ['status.allocation.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term'],
    ],
    [
      'only of allocated devices something is said',
      { ...allocated(result()), devices: [device({ device: 'other' })] },
      [
        'status.devices[0]: Invalid value: {"Driver":"d.example.com","Pool":"pool","Device":"other","ShareID":""}: must be an allocated device in the claim',
      ],
    ],
    [
      'and once',
      { ...allocated(result()), devices: [device(), device()] },
      ['status.devices[1]: Duplicate value: {"Driver":"d.example.com","Pool":"pool","Device":"dev","ShareID":""}'],
    ],
    [
      'its conditions are conditions',
      {
        ...allocated(result()),
        devices: [
          device({
            conditions: [condition({ reason: '', lastTransitionTime: null }), condition({ status: 'Maybe', reason: '9', observedGeneration: -1 })],
          }),
        ],
      },
      [
        'status.devices[0].conditions[0].lastTransitionTime: Required value',
        'status.devices[0].conditions[0].reason: Required value',
        'status.devices[0].conditions[1].type: Duplicate value: "Ready"',
        'status.devices[0].conditions[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
        'status.devices[0].conditions[1].observedGeneration: Invalid value: -1: must be greater than or equal to zero',
        "status.devices[0].conditions[1].reason: Invalid value: \"9\": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')",
      ],
    ],
    [
      'there are 8 conditions at most',
      { ...allocated(result()), devices: [device({ conditions: many(9, (i) => condition({ type: `C${i}` })) })] },
      ['status.devices[0].conditions: Too many: 9: must have at most 8 items'],
    ],
    [
      'data is of 10 KiB at most',
      { ...allocated(result()), devices: [device({ data: { a: 'x'.repeat(10240) } })] },
      ['status.devices[0].data: Too long: may not be more than 10240 bytes'],
    ],
    [
      'addresses of a network device are canonical',
      {
        ...allocated(result()),
        devices: [
          device({
            networkData: {
              interfaceName: 'x'.repeat(257),
              hardwareAddress: 'x'.repeat(129),
              ips: ['10.9.8.7', '10.09.8.7/24', '2001:DB8::1/64', '::ffff:10.0.0.1/120', '10.1.1.1/8', '10.1.1.1/8'],
            },
          }),
        ],
      },
      [
        'status.devices[0].networkData.interfaceName: Too long: may not be more than 256 bytes',
        'status.devices[0].networkData.hardwareAddress: Too long: may not be more than 128 bytes',
        'status.devices[0].networkData.ips[0]: Invalid value: "10.9.8.7": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
        'status.devices[0].networkData.ips[1]: Invalid value: "10.09.8.7/24": must be in canonical form ("10.9.8.7/24")',
        'status.devices[0].networkData.ips[2]: Invalid value: "2001:DB8::1/64": must be in canonical form ("2001:db8::1/64")',
        'status.devices[0].networkData.ips[3]: Invalid value: "::ffff:10.0.0.1/120": must be in canonical form ("10.0.0.1/24")',
        'status.devices[0].networkData.ips[5]: Duplicate value: "10.1.1.1/8"',
      ],
    ],
    [
      'there are 16 of them at most',
      { ...allocated(result()), devices: [device({ networkData: { ips: many(17, (i) => `10.0.0.${i}/8`) } })] },
      ['status.devices[0].networkData.ips: Too many: 17: must have at most 16 items'],
    ],
  ]
  for (const [name, status, expected] of rows)
    await context.test(name, async () => {
      assert.deepEqual(await causesOf(claims.updateStatus({ ...made, status } as Loose, { dryRun: true })), expected)
    })

  await context.test('an allocation does not change, and takes what was said of its devices with it', async () => {
    const status = { ...allocated(result()), devices: [device()] }
    const given = await claims.updateStatus({ ...made, status, metadata: { ...made.metadata, labels: { no: 'label' } } } as Loose)
    assert.equal(given.metadata.labels, undefined)
    assert.match(
      (await causesOf(claims.updateStatus({ ...given, status: allocated(result({ device: 'dev2' })) } as Loose)))[0]!,
      /^status\.allocation: Invalid value: .*: field is immutable$/,
    )
    const taken = await claims.updateStatus({ ...given, status: { devices: [device()] } } as Loose)
    assert.deepEqual(taken.status ?? {}, {})
  })

  await context.test('nobody new gets a claim that goes', async () => {
    const going = await claims.create({
      ...claim(request()),
      metadata: { name: 'going', namespace: 'default', finalizers: ['a.example.com/b'] },
    } as Loose)
    const held = await claims.updateStatus({ ...going, status: { ...allocated(result()), reservedFor: [user('1')] } } as Loose)
    await claims.delete('going', 'default')
    const marked = await claims.get('going', 'default')
    assert.ok(marked.metadata.deletionTimestamp)
    assert.deepEqual(await causesOf(claims.updateStatus({ ...marked, status: { ...held.status, reservedFor: [user('2')] } } as Loose)), [
      'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
    ])
  })
})

const slice = (spec: object) => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { name: 'a' },
  spec: { driver: 'd.example.com', pool: { name: 'pool', resourceSliceCount: 1, generation: 1 }, nodeName: 'n', ...spec },
})
const policy = (value: string, requestPolicy: object) => ({
  devices: [{ name: 'a', allowMultipleAllocations: true, capacity: { size: { value, requestPolicy } } }],
})
const at = 'spec.devices[0].capacity[size].requestPolicy'

test('slices that mean nothing are refused in upstream’s words', async (context) => {
  await using t = await startTestServer()
  const oneOf = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  const perDevice =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  const term = { matchExpressions: [{ key: 'a', operator: 'Exists' }] }
  const rows: [string, object, string[]][] = [
    ['a slice of devices is taken', { devices: [{ name: 'a', attributes: { x: { int: 1 } }, capacity: { size: { value: '1Gi' } } }] }, []],
    ['a driver is named', { driver: '' }, ['spec.driver: Required value']],
    [
      'a pool is named and counted',
      { pool: { name: '', resourceSliceCount: 0, generation: -1 } },
      [
        'spec.pool.name: Required value',
        'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
        'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      ],
    ],
    ['it is said which nodes reach it', { nodeName: undefined }, [`spec: Required value: ${oneOf}`]],
    ['in one way', { allNodes: true }, [`spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${oneOf}, but multiple fields are set`]],
    [
      'that is more than nothing',
      { nodeName: '', allNodes: false, perDeviceNodeSelection: false },
      [
        'spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
        'spec.allNodes: Invalid value: false: must be either unset or set to true',
        'spec.perDeviceNodeSelection: Invalid value: false: must be either unset or set to true',
        `spec: Required value: ${oneOf}`,
      ],
    ],
    ['a node is a subdomain', { nodeName: 'A' }, [`spec.nodeName: Invalid value: "A": ${subdomain}`]],
    [
      'a selector has one term',
      { nodeName: undefined, nodeSelector: { nodeSelectorTerms: [term, term] } },
      [`spec.nodeSelector.nodeSelectorTerms: Invalid value: ${JSON.stringify([term, term])}: must have exactly one node selector term`],
    ],
    [
      'a slice has counters or devices',
      { devices: [{ name: 'a' }], sharedCounters: [{ name: 'c', counters: { x: { value: '1' } } }] },
      ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed'],
    ],
    ['128 devices at most', { devices: many(129, (i) => ({ name: `d${i}` })) }, ['spec.devices: Too many: 129: must have at most 128 items']],
    [
      '64 where one has a taint',
      { devices: many(65, (i) => ({ name: `d${i}`, taints: [{ key: 'a', effect: 'None' }] })) },
      ['spec.devices: Too many: 65: must have at most 64 items'],
    ],
    [
      'each by its name',
      { devices: [{ name: 'A' }, { name: 'b' }, { name: 'b' }] },
      [`spec.devices[0].name: Invalid value: "A": ${label}`, 'spec.devices[2]: Duplicate value: "b"'],
    ],
    [
      'sets of counters are named and not empty',
      {
        sharedCounters: [
          { name: '' },
          { name: 'A', counters: { B: { value: '1' } } },
          { name: 'c', counters: { x: { value: '1' } } },
          { name: 'c', counters: { x: { value: '1' } } },
        ],
      },
      [
        'spec.sharedCounters[0].name: Required value',
        'spec.sharedCounters[0].counters: Required value',
        `spec.sharedCounters[1].name: Invalid value: "A": ${label}`,
        `spec.sharedCounters[1].counters: Invalid value: "B": ${label}`,
        'spec.sharedCounters[3]: Duplicate value: "c"',
      ],
    ],
    [
      'there are 8 sets at most',
      { sharedCounters: many(9, (i) => ({ name: `c${i}`, counters: { x: { value: '1' } } })) },
      ['spec.sharedCounters: Too many: 9: must have at most 8 items'],
    ],
    [
      'and 32 counters in each',
      { sharedCounters: [{ name: 'c', counters: Object.fromEntries(many(33, (i) => [`x${i}`, { value: '1' }])) }] },
      ['spec.sharedCounters[0].counters: Too many: 33: must have at most 32 items'],
    ],
    [
      'devices use up counters of sets',
      {
        devices: [
          { name: 'a', consumesCounters: [{ counterSet: '' }, { counterSet: 'c', counters: { x: { value: '1' } } }] },
          { name: 'b', consumesCounters: many(3, (i) => ({ counterSet: `c${i}`, counters: { x: { value: '1' } } })) },
        ],
      },
      [
        'spec.devices[0].consumesCounters[0].counterSet: Required value',
        'spec.devices[0].consumesCounters[0].counters: Required value',
        'spec.devices[1].consumesCounters: Too many: 3: must have at most 2 items',
      ],
    ],
    [
      'attributes and capacities are 32 together',
      { devices: [{ name: 'a', attributes: Object.fromEntries(many(33, (i) => [`x${i}`, { int: i }])) }] },
      ['spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32'],
    ],
    [
      'an attribute has a name and one value',
      {
        devices: [
          {
            name: 'a',
            attributes: {
              '1': { int: 1 },
              '/x': { int: 1 },
              'a/': { int: 1 },
              [`d.example.com/${'x'.repeat(33)}`]: { int: 1 },
              none: {},
              two: { int: 1, bool: true },
            },
          },
        ],
      },
      [
        `spec.devices[0].attributes: Invalid value: "1": ${identifier}`,
        'spec.devices[0].attributes: Invalid value: "": the domain must not be empty',
        'spec.devices[0].attributes: Invalid value: "": the name must not be empty',
        'spec.devices[0].attributes: Too long: may not be more than 32 bytes',
        'spec.devices[0].attributes[none]: Invalid value: "": exactly one value must be specified',
        'spec.devices[0].attributes[two]: Invalid value: {"IntValue":1,"BoolValue":true,"StringValue":null,"VersionValue":null,"IntValues":null,"BoolValues":null,"StringValues":null,"VersionValues":null}: exactly one value must be specified',
      ],
    ],
    [
      'texts are short and versions are versions',
      { devices: [{ name: 'a', attributes: { s: { string: 'x'.repeat(65) }, v: { version: '1.2' }, w: { version: `1.2.3-${'x'.repeat(60)}` } } }] },
      [
        'spec.devices[0].attributes[s].string: Too long: may not be more than 64 bytes',
        'spec.devices[0].attributes[v].version: Invalid value: "1.2": must be a string compatible with semver.org spec 2.0.0',
        'spec.devices[0].attributes[w].version: Too long: may not be more than 64 bytes',
      ],
    ],
    [
      'taints have a key and an effect',
      {
        devices: [
          {
            name: 'a',
            taints: [
              { key: '', effect: '' },
              { key: 'a', value: 'x y', effect: 'Away' },
            ],
          },
        ],
      },
      [
        'spec.devices[0].taints[0].key: Invalid value: "": name part must be non-empty',
        `spec.devices[0].taints[0].key: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
        'spec.devices[0].taints[0].effect: Required value',
        `spec.devices[0].taints[1].value: Invalid value: "x y": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
        'spec.devices[0].taints[1].effect: Unsupported value: "Away": supported values: "NoExecute", "NoSchedule", "None"',
      ],
    ],
    [
      'there are 16 taints at most',
      { devices: [{ name: 'a', taints: many(17, () => ({ key: 'a', effect: 'None' })) }] },
      ['spec.devices[0].taints: Too many: 17: must have at most 16 items'],
    ],
    [
      'a device is on nodes of its own only where all are',
      { devices: [{ name: 'a', nodeName: 'n' }] },
      [
        'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
    [
      'and then each says where it is',
      {
        nodeName: undefined,
        perDeviceNodeSelection: true,
        devices: [{ name: 'a' }, { name: 'b', nodeName: '', allNodes: false }, { name: 'c', nodeName: 'n', allNodes: true }],
      },
      [
        `spec.devices[0]: Required value: ${perDevice}`,
        'spec.devices[1].nodeName: Invalid value: "": must not be empty',
        'spec.devices[1].allNodes: Invalid value: false: must be either unset or set to true',
        `spec.devices[1]: Required value: ${perDevice}`,
        `spec.devices[2]: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${perDevice}`,
      ],
    ],
    [
      'conditions of binding are four',
      { devices: [{ name: 'a', bindingConditions: many(5, (i) => `c${i}`), bindingFailureConditions: ['f', 'f'] }] },
      [
        'spec.devices[0].bindingConditions: Too many: 5: must have at most 4 items',
        'spec.devices[0].bindingFailureConditions[1]: Duplicate value: "f"',
      ],
    ],
    [
      'only what several use has a policy',
      { devices: [{ name: 'a', capacity: { size: { value: '1', requestPolicy: {} } } }] },
      [`${at}: Forbidden: allowMultipleAllocations must be true`],
    ],
    [
      'values or a range',
      policy('8Gi', { default: '1Gi', validValues: ['1Gi'], validRange: { min: '1Gi' } }),
      [`${at}: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time`],
    ],
    ['values need a default', policy('8Gi', { validValues: ['1Gi'] }), [`${at}.default: Required value: required when validValues is defined`]],
    [
      'one of them, in order, each once, none beyond the capacity',
      policy('4Gi', { default: '3Gi', validValues: ['2Gi', '1Gi', '1024Mi', '8Gi'] }),
      [
        `${at}.validValues[1]: Invalid value: "1Gi": values must be sorted in ascending order`,
        `${at}.validValues[3]: Invalid value: "8Gi": option is larger than capacity value: 4Gi`,
        `${at}.validValues[2]: Duplicate value: "1073741824"`,
        `${at}.validValues: Invalid value: "3Gi": default value is not valid according to the requestPolicy`,
      ],
    ],
    [
      'there are 10 values at most',
      policy('20', { default: '1', validValues: many(11, (i) => `${i + 1}`) }),
      [
        `${at}.validValues: Too many: 11: must have at most 10 items`,
        `${at}.validValues: Invalid value: "1": default value is not valid according to the requestPolicy`,
      ],
    ],
    [
      'a range needs a default',
      policy('8Gi', { validRange: { min: '1Gi' } }),
      [`${at}.default: Required value: required when validRange is defined`],
    ],
    [
      'and a least',
      policy('8Gi', { default: '1Gi', validRange: { max: '2Gi' } }),
      [`${at}.validRange.min: Required value: required when validRange is defined`],
    ],
    [
      'within the capacity',
      policy('2Gi', { default: '1Gi', validRange: { min: '4Gi', max: '3Gi' } }),
      [
        `${at}.validRange.min: Invalid value: "4Gi": min is larger than capacity value: 2Gi`,
        `${at}.validRange.default: Invalid value: "1Gi": default is less than min: 4Gi`,
        `${at}.validRange.max: Invalid value: "4Gi": min is larger than max: 3Gi`,
        `${at}.validRange.max: Invalid value: "3Gi": max is larger than capacity value: 2Gi`,
      ],
    ],
    [
      'with its default and steps that fit',
      policy('8Gi', { default: '7Gi', validRange: { min: '1Gi', max: '6Gi', step: '4Gi' } }),
      [
        `${at}.validRange.default: Invalid value: "7Gi": default is more than max: 6Gi`,
        `${at}.validRange.step: Invalid value: "7Gi": value is not a multiple of a given step (4Gi) from (1Gi)`,
        `${at}.validRange.step: Invalid value: "6Gi": value is not a multiple of a given step (4Gi) from (1Gi)`,
      ],
    ],
    [
      'that are steps',
      policy('8Gi', { default: '1Gi', validRange: { min: '1Gi', step: '0' } }),
      [`${at}.validRange.step: Invalid value: "0": must be greater than zero`],
    ],
    [
      'and not beyond it',
      policy('4Gi', { default: '1Gi', validRange: { min: '1Gi', step: '5Gi' } }),
      [`${at}.validRange.step: Invalid value: "5Gi": one step 6Gi is larger than capacity value: 4Gi`],
    ],
  ]
  for (const [name, spec, expected] of rows)
    await context.test(name, async () => {
      assert.deepEqual(await refusals(t.client, resources.resourceSlices, slice(spec)), expected)
    })
})

test('a slice stays with its driver, pool and node, counts its generations, and drops what 1.36 has turned off', async () => {
  await using t = await startTestServer()
  const slices = t.client.resource(resources.resourceSlices)
  const made = await slices
    .create(
      slice({
        devices: [
          {
            name: 'a',
            attributes: { list: { ints: [1] }, n: { int: 1 } },
            nodeAllocatableResourceMappings: { cpu: {} },
            taints: [{ key: 'a', effect: 'None' }],
          },
        ],
      }) as Loose,
      { dryRun: true },
    )
    .catch((error: unknown) => error as { status: { details: { causes: { field: string }[] } } })
  // an attribute without its list is empty, as upstream has it
  assert.deepEqual(
    (made as Loose).status.details.causes.map((cause: { field: string }) => cause.field),
    ['spec.devices[0].attributes[list]'],
  )
  const kept = await slices.create(
    slice({
      devices: [
        { name: 'a', attributes: { n: { int: 1, ints: [1] } }, nodeAllocatableResourceMappings: { cpu: {} }, taints: [{ key: 'a', effect: 'None' }] },
      ],
    }) as Loose,
  )
  assert.deepEqual(kept.spec.devices![0]!.attributes, { n: { int: 1 } })
  assert.equal(kept.spec.devices![0]!.nodeAllocatableResourceMappings, undefined)
  assert.ok(kept.spec.devices![0]!.taints![0]!.timeAdded)
  assert.equal(kept.metadata.generation, 1)
  const more = await slices.update({ ...kept, spec: { ...kept.spec, pool: { ...kept.spec.pool, generation: 2 } } })
  assert.equal(more.metadata.generation, 2)
  const moved: resource.ResourceSlice = {
    ...(more as resource.ResourceSlice),
    spec: { ...(more.spec as Loose), driver: 'e', nodeName: 'm', pool: { ...more.spec.pool, name: 'q' } },
  }
  assert.deepEqual(await causesOf(slices.update(moved)), [
    'spec.pool.name: Invalid value: "q": field is immutable',
    'spec.driver: Invalid value: "e": field is immutable',
    'spec.nodeName: Invalid value: "m": field is immutable',
  ])
  assert.equal((await slices.list({ fieldSelector: 'spec.driver=d.example.com,spec.nodeName=n' })).items.length, 1)
  assert.equal((await slices.list({ fieldSelector: 'spec.nodeName=m' })).items.length, 0)
})

test('device classes that mean nothing are refused in upstream’s words', async (context) => {
  await using t = await startTestServer()
  const rows: [string, object, string[]][] = [
    ['a class is taken', { selectors: [{ cel: { expression: 'true' } }], config: [opaque()], extendedResourceName: 'example.com/gpu' }, []],
    ['selectors have expressions', { selectors: [{}] }, ['spec.selectors[0].cel: Required value']],
    [
      'about a device',
      {
        selectors: [
          'device.driver == "gpu.example.com" && device.attributes["gpu.example.com"].model == "a100"',
          'device.capacity["gpu.example.com"].memory.compareTo(quantity("10Gi")) >= 0',
          'cel.bind(gpu, device.attributes["gpu.example.com"], gpu.fast && gpu.large)',
          'device.allowMultipleAllocations',
          'device.attributes["gpu.example.com"].fast',
        ].map((expression) => ({ cel: { expression } })),
      },
      [],
    ],
    [
      'and say yes or no',
      { selectors: ['', 'device.driver', 'object == null', 'device.size == 1'].map((expression) => ({ cel: { expression } })) },
      [
        `spec.selectors[0].cel.expression: Invalid value: "": compilation failed: ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`,
        'spec.selectors[1].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
        `spec.selectors[2].cel.expression: Invalid value: "object == null": compilation failed: ERROR: <input>:1:1: undeclared reference to 'object' (in container '')\n | object == null\n | ^`,
        `spec.selectors[3].cel.expression: Invalid value: "device.size == 1": compilation failed: ERROR: <input>:1:7: undefined field 'size'\n | device.size == 1\n | ......^`,
      ],
    ],
    [
      'at a bearable cost',
      {
        selectors: [
          {
            cel: {
              expression: ['y', 'z', 'z2', 'z3', 'z4', 'z5'].reduceRight(
                (inner, name) => `[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(${name}, ${inner})`,
                `int('1'.find('[0-9]*')) < 100`,
              ),
            },
          },
        ],
      },
      ['spec.selectors[0].cel.expression: Forbidden: too complex, exceeds cost limit'],
    ],
    [
      '32 selectors at most',
      { selectors: many(33, () => ({ cel: { expression: 'true' } })) },
      ['spec.selectors: Too many: 33: must have at most 32 items'],
    ],
    ['configurations have drivers', { config: [{}] }, ['spec.config[0].opaque: Required value']],
    ['32 configurations at most', { config: many(33, () => opaque()) }, ['spec.config: Too many: 33: must have at most 32 items']],
    [
      'an extended resource is outside kubernetes.io',
      { extendedResourceName: 'kubernetes.io/gpu' },
      ['spec.extendedResourceName: Invalid value: "kubernetes.io/gpu": must be a valid extended resource name'],
    ],
    [
      'and no request of a quota',
      { extendedResourceName: 'requests.x/gpu' },
      ['spec.extendedResourceName: Invalid value: "requests.x/gpu": must be a valid extended resource name'],
    ],
    [
      'a name without a domain is none',
      { extendedResourceName: 'gpu' },
      ['spec.extendedResourceName: Invalid value: "gpu": must be a valid extended resource name'],
    ],
  ]
  for (const [name, spec, expected] of rows)
    await context.test(name, async () => {
      const object = { apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', metadata: { name: 'a' }, spec }
      assert.deepEqual(await refusals(t.client, resources.deviceClasses, object), expected)
    })
})
