import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '#api'
import { causesOf, refusals } from '../../test-refusals.ts'
import { startTestServer } from '../../test-server.ts'
import { strategies } from './index.ts'

type Loose = any

const rule = (more: object = {}) => ({ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], ...more })
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const object = (kind: string, body: object) => ({ apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'a.example.com' }, ...body })
const qualified =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const label1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

const validating = (more: object = {}) => ({ matchConstraints: { resourceRules: [rule()] }, validations: [{ expression: 'true' }], ...more })
const mutating = (more: object = {}) => ({
  matchConstraints: { resourceRules: [rule()] },
  reinvocationPolicy: 'Never',
  mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/metadata/labels"}]' } }],
  ...more,
})

/** What is asked of policies of both kinds. */
const common: [string, object, string[]][] = [
  ['a policy is taken', {}, []],
  ['a failure is ignored or not', { failurePolicy: 'Maybe' }, ['spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"']],
  ['something has to match', { matchConstraints: undefined }, ['spec.matchConstraints: Required value']],
  ['by a rule', { matchConstraints: {} }, ['spec.matchConstraints.resourceRules: Required value']],
  [
    'exactly or not',
    { matchConstraints: { matchPolicy: 'Roughly', resourceRules: [rule()] } },
    ['spec.matchConstraints.matchPolicy: Unsupported value: "Roughly": supported values: "Equivalent", "Exact"'],
  ],
  [
    'selectors select',
    { matchConstraints: { resourceRules: [rule()], namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } },
    ["spec.matchConstraints.namespaceSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
  ],
  [
    'a rule has parts',
    { matchConstraints: { resourceRules: [{}] } },
    ['operations', 'apiGroups', 'apiVersions', 'resources'].map((field) => `spec.matchConstraints.resourceRules[0].${field}: Required value`),
  ],
  [
    'stars stand alone',
    {
      matchConstraints: {
        resourceRules: [
          rule({
            operations: ['*', 'CREATE'],
            apiGroups: ['*', 'a'],
            apiVersions: ['*', ''],
            resources: ['a/*', 'a/b', '*/c', 'd/c', '*/*', '*', 'e'],
          }),
        ],
      },
    },
    [
      `spec.matchConstraints.resourceRules[0].operations: Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations`,
      `spec.matchConstraints.resourceRules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other API groups`,
      `spec.matchConstraints.resourceRules[0].apiVersions: Invalid value: ["*",""]: if '*' is present, must not specify other API versions`,
      'spec.matchConstraints.resourceRules[0].apiVersions[1]: Required value',
      `spec.matchConstraints.resourceRules[0].resources[1]: Invalid value: "a/b": if 'a/*' is present, must not specify a/b`,
      `spec.matchConstraints.resourceRules[0].resources[3]: Invalid value: "d/c": if '*/c' is present, must not specify d/c`,
      `spec.matchConstraints.resourceRules[0].resources: Invalid value: ["a/*","a/b","*/c","d/c","*/*","*","e"]: if '*/*' is present, must not specify other resources`,
      `spec.matchConstraints.resourceRules[0].resources: Invalid value: ["a/*","a/b","*/c","d/c","*/*","*","e"]: if '*' is present, must not specify other resources without subresources`,
    ],
  ],
  [
    'a scope is one of three',
    { matchConstraints: { resourceRules: [rule({ scope: 'World' })] } },
    ['spec.matchConstraints.resourceRules[0].scope: Unsupported value: "World": supported values: "*", "Cluster", "Namespaced"'],
  ],
  [
    'names of objects can stand in a path, each once',
    { matchConstraints: { resourceRules: [rule({ resourceNames: ['a/b', 'c', 'c'] })], excludeResourceRules: [rule({ resourceNames: ['..'] })] } },
    [
      `spec.matchConstraints.resourceRules[0].resourceNames[0]: Invalid value: "a/b": may not contain '/'`,
      'spec.matchConstraints.resourceRules[0].resourceNames[2]: Duplicate value: "c"',
      `spec.matchConstraints.excludeResourceRules[0].resourceNames[0]: Invalid value: "..": may not be '..'`,
    ],
  ],
  [
    'conditions have a name of their own and an expression',
    {
      matchConditions: [
        { name: '', expression: ' ' },
        { name: 'a b', expression: 'true' },
        { name: 'c', expression: 'true' },
        { name: 'c', expression: 'true' },
      ],
    },
    [
      'spec.matchConditions[0].expression: Required value',
      'spec.matchConditions[0].name: Required value',
      `spec.matchConditions[1].name: Invalid value: "a b": ${qualified}`,
      'spec.matchConditions[3].name: Duplicate value: "c"',
    ],
  ],
  [
    'there are 64 of them at most',
    { matchConditions: many(65, (i) => ({ name: `c${i}`, expression: 'true' })) },
    ['spec.matchConditions: Too many: 65: must have at most 64 items'],
  ],
  ['parameters are of a kind', { paramKind: {} }, ['spec.paramKind.apiVersion: Required value', 'spec.paramKind.kind: Required value']],
  [
    'in a group and version',
    { paramKind: { apiVersion: 'a/b/c', kind: 'K' } },
    ['spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
  ],
  [
    'that are names',
    { paramKind: { apiVersion: 'A/1', kind: 'My_Kind' } },
    [
      `spec.paramKind.apiVersion: Invalid value: "A": ${subdomain}`,
      `spec.paramKind.apiVersion: Invalid value: "1": ${label1035}`,
      `spec.paramKind.kind: Invalid value: "My_Kind": may have mixed case, but should otherwise match: ${label1035}`,
    ],
  ],
  [
    'a version is not left out',
    { paramKind: { apiVersion: 'a/', kind: 'K' } },
    ['spec.paramKind.apiVersion: Invalid value: "a/": version must be specified'],
  ],
  [
    'variables have names and expressions',
    {
      variables: [
        { name: ' ', expression: '' },
        { name: '4ever', expression: 'true' },
        { name: 'in', expression: 'true' },
      ],
    },
    [
      'spec.variables[0].name: Required value: name is not specified',
      'spec.variables[0].expression: Required value: expression is not specified',
      'spec.variables[1].name: Invalid value: "4ever": name is not a valid CEL identifier',
      'spec.variables[2].name: Invalid value: "in": name is not a valid CEL identifier',
    ],
  ],
]

test('policies that mean nothing are refused in upstream’s words', async (context) => {
  await using t = await startTestServer()
  for (const [name, more, expected] of common)
    await context.test(name, async () => {
      assert.deepEqual(
        await refusals(t.client, resources.validatingAdmissionPolicies, object('ValidatingAdmissionPolicy', { spec: validating(more) })),
        expected,
      )
      assert.deepEqual(
        await refusals(t.client, resources.mutatingAdmissionPolicies, object('MutatingAdmissionPolicy', { spec: mutating(more) })),
        expected,
      )
    })
  const atLeastOne = 'validations or auditAnnotations must contain at least one item'
  const ofValidating: [string, object, string[]][] = [
    [
      'something is validated or noted',
      { validations: [] },
      [`spec.validations: Required value: ${atLeastOne}`, `spec.auditAnnotations: Required value: ${atLeastOne}`],
    ],
    [
      'a validation has an expression and perhaps messages',
      {
        validations: [
          { expression: ' ', message: ' ', messageExpression: ' ', reason: 'Mood' },
          { expression: 'true', message: 'a\nb' },
        ],
      },
      [
        'spec.validations[0].expression: Required value: expression is not specified',
        'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
        'spec.validations[0].message: Invalid value: " ": message must be non-empty if specified',
        'spec.validations[0].reason: Unsupported value: "Mood": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
        'spec.validations[1].message: Invalid value: "a\\nb": message must not contain line breaks',
      ],
    ],
    [
      'annotations have keys and expressions',
      {
        auditAnnotations: [
          { key: 'a b', valueExpression: '' },
          { key: 'c', valueExpression: 'x'.repeat(5121) },
          { key: 'c', valueExpression: '"x"' },
        ],
      },
      [
        `spec.auditAnnotations[0].key: Invalid value: "a.example.com/a b": ${qualified}`,
        'spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified',
        'spec.auditAnnotations[1].valueExpression: Required value: must not exceed 5120 bytes in length',
        'spec.auditAnnotations[2].key: Duplicate value: "c"',
      ],
    ],
    [
      'expressions compile',
      { validations: [{ expression: 'object.' }, { expression: 'nobody == 1' }] },
      [
        'spec.validations[0].expression: Invalid value: "object.": compilation failed: ERROR: <input>:1:8: Syntax error: no viable alternative at input \'.\'\n | object.\n | .......^',
        "spec.validations[1].expression: Invalid value: \"nobody == 1\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nobody' (in container '')\n | nobody == 1\n | ^",
      ],
    ],
    [
      'and are of their types',
      {
        validations: [{ expression: '1', messageExpression: '2' }],
        auditAnnotations: [{ key: 'a', valueExpression: '3' }],
        matchConditions: [{ name: 'a', expression: ' object.metadata ' }],
      },
      [
        'spec.matchConditions[0].expression: Invalid value: "object.metadata": must evaluate to bool but got dyn',
        'spec.validations[0].expression: Invalid value: "1": must evaluate to bool but got int',
        'spec.validations[0].messageExpression: Invalid value: "2": must evaluate to string but got int',
        'spec.auditAnnotations[0].valueExpression: Invalid value: "3": must evaluate to one of [string null_type] but got int',
      ],
    ],
    [
      'variables have types, parameters are there when they are asked for',
      {
        variables: [{ name: 'one', expression: '1' }],
        validations: [{ expression: 'variables.one == "1"' }, { expression: 'params != null' }, { expression: 'variables.two == 1' }],
        matchConditions: [{ name: 'a', expression: 'variables.one == 1' }],
      },
      [
        "spec.matchConditions[0].expression: Invalid value: \"variables.one == 1\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')\n | variables.one == 1\n | ^",
        'spec.validations[0].expression: Invalid value: "variables.one == \\"1\\"": compilation failed: ERROR: <input>:1:15: found no matching overload for \'_==_\' applied to \'(int, string)\'\n | variables.one == "1"\n | ..............^',
        "spec.validations[1].expression: Invalid value: \"params != null\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params != null\n | ^",
        'spec.validations[2].expression: Invalid value: "variables.two == 1": compilation failed: ERROR: <input>:1:10: undefined field \'two\'\n | variables.two == 1\n | .........^',
      ],
    ],
    [
      'what a message says does not ask for rights',
      { validations: [{ expression: 'true', messageExpression: 'authorizer.path("/").check("get").reason()' }] },
      [
        'spec.validations[0].messageExpression: Invalid value: "authorizer.path(\\"/\\").check(\\"get\\").reason()": compilation failed: ERROR: <input>:1:1: undeclared reference to \'authorizer\' (in container \'\')\n | authorizer.path("/").check("get").reason()\n | ^',
      ],
    ],
    [
      'there are 20 at most',
      { auditAnnotations: many(21, (i) => ({ key: `c${i}`, valueExpression: '"x"' })) },
      [
        `spec.auditAnnotations: Invalid value: ${JSON.stringify(many(21, (i) => ({ key: `c${i}`, valueExpression: '"x"' })))}: must not have more than 20 auditAnnotations`,
      ],
    ],
  ]
  for (const [name, more, expected] of ofValidating)
    await context.test(name, async () => {
      assert.deepEqual(
        await refusals(t.client, resources.validatingAdmissionPolicies, object('ValidatingAdmissionPolicy', { spec: validating(more) })),
        expected,
      )
    })
  const ofMutating: [string, object, string[]][] = [
    ['something is changed', { mutations: [] }, ['spec.mutations: Required value: mutations must contain at least one item']],
    ['by a patch', { mutations: [{}] }, ['spec.mutations[0].patchType: Required value']],
    [
      'of two types',
      { mutations: [{ patchType: 'Magic' }] },
      ['spec.mutations[0].patchType: Unsupported value: "Magic": supported values: "ApplyConfiguration", "JSONPatch"'],
    ],
    [
      'and its own',
      {
        mutations: [
          { patchType: 'JSONPatch', applyConfiguration: { expression: 'x' } },
          { patchType: 'ApplyConfiguration', jsonPatch: { expression: 'x' } },
        ],
      },
      [
        'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
        'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
        'spec.mutations[1].applyConfiguration: Required value: must be specified when patchType is ApplyConfiguration',
        'spec.mutations[1].jsonPatch: Invalid value: "{jsonPatch}": must not be specified when patchType is ApplyConfiguration',
      ],
    ],
    [
      'with an expression',
      { mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: ' ' } }] },
      ['spec.mutations[0].jsonPatch.expression: Required value'],
    ],
    ['it is said whether it comes again', { reinvocationPolicy: undefined }, ['spec.reinvocationPolicy: Required value']],
    ['or not', { reinvocationPolicy: 'Often' }, ['spec.reinvocationPolicy: Unsupported value: "Often": supported values: "Never", "IfNeeded"']],
    [
      'what is deleted is not changed',
      { matchConstraints: { resourceRules: [rule({ operations: ['DELETE'] })] } },
      ['spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"'],
    ],
  ]
  for (const [name, more, expected] of ofMutating)
    await context.test(name, async () => {
      assert.deepEqual(
        await refusals(t.client, resources.mutatingAdmissionPolicies, object('MutatingAdmissionPolicy', { spec: mutating(more) })),
        expected,
      )
    })
})

test('bindings that mean nothing are refused in upstream’s words', async (context) => {
  await using t = await startTestServer()
  const ref = (more: object) => ({ paramRef: { parameterNotFoundAction: 'Deny', ...more } })
  const rows: [string, object, string[]][] = [
    ['a binding is taken', {}, []],
    ['a policy is named', { policyName: '' }, ['spec.policyName: Required value']],
    ['by a subdomain', { policyName: '!' }, [`spec.policyName: Invalid value: "!": ${subdomain}`]],
    ['parameters are named or selected', ref({}), ['spec.paramRef: Required value: one of name or selector must be specified']],
    [
      'not both',
      ref({ name: 'a/b', selector: {} }),
      [
        `spec.paramRef.name: Invalid value: "a/b": may not contain '/'`,
        'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
        'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
      ],
    ],
    [
      'it is said what happens without them',
      ref({ name: 'a', parameterNotFoundAction: '' }),
      ['spec.paramRef.parameterNotFoundAction: Required value'],
    ],
    [
      'of two things',
      ref({ name: 'a', parameterNotFoundAction: 'Cry' }),
      ['spec.paramRef.parameterNotFoundAction: Unsupported value: "Cry": supported values: "Deny", "Allow"'],
    ],
    [
      'what matches is checked as that of policies',
      { matchResources: { matchPolicy: 'Roughly' } },
      ['spec.matchResources.matchPolicy: Unsupported value: "Roughly": supported values: "Equivalent", "Exact"'],
    ],
  ]
  for (const [name, more, expected] of rows)
    await context.test(name, async () => {
      const mutatingBinding = object('MutatingAdmissionPolicyBinding', { spec: { policyName: 'a', ...more } })
      assert.deepEqual(await refusals(t.client, resources.mutatingAdmissionPolicyBindings, mutatingBinding), expected)
      const validatingBinding = object('ValidatingAdmissionPolicyBinding', { spec: { policyName: 'a', validationActions: ['Deny'], ...more } })
      assert.deepEqual(await refusals(t.client, resources.validatingAdmissionPolicyBindings, validatingBinding), expected)
    })
  const actions: [string, string[] | undefined, string[]][] = [
    ['something is done', undefined, ['spec.validationActions: Required value: at least one validation action is required']],
    [
      'that is known, once',
      ['Audit', 'Audit', 'Shrug'],
      [
        'spec.validationActions[1]: Duplicate value: "Audit"',
        'spec.validationActions[2]: Unsupported value: "Shrug": supported values: "Audit", "Deny", "Warn"',
      ],
    ],
    [
      'nobody is warned of what is denied',
      ['Deny', 'Warn'],
      [
        'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ],
    ],
  ]
  for (const [name, validationActions, expected] of actions)
    await context.test(name, async () => {
      const binding = object('ValidatingAdmissionPolicyBinding', { spec: { policyName: 'a', ...(validationActions ? { validationActions } : {}) } })
      assert.deepEqual(await refusals(t.client, resources.validatingAdmissionPolicyBindings, binding), expected)
    })
  await context.test('deletions are not changed', async () => {
    const binding = object('MutatingAdmissionPolicyBinding', {
      spec: { policyName: 'a', matchResources: { resourceRules: [rule({ operations: ['DELETE'] })] } },
    })
    assert.deepEqual(await refusals(t.client, resources.mutatingAdmissionPolicyBindings, binding), [
      'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ])
  })
})

test('policies get defaults, count generations and have a status of their own', async () => {
  await using t = await startTestServer()
  const policies = t.client.resource(resources.validatingAdmissionPolicies)
  const made = await policies.create(object('ValidatingAdmissionPolicy', { spec: validating(), status: { observedGeneration: 5 } }) as Loose)
  assert.equal(made.spec.failurePolicy, 'Fail')
  assert.deepEqual(made.spec.matchConstraints, {
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    resourceRules: [{ ...rule(), scope: '*' }],
  })
  assert.equal(made.metadata.generation, 1)
  assert.deepEqual(made.status ?? {}, {})
  const changed = await policies.update({ ...made, spec: { ...made.spec, failurePolicy: 'Ignore' } })
  assert.equal(changed.metadata.generation, 2)
  const status = { typeChecking: { expressionWarnings: [{ fieldRef: '', warning: '' }] }, conditions: [{ type: 'A', status: 'True' }] }
  assert.deepEqual(await causesOf(policies.updateStatus({ ...changed, status } as Loose)), [
    'status.typeChecking.expressionWarnings[0].warning: Required value',
    'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
    'status.conditions[0].lastTransitionTime: Required value',
    'status.conditions[0].reason: Required value',
  ])
  const observed = await policies.updateStatus({ ...changed, spec: made.spec, status: { observedGeneration: 2 } })
  assert.equal(observed.spec.failurePolicy, 'Ignore')
  assert.equal(observed.status?.observedGeneration, 2)
  assert.deepEqual(await causesOf(policies.update({ ...object('ValidatingAdmissionPolicy', { spec: validating() }) } as Loose)), [
    'metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
  ])
})

const webhook = (more: object = {}) => ({
  name: 'a.example.com',
  clientConfig: { url: 'https://example.com' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  rules: [rule()],
  ...more,
})

test('webhooks have conditions, and what was let in once may stay', async (context) => {
  await using t = await startTestServer()
  const configuration = (webhooks: object[]) => object('ValidatingWebhookConfiguration', { webhooks })
  const rows: [string, object[], string[]][] = [
    ['a webhook is taken', [webhook({ matchConditions: [{ name: 'a', expression: 'true' }] })], []],
    [
      'conditions have names of their own',
      [
        webhook({
          matchConditions: [
            { name: 'a', expression: 'true' },
            { name: 'a', expression: '' },
          ],
        }),
      ],
      ['webhooks[0].matchConditions[1].expression: Required value', 'webhooks[0].matchConditions[1].name: Duplicate value: "a"'],
    ],
    [
      'there are 64 at most',
      [webhook({ matchConditions: many(65, (i) => ({ name: `c${i}`, expression: 'true' })) })],
      ['webhooks[0].matchConditions: Too many: 65: must have at most 64 items'],
    ],
    [
      'versions of reviews are known, each once, and come last',
      [webhook({ timeoutSeconds: 31, admissionReviewVersions: ['v3', 'v3'] })],
      [
        'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
        'webhooks[0].admissionReviewVersions[1]: Invalid value: "v3": duplicate version',
        'webhooks[0].admissionReviewVersions: Invalid value: ["v3","v3"]: must include at least one of v1, v1beta1',
      ],
    ],
    ['a star before a resource is let through, as upstream does', [webhook({ rules: [rule({ resources: ['pods', '*'] })] })], []],
  ]
  for (const [name, webhooks, expected] of rows)
    await context.test(name, async () => {
      assert.deepEqual(await refusals(t.client, resources.validatingWebhookConfigurations, configuration(webhooks)), expected)
    })
  await context.test('conditions that did not change are not looked at again', async () => {
    const configurations = t.client.resource(resources.validatingWebhookConfigurations)
    const made = await configurations.create(configuration([webhook({ matchConditions: [{ name: 'a', expression: 'true' }] })]) as Loose)
    assert.equal(made.metadata.generation, 1)
    const labelled = await configurations.update({ ...made, metadata: { ...made.metadata, labels: { a: 'b' } } })
    assert.equal(labelled.metadata.generation, 1)
    assert.deepEqual(
      await causesOf(configurations.update({ ...labelled, webhooks: [webhook({ matchConditions: [{ name: 'b', expression: '' }] })] } as Loose)),
      ['webhooks[0].matchConditions[0].expression: Required value'],
    )
  })
})

test('names that files of the server use are warned of', () => {
  const kinds = ['validatingadmissionpolicies', 'mutatingadmissionpolicybindings', 'validatingwebhookconfigurations']
  for (const kind of kinds) {
    const warnings = (name: string) => strategies[`admissionregistration.k8s.io/${kind}`]!.warnings!({ metadata: { name } })
    assert.deepEqual(warnings('a.static.k8s.io'), [
      'metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API',
    ])
    assert.deepEqual(warnings('a.example.com'), [])
  }
  const slice = { metadata: { name: 'a' }, spec: { driver: 'D.example.com' } }
  assert.deepEqual(strategies['resource.k8s.io/resourceslices']!.warnings!(slice), [
    'spec.driver: driver names should be lowercase; "D.example.com" contains uppercase characters',
  ])
})
