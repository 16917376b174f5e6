import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { KubeObject, Status, admissionregistration } from '#api'
import { realClock } from '#base'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { TestServer } from '../../test-server.ts'
import { admin, startTestServer } from '../../test-server.ts'
import { memoryReader } from '../../memory-reader.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { PolicyMetrics } from './index.ts'
import { admissionPolicies, policyMetrics } from './index.ts'
import { requestOf } from './test-request.ts'

type Rule = admissionregistration.NamedRuleWithOperations
type ValidatingSpec = Partial<admissionregistration.ValidatingAdmissionPolicySpec>
type MutatingSpec = Partial<admissionregistration.MutatingAdmissionPolicySpec>

let server: TestServer
let metrics: PolicyMetrics

/** Alice may read secrets, nobody else anything: only expressions ask. */
const authorizer: Authorizer = {
  authorize: ({ user, verb, resource }) =>
    user.username === 'system:serviceaccount:default:alice' && verb === 'get' && resource?.resource === 'secrets'
      ? { decision: 'allow', reason: 'alice may' }
      : { decision: 'noOpinion', reason: '' },
}

before(async () => {
  const admission: AdmissionPlugin[] = []
  server = await startTestServer({ admission })
  metrics = policyMetrics()
  const { mutating, validating } = admissionPolicies({ reader: server.server.reader, authorizer, clock: realClock, metrics })
  admission.push(mutating, validating)
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'default', labels: { env: 'prod' } } })
})

after(() => server[Symbol.asyncDispose]())

interface Answer {
  code: number
  object: KubeObject & Record<string, any>
  warnings: string[]
}

async function send(method: string, path: string, body?: object, contentType = 'application/json'): Promise<Answer> {
  const [plain = '', query = ''] = path.split('?')
  const response = await server.server.transport(admin).send({
    method: method as 'GET',
    path: plain,
    query: new URLSearchParams(query),
    headers: { 'content-type': contentType },
    ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
  })
  assert.ok('value' in response.body)
  const warnings = [...(response.headers.warning ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? '').replace(/\\(.)/g, '$1'),
  )
  return { code: response.status, object: structuredClone(response.body.value) as Answer['object'], warnings }
}

const group = '/apis/admissionregistration.k8s.io/v1'
const rule = (resource: string, more: Partial<Rule> = {}): Rule => {
  const [apiGroup = '', version = '', ...name] = resource.split('/')
  return { apiGroups: [apiGroup], apiVersions: [version], resources: [name.join('/')], operations: ['CREATE', 'UPDATE'], ...more }
}

interface Bound {
  spec: ValidatingSpec
  binding?: Partial<admissionregistration.ValidatingAdmissionPolicyBindingSpec>
}

const must = async (answer: Promise<Answer>) => {
  const { code, object } = await answer
  assert.ok(code < 300, `${code} ${(object as unknown as Status).message}`)
  return object
}

/** Runs `use` while a policy `p` is bound by `b`. */
async function withPolicy({ spec, binding }: Bound, use: () => Promise<void>): Promise<void> {
  await must(send('POST', `${group}/validatingadmissionpolicies`, { metadata: { name: 'p' }, spec }))
  await must(
    send('POST', `${group}/validatingadmissionpolicybindings`, {
      metadata: { name: 'b' },
      spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
    }),
  )
  try {
    await use()
  } finally {
    await send('DELETE', `${group}/validatingadmissionpolicybindings/b`)
    await send('DELETE', `${group}/validatingadmissionpolicies/p`)
  }
}

async function withMutation(spec: MutatingSpec, use: () => Promise<void>, name = 'm'): Promise<void> {
  await must(send('POST', `${group}/mutatingadmissionpolicies`, { metadata: { name }, spec: { reinvocationPolicy: 'Never', ...spec } }))
  await must(send('POST', `${group}/mutatingadmissionpolicybindings`, { metadata: { name: `${name}-binding` }, spec: { policyName: name } }))
  try {
    await use()
  } finally {
    await send('DELETE', `${group}/mutatingadmissionpolicybindings/${name}-binding`)
    await send('DELETE', `${group}/mutatingadmissionpolicies/${name}`)
  }
}

const deployment = (replicas: number, more: object = {}) => ({
  kind: 'Deployment',
  apiVersion: 'apps/v1',
  metadata: { name: 'web', namespace: 'default', ...more },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
  },
})

const deployments = '/apis/apps/v1/namespaces/default/deployments'
const configMaps = '/api/v1/namespaces/default/configmaps'
const configMap = (data: Record<string, string> = {}, metadata: object = {}) => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'c', namespace: 'default', ...metadata },
  data,
})

const forConfigMaps = { resourceRules: [rule('/v1/configmaps')] }
const check = (expression: string, more: object = {}): ValidatingSpec => ({ matchConstraints: forConfigMaps, validations: [{ expression, ...more }] })

describe('ValidatingAdmissionPolicy', () => {
  test('the documented example: at most five replicas', () =>
    withPolicy(
      { spec: { matchConstraints: { resourceRules: [rule('apps/v1/deployments')] }, validations: [{ expression: 'object.spec.replicas <= 5' }] } },
      async () => {
        const { code, object } = await send('POST', deployments, deployment(6))
        assert.equal(code, 422)
        const message = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.spec.replicas <= 5"
        const status = object as unknown as Status
        assert.equal(status.message, `deployments.apps "web" is forbidden: ${message}`)
        assert.equal(status.reason, 'Invalid')
        assert.deepEqual(status.details, { name: 'web', group: 'apps', kind: 'deployments', causes: [{ message }] })
        await must(send('POST', `${deployments}?dryRun=All`, deployment(5)))
        await must(send('POST', deployments, deployment(5)))
        const patch = (replicas: number, type: string) =>
          send(
            'PATCH',
            `${deployments}/web?fieldManager=x&dryRun=All${type.includes('apply') ? '&force=true' : ''}`,
            { kind: 'Deployment', apiVersion: 'apps/v1', spec: { replicas } },
            type,
          )
        for (const type of ['application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml']) {
          assert.equal((await patch(6, type)).code, 422, type)
          assert.equal((await patch(4, type)).code, 200, type)
        }
        // its Scale is another resource
        await must(
          send('PUT', `${deployments}/web/scale`, {
            kind: 'Scale',
            apiVersion: 'autoscaling/v1',
            metadata: { name: 'web', namespace: 'default' },
            spec: { replicas: 7 },
          }),
        )
        await must(send('DELETE', `${deployments}/web`))
      },
    ))

  const messages: [name: string, validation: Partial<admissionregistration.Validation>, code: number, message: string][] = [
    ['a message is what is said', { message: ' no! ' }, 422, 'no!'],
    ['a messageExpression says it in its own words', { message: 'no!', messageExpression: '"not " + object.metadata.name' }, 422, 'not c'],
    ['one that fails leaves it to the message', { message: 'no!', messageExpression: 'string(object.data.nothing)' }, 422, 'no!'],
    ['one of two lines, too', { messageExpression: '"a\\nb"' }, 422, 'failed expression: object.data.ok == "yes"'],
    ['a reason has its code', { reason: 'Forbidden' }, 403, 'failed expression: object.data.ok == "yes"'],
    ['so has a large one', { reason: 'RequestEntityTooLarge' }, 413, 'failed expression: object.data.ok == "yes"'],
  ]
  for (const [name, more, code, message] of messages)
    test(name, () =>
      withPolicy({ spec: check('object.data.ok == "yes"', more) }, async () => {
        const answer = await send('POST', configMaps, configMap({ ok: 'no' }))
        assert.equal(answer.code, code)
        assert.equal(
          (answer.object as unknown as Status).message,
          `configmaps "c" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${message}`,
        )
        await must(send('POST', `${configMaps}?dryRun=All`, configMap({ ok: 'yes' })))
      }),
    )

  const rows: [name: string, bound: Bound, object: object, refused: string | false][] = [
    [
      'an error refuses',
      { spec: check('object.data.missing == "x"') },
      configMap({ a: 'b' }),
      `expression 'object.data.missing == "x"' resulted in error: no such key: missing`,
    ],
    [
      'or is ignored, when the policy says so',
      { spec: { ...check('object.data.missing == "x"'), failurePolicy: 'Ignore' } },
      configMap({ a: 'b' }),
      false,
    ],
    [
      'variables are computed from one another',
      {
        spec: {
          ...check('variables.two == 4'),
          variables: [
            { name: 'one', expression: 'size(object.data)' },
            { name: 'two', expression: 'variables.one * 2' },
          ],
        },
      },
      configMap({ a: '' }),
      'failed expression: variables.two == 4',
    ],
    [
      'a variable that fails says which',
      { spec: { ...check('variables.x == "1"'), variables: [{ name: 'x', expression: 'object.data.x' }] } },
      configMap({ a: '' }),
      `expression 'variables.x == "1"' resulted in error: composited variable "x" fails to evaluate: no such key: x`,
    ],
    [
      'match conditions leave out what they do not match',
      { spec: { ...check('false'), matchConditions: [{ name: 'a', expression: 'has(object.data.check)' }] } },
      configMap({ a: '' }),
      false,
    ],
    [
      'and take in what they do',
      { spec: { ...check('false'), matchConditions: [{ name: 'a', expression: 'has(object.data.check)' }] } },
      configMap({ check: '' }),
      'failed expression: false',
    ],
    [
      'one that fails refuses',
      { spec: { ...check('true'), matchConditions: [{ name: 'a', expression: 'object.data.x == "1"' }] } },
      configMap({ a: '' }),
      `expression 'object.data.x == "1"' resulted in error: no such key: x`,
    ],
    [
      'unless another says no',
      {
        spec: {
          ...check('true'),
          matchConditions: [
            { name: 'a', expression: 'object.data.x == "1"' },
            { name: 'b', expression: 'false' },
          ],
        },
      },
      configMap({ a: '' }),
      false,
    ],
    [
      'the request is known',
      {
        spec: check(
          'request.userInfo.username == "bob" || request.operation != "CREATE" || request.resource.resource != "configmaps" || request.namespace != "default" || !request.dryRun',
        ),
      },
      configMap(),
      'failed expression: request.userInfo.username == "bob" || request.operation != "CREATE" || request.resource.resource != "configmaps" || request.namespace != "default" || !request.dryRun',
    ],
    [
      'so is its namespace',
      { spec: check('namespaceObject.metadata.labels.env != "prod"') },
      configMap(),
      'failed expression: namespaceObject.metadata.labels.env != "prod"',
    ],
    ['there is no old object', { spec: check('oldObject != null') }, configMap(), 'failed expression: oldObject != null'],
    [
      'rights can be asked',
      { spec: check('authorizer.requestResource.check("create").allowed()') },
      configMap(),
      'failed expression: authorizer.requestResource.check("create").allowed()',
    ],
    [
      'also those of others',
      { spec: check('authorizer.serviceAccount("default", "alice").group("").resource("secrets").namespace("default").check("get").allowed()') },
      configMap(),
      false,
    ],
    [
      'bindings match, too',
      { spec: check('false'), binding: { matchResources: { namespaceSelector: { matchLabels: { env: 'test' } } } } },
      configMap(),
      false,
    ],
    [
      'parameters that are missing refuse',
      {
        spec: { ...check('true'), paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } },
        binding: { paramRef: { name: 'gone', parameterNotFoundAction: 'Deny' } },
      },
      configMap(),
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ],
    [
      'or are no matter',
      {
        spec: { ...check('false'), paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } },
        binding: { paramRef: { name: 'gone', parameterNotFoundAction: 'Allow' } },
      },
      configMap(),
      false,
    ],
    [
      'without a paramRef they are null',
      { spec: { ...check('params != null'), paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } } },
      configMap(),
      'failed expression: params != null',
    ],
    [
      'what costs too much ends',
      { spec: check('object.data.all(a, object.data.all(b, object.data.all(c, object.data.all(d, a + b + c + d != ""))))') },
      configMap(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, '']))),
      `expression 'object.data.all(a, object.data.all(b, object.data.all(c, object.data.all(d, a + b + c + d != ""))))' resulted in error: operation cancelled: actual cost limit exceeded`,
    ],
  ]
  for (const [name, bound, object, refused] of rows)
    test(name, () =>
      withPolicy(bound, async () => {
        const answer = await send('POST', `${configMaps}?dryRun=All`, object)
        if (refused === false) assert.equal(answer.code, 201, (answer.object as unknown as Status).message ?? '')
        else
          assert.equal(
            (answer.object as unknown as Status).message,
            `configmaps "c" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${refused}`,
          )
      }),
    )

  test('parameters are read as they are', async () => {
    await must(send('POST', configMaps, configMap({ most: '2' }, { name: 'limit', labels: { for: 'policy' } })))
    const spec: ValidatingSpec = { ...check('size(object.data) <= int(params.data.most)'), paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }
    const refs = [{ name: 'limit' }, { selector: { matchLabels: { for: 'policy' } } }]
    for (const ref of refs)
      await withPolicy({ spec, binding: { paramRef: { ...ref, parameterNotFoundAction: 'Deny' } } }, async () => {
        assert.equal((await send('POST', `${configMaps}?dryRun=All`, configMap({ a: '', b: '', c: '' }))).code, 422)
        assert.equal((await send('POST', `${configMaps}?dryRun=All`, configMap({ a: '' }))).code, 201)
        await must(send('PUT', `${configMaps}/limit?dryRun=All`, configMap({ most: '2' }, { name: 'limit', labels: { for: 'policy' } })))
      })
    await must(send('DELETE', `${configMaps}/limit`))
  })

  test('a paramKind that there is not refuses what the policy matches', () =>
    withPolicy(
      {
        spec: { ...check('true'), paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' } },
        binding: { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } },
      },
      async () => {
        const { object } = await send('POST', configMaps, configMap())
        assert.equal(
          (object as unknown as Status).message,
          `configmaps "c" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'`,
        )
        await must(send('POST', '/api/v1/namespaces/default/secrets?dryRun=All', { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' } }))
      },
    ))

  test('a Scale is asked about as such', async () => {
    await must(send('POST', deployments, deployment(1)))
    const spec: ValidatingSpec = {
      matchConstraints: { resourceRules: [rule('apps/v1/deployments/scale')] },
      validations: [
        { expression: 'object.kind != "Scale" || request.kind.group != "autoscaling" || object.spec.replicas < oldObject.spec.replicas + 3' },
      ],
    }
    await withPolicy({ spec }, async () => {
      const scale = (replicas: number) => send('PATCH', `${deployments}/web/scale`, { spec: { replicas } }, 'application/merge-patch+json')
      assert.equal((await scale(4)).code, 422)
      assert.equal((await scale(3)).code, 200)
    })
    await must(send('DELETE', `${deployments}/web`))
  })

  test('warnings let through', () =>
    withPolicy({ spec: check('false', { message: 'better not' }), binding: { validationActions: ['Warn', 'Audit'] } }, async () => {
      const { code, warnings } = await send('POST', `${configMaps}?dryRun=All`, configMap())
      assert.equal(code, 201)
      assert.deepEqual(warnings, ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': better not"])
    }))

  test('deletions are asked about with the old object, collections one by one', () =>
    withPolicy(
      {
        spec: {
          matchConstraints: { resourceRules: [rule('/v1/configmaps', { operations: ['DELETE'] })] },
          validations: [{ expression: 'object == null && !has(oldObject.metadata.labels)', message: 'keep it' }],
        },
      },
      async () => {
        await must(send('POST', configMaps, configMap({}, { labels: { keep: 'yes' } })))
        await must(send('POST', configMaps, configMap({}, { name: 'd' })))
        assert.equal((await send('DELETE', `${configMaps}/c`)).code, 422)
        assert.equal((await send('DELETE', configMaps)).code, 422)
        assert.equal((await send('GET', `${configMaps}/d`)).code, 404)
        await must(send('PUT', `${configMaps}/c`, configMap()))
        await must(send('DELETE', `${configMaps}/c`))
      },
    ))

  test('objects are shown in the version that the policy names', () => {
    const hpa = {
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'h' },
      spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, targetCPUUtilizationPercentage: 70 },
    }
    const spec = (version: string, expression: string): ValidatingSpec => ({
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [rule(`autoscaling/${version}/horizontalpodautoscalers`)] },
      validations: [{ expression }],
    })
    const path = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers?dryRun=All'
    return withPolicy(
      {
        spec: spec(
          'v2',
          'object.apiVersion == "autoscaling/v2" && object.spec.metrics[0].resource.target.averageUtilization == 70 && request.requestKind.version == "v1" && request.kind.version == "v2"',
        ),
      },
      async () => {
        await must(send('POST', path, hpa))
      },
    ).then(() =>
      withPolicy({ spec: spec('v1', 'object.spec.targetCPUUtilizationPercentage < 70') }, async () => {
        assert.equal((await send('POST', path, hpa)).code, 422)
      }),
    )
  })

  test('no policy keeps anybody from mending policies', () =>
    withPolicy(
      { spec: { matchConstraints: { resourceRules: [rule('*/*/*', { operations: ['*'] })] }, validations: [{ expression: 'false' }] } },
      async () => {
        assert.equal((await send('POST', configMaps, configMap())).code, 422)
        assert.equal((await send('DELETE', '/api/v1/namespaces/default')).code, 422)
        await must(send('DELETE', `${group}/validatingadmissionpolicybindings/b`))
        await must(send('POST', `${configMaps}?dryRun=All`, configMap()))
      },
    ))

  test('checks are counted', () => {
    assert.match(
      metrics.toString(),
      /apiserver_validating_admission_policy_check_total\{enforcement_action="deny",error_type="no_error",policy="p",policy_binding="b"\} \d+/,
    )
    assert.match(metrics.toString(), /apiserver_validating_admission_policy_check_duration_seconds_bucket/)
  })
})

describe('MutatingAdmissionPolicy', () => {
  const pods = '/api/v1/namespaces/default/pods?dryRun=All'
  const pod = (more: object = {}) => ({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'app' }], ...more },
  })
  const forPods = { resourceRules: [rule('/v1/pods', { operations: ['CREATE'] })] }
  const apply = (expression: string) => ({ patchType: 'ApplyConfiguration' as const, applyConfiguration: { expression } })
  const json = (expression: string) => ({ patchType: 'JSONPatch' as const, jsonPatch: { expression } })

  test('a sidecar is merged into the containers by its name', () =>
    withMutation(
      {
        matchConstraints: forPods,
        matchConditions: [{ name: 'none-yet', expression: '!object.spec.containers.exists(c, c.name == "mesh")' }],
        mutations: [apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "mesh", image: "mesh:1"}]}}')],
      },
      async () => {
        const { spec } = await must(send('POST', pods, pod()))
        assert.deepEqual(
          (spec as { containers: { name: string; imagePullPolicy: string }[] }).containers.map(({ name, imagePullPolicy }) => [
            name,
            imagePullPolicy,
          ]),
          [
            ['app', 'Always'],
            ['mesh', 'IfNotPresent'],
          ],
        )
      },
    ))

  test('labels are added, maps are merged', () =>
    withMutation(
      { matchConstraints: forConfigMaps, mutations: [apply('Object{metadata: Object.metadata{labels: {"made-by": request.userInfo.username}}}')] },
      async () => {
        const { metadata } = await must(send('POST', `${configMaps}?dryRun=All`, configMap({}, { labels: { own: 'x' } })))
        assert.deepEqual(metadata.labels, { own: 'x', 'made-by': 'admin' })
      },
    ))

  test('JSON patches have all operations', () =>
    withMutation(
      {
        matchConstraints: forConfigMaps,
        mutations: [
          json(
            '[JSONPatch{op: "test", path: "/data/a", value: "1"}, JSONPatch{op: "replace", path: "/data/a", value: "2"}, JSONPatch{op: "add", path: "/metadata/labels", value: {"a/b": "c"}}, JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("d/e"), value: "f"}]',
          ),
        ],
      },
      async () => {
        const { data, metadata } = await must(send('POST', `${configMaps}?dryRun=All`, configMap({ a: '1' })))
        assert.deepEqual(data, { a: '2' })
        assert.deepEqual(metadata.labels, { 'a/b': 'c', 'd/e': 'f' })
        // a test that fails leaves the object as it is
        assert.deepEqual((await must(send('POST', `${configMaps}?dryRun=All`, configMap({ a: '9' })))).data, { a: '9' })
      },
    ))

  test('JSON patches have typed values, wherever they go', () =>
    withMutation(
      {
        matchConstraints: forPods,
        mutations: [json('[JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: "side", image: "side:1"}}]')],
      },
      async () => {
        const { spec } = await must(send('POST', pods, pod()))
        assert.deepEqual(
          (spec as { containers: { name: string }[] }).containers.map(({ name }) => name),
          ['app', 'side'],
        )
      },
    ))

  const failures: [name: string, mutation: ReturnType<typeof apply> | ReturnType<typeof json>, message: string][] = [
    [
      'fields that the kind does not have',
      apply('Object{spec: Object.spec{nothing: 1}}'),
      'error applying patch: failed to convert patch object to typed object: .spec.nothing: field not declared in schema',
    ],
    [
      'what is replaced as a whole',
      apply('Object{spec: Object.spec{nodeSelector: {"a": "b"}}}'),
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.nodeSelector',
    ],
    [
      'types in the wrong place',
      apply('Object{spec: Object.wrong{hostname: "x"}}'),
      'type mismatch: unexpected type name "Object.wrong", expected "Object.spec", which matches field name path from root Object type',
    ],
    [
      'values that are not there',
      apply('Object{spec: Object.spec{hostname: object.spec.hostname}}'),
      "expression 'Object{spec: Object.spec{hostname: object.spec.hostname}}' resulted in error: no such key: hostname",
    ],
    [
      'paths that lead nowhere',
      json('[JSONPatch{op: "add", path: "/spec/nothing/x", value: 1}]'),
      'JSON Patch: add operation does not apply: doc is missing path: "/spec/nothing/x": missing value',
    ],
  ]
  for (const [name, mutation, message] of failures)
    test(`cannot be done: ${name}`, async () => {
      await withMutation({ matchConstraints: forPods, mutations: [mutation] }, async () => {
        const { code, object } = await send('POST', pods, pod())
        const status = object as unknown as Status
        assert.deepEqual([code, status.reason, status.message], [403, 'Invalid', `policy 'm' with binding 'm-binding' denied request: ${message}`])
      })
      await withMutation({ matchConstraints: forPods, mutations: [mutation], failurePolicy: 'Ignore' }, async () => {
        await must(send('POST', pods, pod()))
      })
    })

  test('the next mutation sees what the one before made, validation sees all', () =>
    withMutation(
      { matchConstraints: forConfigMaps, mutations: [apply('Object{data: {"n": "1"}}'), apply('Object{data: {"m": object.data.n + "!"}}')] },
      () =>
        withPolicy({ spec: check('object.data.m != "1!"') }, async () => {
          assert.equal((await send('POST', configMaps, configMap())).code, 422)
        }),
    ))

  test('a policy that asks for it sees what was changed after it', () =>
    withMutation(
      {
        matchConstraints: forConfigMaps,
        reinvocationPolicy: 'IfNeeded',
        mutations: [apply('Object{data: {"seen": "b" in object.data ? "yes" : "no"}}')],
      },
      () =>
        withMutation(
          { matchConstraints: forConfigMaps, mutations: [apply('Object{data: {"b": "x"}}')] },
          async () => {
            assert.deepEqual((await must(send('POST', `${configMaps}?dryRun=All`, configMap({ a: '' })))).data, { a: '', seen: 'yes', b: 'x' })
          },
          'n',
        ),
    ))

  test('one that does not is asked once', () =>
    withMutation({ matchConstraints: forConfigMaps, mutations: [apply('Object{data: {"seen": "b" in object.data ? "yes" : "no"}}')] }, () =>
      withMutation(
        { matchConstraints: forConfigMaps, mutations: [apply('Object{data: {"b": "x"}}')] },
        async () => {
          assert.deepEqual((await must(send('POST', `${configMaps}?dryRun=All`, configMap({ a: '' })))).data, { a: '', seen: 'no', b: 'x' })
        },
        'n',
      ),
    ))

  test('a name that is generated is not known yet', () =>
    withMutation(
      {
        matchConstraints: forConfigMaps,
        mutations: [apply('Object{data: {"named": has(object.metadata.name) || has(request.name) ? "yes" : "no"}}')],
      },
      () =>
        withPolicy({ spec: check('request.name == object.metadata.name && object.metadata.name.startsWith("gen-")') }, async () => {
          const { data, metadata } = await must(send('POST', `${configMaps}?dryRun=All`, configMap({}, { name: undefined, generateName: 'gen-' })))
          assert.deepEqual(data, { named: 'no' })
          assert.match(metadata.name, /^gen-.{5}$/)
        }),
    ))

  test('what a policy makes is validated', () =>
    withMutation({ matchConstraints: forConfigMaps, mutations: [apply('Object{data: {"not a key": ""}}')] }, async () => {
      const { code, object } = await send('POST', configMaps, configMap())
      assert.equal(code, 422)
      assert.match((object as unknown as Status).message!, /ConfigMap "c" is invalid: data\[not a key\]/)
    }))

  test('checks are counted', () => {
    assert.match(
      metrics.toString(),
      /apiserver_mutating_admission_policy_check_total\{enforcement_action="allow",error_type="no_error",policy="m",policy_binding="m-binding"\} \d+/,
    )
  })
})

test('audit annotations are published, failures too, the first of them', () => {
  const reader = memoryReader()
  const group = 'admissionregistration.k8s.io'
  const annotation = (key: string, valueExpression: string) => ({ key, valueExpression })
  const spec: ValidatingSpec = {
    ...check('false'),
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    failurePolicy: 'Fail',
    auditAnnotations: [
      annotation('who', '"by " + request.userInfo.username'),
      annotation('limit', 'string(params.metadata.name)'),
      annotation('none', 'null'),
      annotation('blank', '"  "'),
    ],
  }
  for (const name of ['one', 'two'])
    reader.set('', 'configmaps', { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'default', labels: { for: 'policy' } } })
  reader.set('', 'namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'default' } })
  reader.set(group, 'validatingadmissionpolicies', { metadata: { name: 'p' }, spec })
  const paramRef = { selector: { matchLabels: { for: 'policy' } }, parameterNotFoundAction: 'Deny' }
  reader.set(group, 'validatingadmissionpolicybindings', {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Audit'], paramRef },
  })
  const { validating } = admissionPolicies({ reader, authorizer, clock: realClock, metrics: policyMetrics() })
  const request = requestOf({ resource: 'configmaps', namespace: 'default', object: configMap() })
  const annotations: Record<string, string> = {}
  request.context.annotate = (key, value) => void (annotations[key] = value)
  assert.ok(validating.handles(request))
  void validating.validate!(request)
  assert.deepEqual(annotations, {
    'validation.policy.admission.k8s.io/validation_failure': JSON.stringify([
      { message: 'failed expression: false', policy: 'p', binding: 'b', expressionIndex: 0, validationActions: ['Audit'] },
    ]),
    'p/who': 'by bob',
    'p/limit': 'one, two',
  })
})
