import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError, schemaOf } from '#api'
import { applyStrategicMergePatch } from './strategic-merge.ts'

const schema = schemaOf('v1', 'Pod')!
const pod = (spec: object, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
const patch = (object: object, change: object) => applyStrategicMergePatch(object, change, schema) as any

const cases: { name: string; spec?: object; metadata?: object; change: object; want: object; of?: 'spec' | 'metadata' }[] = [
  {
    name: 'items of a keyed list merge by their key, new ones come in the order of the patch',
    spec: {
      containers: [
        { name: 'a', image: 'a:1' },
        { name: 'b', image: 'b:1' },
      ],
    },
    change: {
      spec: {
        containers: [
          { name: 'b', image: 'b:2' },
          { name: 'c', image: 'c:1' },
        ],
      },
    },
    want: {
      containers: [
        { name: 'a', image: 'a:1' },
        { name: 'b', image: 'b:2' },
        { name: 'c', image: 'c:1' },
      ],
    },
  },
  {
    name: 'an item with $patch: delete takes its namesake out',
    spec: { containers: [{ name: 'a' }, { name: 'b' }] },
    change: { spec: { containers: [{ name: 'a', $patch: 'delete' }] } },
    want: { containers: [{ name: 'b' }] },
  },
  {
    name: 'an item with $patch: replace makes the patch the whole list',
    spec: { containers: [{ name: 'a' }, { name: 'b' }] },
    change: { spec: { containers: [{ $patch: 'replace' }, { name: 'z', image: 'z' }] } },
    want: { containers: [{ name: 'z', image: 'z' }] },
  },
  {
    name: 'a list without a patch strategy is replaced',
    spec: { containers: [{ name: 'a', command: ['x', 'y'] }] },
    change: { spec: { containers: [{ name: 'a', command: ['z'] }] } },
    want: { containers: [{ name: 'a', command: ['z'] }] },
  },
  {
    name: 'a set of primitives merges, new values first, and its deletion list takes values out',
    metadata: { finalizers: ['a', 'b', 'c'] },
    change: { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'], finalizers: ['d'] } },
    want: { finalizers: ['d', 'a', 'c'] },
    of: 'metadata',
  },
  {
    name: '$setElementOrder orders what the patch knows and leaves the rest where it stands',
    spec: { containers: [{ name: 'a' }, { name: 'server' }, { name: 'b' }] },
    change: { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }, { name: 'new' }], containers: [{ name: 'new', image: 'n' }] } },
    want: { containers: [{ name: 'server' }, { name: 'b' }, { name: 'a' }, { name: 'new', image: 'n' }] },
  },
  {
    name: '$retainKeys clears what it does not list',
    spec: { volumes: [{ name: 'v', emptyDir: {} }] },
    change: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
    want: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
  },
  {
    name: '$patch: replace on a map keeps nothing else of it',
    spec: { securityContext: { runAsUser: 1, fsGroup: 2 } },
    change: { spec: { securityContext: { $patch: 'replace', runAsUser: 3 } } },
    want: { securityContext: { runAsUser: 3 } },
  },
  {
    name: '$patch: delete on a map empties it, null takes it away',
    spec: { securityContext: { runAsUser: 1 }, nodeSelector: { a: 'b' } },
    change: { spec: { securityContext: { $patch: 'delete' }, nodeSelector: null } },
    want: { securityContext: {} },
  },
  {
    name: 'directives and nulls in a part that is new are not stored',
    spec: {},
    change: {
      spec: {
        securityContext: { $retainKeys: ['runAsUser'], runAsUser: 1, fsGroup: null },
        containers: [
          { name: 'x', $patch: 'delete' },
          { name: 'y', env: null },
        ],
      },
    },
    want: { securityContext: { runAsUser: 1 }, containers: [{ name: 'y' }] },
  },
]

for (const { name, spec = {}, metadata = {}, change, want, of = 'spec' } of cases)
  test(`strategic merge: ${name}`, () => {
    const object = pod(spec, metadata)
    const before = structuredClone([object, change])
    assert.deepEqual(patch(object, change)[of], want)
    assert.deepEqual([object, change], before, 'the arguments were changed')
  })

const mistakes: [string, number, object, string][] = [
  ['a list item without its key', 500, { spec: { containers: [{ image: 'x' }] } }, 'map: map[image:x] does not contain declared merge key: name'],
  ['an unknown directive', 500, { spec: { $patch: 'explode' } }, 'unknown patch type: explode in map: map[$patch:explode]'],
  ['$retainKeys that lacks what is set', 400, { spec: { $retainKeys: ['a'], hostname: 'x' } }, 'invalid patch format of retainKeys'],
  ['$retainKeys that is no list', 400, { spec: { $retainKeys: 'a' } }, 'invalid patch format of retainKeys'],
  ['a deletion list without a name', 400, { metadata: { $deleteFromPrimitiveList: ['a'] } }, 'invalid patch format of primitive list'],
  ['an order without a name', 400, { metadata: { $setElementOrder: ['a'] } }, 'invalid patch format of setElementOrder list'],
  [
    'an unknown field that the object has too',
    500,
    { spec: { unknown: { a: 1 } } },
    'unable to find api field in struct PodSpec for the json field "unknown"',
  ],
]

for (const [name, code, change, message] of mistakes)
  test(`strategic merge refuses ${name}`, () => {
    assert.throws(
      () => patch(pod({ containers: [{ name: 'a' }], unknown: {} }), change),
      (error) => error instanceof StatusError && error.code === code && error.message === message,
    )
  })

test('strategic merge is refused for what has no schema', () => {
  assert.throws(() => applyStrategicMergePatch({}, {}, undefined), /strategic merge patch format is not supported/)
})
