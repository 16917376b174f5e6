import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError, resources } from '#api'
import { startTestServer } from '../../test-server.ts'

const flowSchema = (name: string, spec: object) => ({ apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name }, spec })
const level = (name: string, spec: object) => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'PriorityLevelConfiguration',
  metadata: { name },
  spec,
})
const queuing = (more: object) => ({ type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: more } } })

test('flow schemas and priority levels that mean nothing are refused in upstream’s words', async (context) => {
  await using t = await startTestServer()
  // fields and messages as kube-apiserver 1.20 answered them; lists and structs are printed as JSON, as later releases do
  const rows: [string, object, string[]][] = [
    [
      'a schema that takes the place of the exempt one',
      flowSchema('x', { matchingPrecedence: 1, priorityLevelConfiguration: { name: 'a' } }),
      ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
    ],
    [
      'subjects that are not what their kind says',
      flowSchema('x', {
        matchingPrecedence: 500,
        priorityLevelConfiguration: { name: 'a' },
        rules: [
          {
            subjects: [
              { kind: 'User', group: { name: 'a' } },
              { kind: 'Foo' },
              { kind: 'ServiceAccount', serviceAccount: { name: '', namespace: '' } },
            ],
          },
        ],
      }),
      [
        "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
        "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
        'spec.rules[0].subjects[1].kind: Unsupported value: "Foo": supported values: "Group", "ServiceAccount", "User"',
        'spec.rules[0].subjects[2].serviceAccount.name: Required value',
        'spec.rules[0].subjects[2].serviceAccount.namespace: Required value: must specify namespace for service account',
        'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      ],
    ],
    [
      'rules about nothing',
      flowSchema('x', {
        matchingPrecedence: 20000,
        priorityLevelConfiguration: { name: 'a' },
        rules: [
          {
            subjects: [],
            resourceRules: [{ verbs: ['*', 'get'], apiGroups: [], resources: ['*', 'a'] }],
            nonResourceRules: [{ verbs: ['fly'], nonResourceURLs: ['a', '//', '/a*'] }],
          },
        ],
      }),
      [
        'spec.matchingPrecedence: Invalid value: 20000: must not be greater than 10000',
        'spec.rules[0].subjects: Required value: subjects must contain at least one value',
        `spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
        'spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group',
        `spec.rules[0].resourceRules[0].resources: Invalid value: ["*","a"]: if '*' is present, must not specify other resources`,
        'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
        'spec.rules[0].nonResourceRules[0].verbs: Unsupported value: ["fly"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "//": must not contain double slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a*": wildcard can only do suffix matching',
      ],
    ],
    [
      'a hand larger than the deck',
      level('x', queuing({ queues: 4, handSize: 8 })),
      ['spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater than queues (4)'],
    ],
    [
      'more hands than a hash tells apart',
      level('x', queuing({ queues: 1_000_000, handSize: 5 })),
      [
        'spec.limited.limitResponse.queuing.handSize: Invalid value: 5: required entropy bits of deckSize 1000000 and handSize 5 should not be greater than 60',
      ],
    ],
    [
      'another exempt level',
      level('x', { type: 'Exempt', limited: { limitResponse: { type: 'Reject' } } }),
      [
        `spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`,
        'spec.limited: Forbidden: must be nil if the type is not Limited',
      ],
    ],
  ]
  for (const [name, object, expected] of rows)
    await context.test(name, async () => {
      const ref = (object as { kind: string }).kind === 'FlowSchema' ? resources.flowSchemas : resources.priorityLevelConfigurations
      const error = await t.client
        .resource(ref as typeof resources.flowSchemas)
        .create(object as never)
        .then(
          () => assert.fail('it was taken'),
          (refused: unknown) => refused as StatusError,
        )
      assert.deepEqual(
        error.status.details?.causes?.map(({ field, message }) => `${field}: ${message}`),
        expected,
      )
    })
})
