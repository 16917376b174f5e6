import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { admissionregistration } from '#api'
import { kindsToCheck } from './kinds.ts'
import { typeWarnings } from './type-check.ts'

type Spec = admissionregistration.ValidatingAdmissionPolicySpec
type Rule = admissionregistration.NamedRuleWithOperations

const rule = (apiGroups: string[], apiVersions: string[], resources: string[]): Rule => ({
  apiGroups,
  apiVersions,
  resources,
  operations: ['CREATE'],
})
const policy = (spec: Partial<Spec>, rules: Rule[] = [rule(['apps'], ['v1'], ['deployments'])]): admissionregistration.ValidatingAdmissionPolicy => ({
  kind: 'ValidatingAdmissionPolicy',
  apiVersion: 'admissionregistration.k8s.io/v1',
  metadata: { name: 'p' },
  spec: { matchConstraints: { resourceRules: rules }, ...spec },
})

describe('the kinds that a policy is checked with', () => {
  const rows: [name: string, rules: Rule[], kinds: string[]][] = [
    [
      'are those that its rules name, in order',
      [rule(['apps', ''], ['v1'], ['pods', 'deployments', 'statefulsets'])],
      ['Pod', 'Deployment', 'StatefulSet'],
    ],
    [
      'are none where a star stands for them',
      [rule(['*'], ['v1'], ['deployments']), rule(['apps'], ['*'], ['deployments']), rule(['apps'], ['v1'], ['*'])],
      [],
    ],
    ['are not those of subresources', [rule(['apps'], ['v1'], ['deployments/scale'])], []],
    ['come once', [rule(['apps'], ['v1'], ['deployments']), rule(['apps'], ['v1'], ['deployments'])], ['Deployment']],
    ['must be there', [rule(['apps'], ['v2'], ['deployments'])], []],
  ]
  for (const [name, rules, kinds] of rows)
    test(name, () =>
      assert.deepEqual(
        kindsToCheck(policy({}, rules)).map(({ kind }) => kind),
        kinds,
      ),
    )
})

describe('expressions are checked with the types of kinds', () => {
  const fieldRef = 'spec.validations[0].expression'
  const rows: [name: string, spec: Partial<Spec>, warnings: admissionregistration.ExpressionWarning[], rules?: Rule[]][] = [
    [
      'nothing is wrong',
      { validations: [{ expression: 'object.spec.replicas > 1 && object.spec.template.spec.containers.all(c, c.image.startsWith("a/"))' }] },
      [],
    ],
    [
      'a field that there is not',
      { validations: [{ expression: 'object.foo' }] },
      [{ fieldRef, warning: "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'foo'\n | object.foo\n | ......^\n" }],
    ],
    [
      'a type that does not fit, in a message as well',
      { validations: [{ expression: 'object.spec.replicas > "1"', messageExpression: 'object.spec.replicas.size()' }] },
      [
        {
          fieldRef,
          warning: `apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > "1"\n | .....................^\n`,
        },
        {
          fieldRef: 'spec.validations[0].messageExpression',
          warning: `apps/v1, Kind=Deployment: ERROR: <input>:1:26: found no matching overload for 'size' applied to 'int.()'\n | object.spec.replicas.size()\n | .........................^\n`,
        },
      ],
    ],
    [
      'each kind says what is wrong with it',
      { validations: [{ expression: 'oldObject.spec.replicas > 1' }] },
      [{ fieldRef, warning: "/v1, Kind=Pod: ERROR: <input>:1:15: undefined field 'replicas'\n | oldObject.spec.replicas > 1\n | ..............^\n" }],
      [rule(['', 'apps'], ['v1'], ['pods', 'deployments'])],
    ],
    [
      'parameters and variables have types',
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        variables: [{ name: 'limit', expression: 'params.data.limit' }],
        validations: [{ expression: 'object.spec.replicas < variables.limit' }, { expression: 'params.size == 1' }],
      },
      [
        {
          fieldRef,
          warning: `apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_<_' applied to '(int, string)'\n | object.spec.replicas < variables.limit\n | .....................^\n`,
        },
        {
          fieldRef: 'spec.validations[1].expression',
          warning: `apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'size'\n | params.size == 1\n | ......^\n`,
        },
      ],
    ],
    [
      'parameters of an unknown kind are of any type',
      { paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' }, validations: [{ expression: 'object.spec.replicas < params.limit' }] },
      [],
    ],
  ]
  for (const [name, spec, warnings, rules] of rows) test(name, () => assert.deepEqual(typeWarnings(policy(spec, rules)), warnings))
})
