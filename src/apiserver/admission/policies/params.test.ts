import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { admissionregistration } from '#api'
import { kindOf } from '#api'
import { memoryReader } from '../../memory-reader.ts'
import { conversions } from '../../registry/conversions/index.ts'
import { collectParams } from './params.ts'

const reader = memoryReader()
for (const [namespace, name, labels] of [
  ['a', 'one', { set: 'x' }],
  ['a', 'two', { set: 'x' }],
  ['b', 'three', {}],
] as const)
  reader.set('', 'configmaps', { kind: 'ConfigMap', apiVersion: 'v1', metadata: { namespace, name, labels } })
reader.set('', 'nodes', { kind: 'Node', apiVersion: 'v1', metadata: { name: 'n' } })

const source = (kind: string) => ({ reader, conversions, kind: kindOf('v1', kind)! })

type Ref = admissionregistration.ParamRef
const rows: [name: string, kind: string | undefined, ref: Ref | undefined, namespace: string, found: (string | undefined)[] | string][] = [
  ['a policy without paramKind has no parameters, whatever its binding says', undefined, { name: 'one' }, 'a', [undefined]],
  ['a binding without paramRef leaves them out', 'ConfigMap', undefined, 'a', [undefined]],
  ['a name is looked up in the namespace of the request', 'ConfigMap', { name: 'one' }, 'a', ['one']],
  ['a namespace of its own wins', 'ConfigMap', { name: 'three', namespace: 'b' }, 'a', ['three']],
  ['a selector finds several', 'ConfigMap', { selector: { matchLabels: { set: 'x' } } }, 'a', ['one', 'two']],
  ['an empty selector finds all', 'ConfigMap', { selector: {} }, 'b', ['three']],
  ['what is not there is none where that is allowed', 'ConfigMap', { name: 'gone', parameterNotFoundAction: 'Allow' }, 'a', []],
  [
    'or refuses',
    'ConfigMap',
    { name: 'gone', parameterNotFoundAction: 'Deny' },
    'a',
    'no params found for policy binding with `Deny` parameterNotFoundAction',
  ],
  [
    'a request to the cluster has no namespace to look in',
    'ConfigMap',
    { name: 'one' },
    '',
    'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
  ],
  [
    'parameters of the cluster have no namespace',
    'Node',
    { name: 'n', namespace: 'a' },
    'a',
    'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
  ],
  ['parameters of the cluster are found from anywhere', 'Node', { name: 'n' }, 'a', ['n']],
]

describe('parameters of policies', () => {
  for (const [name, kind, ref, namespace, found] of rows)
    test(name, () => {
      const collect = () => collectParams(kind === undefined ? undefined : source(kind), ref, namespace).map((param) => param?.metadata.name)
      if (typeof found === 'string') assert.throws(collect, { message: found })
      else assert.deepEqual(collect(), found)
    })
})
