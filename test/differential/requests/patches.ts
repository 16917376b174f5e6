import type { PatchType, Step } from '../step.ts'
import { create, edit, kindIn, patch } from '../step.ts'

/** Patches of every type on one deployment after the other, with the managers of its fields. */
export function patches(namespace: string): Step[] {
  const kind = kindIn(namespace, 'apps/v1', 'Deployment', 'deployments')
  const maps = kindIn(namespace, 'v1', 'ConfigMap', 'configmaps')
  const base = {
    metadata: { labels: { app: 'a', keep: 'yes' }, annotations: { note: 'first' } },
    spec: {
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a' } },
        spec: {
          containers: [
            {
              name: 'a',
              image: 'a:1',
              env: [
                { name: 'X', value: '1' },
                { name: 'Y', value: '2' },
              ],
              ports: [{ containerPort: 80, protocol: 'TCP' }],
              args: ['one', 'two'],
            },
            { name: 'b', image: 'b:1' },
          ],
          volumes: [{ name: 'v', emptyDir: {} }],
          tolerations: [{ key: 'k', operator: 'Exists' }],
        },
      },
    },
  }
  const on = (type: PatchType, title: string, body: unknown, query = '') => patch(kind, 'diff-p', type, title, body, query)
  const containers = (list: unknown[]) => ({ spec: { template: { spec: { containers: list } } } })
  const apply = (title: string, body: unknown, query: string, name = 'diff-s') => patch(kind, name, 'apply', title, body, query)
  const applied = (replicas: number | undefined, list: unknown[], more: object = {}) => ({
    metadata: { name: 'diff-s', namespace, ...more },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: 'a' } },
      template: { metadata: { labels: { app: 'a' } }, spec: { containers: list } },
    },
  })
  return [
    create(kind, 'diff-p', 'a deployment', base),
    // strategic
    on('strategic', 'strategic: another image', containers([{ name: 'a', image: 'a:2' }])),
    on('strategic', 'strategic: one container more', containers([{ name: 'c', image: 'c:1' }])),
    on('strategic', 'strategic: one container less', containers([{ name: 'c', $patch: 'delete' }])),
    on('strategic', 'strategic: a variable less', containers([{ name: 'a', env: [{ name: 'X', $patch: 'delete' }] }])),
    on(
      'strategic',
      'strategic: the containers replaced',
      containers([{ $patch: 'replace' }, { name: 'a', image: 'a:3' }, { name: 'b', image: 'b:3' }]),
    ),
    on('strategic', 'strategic: the order of containers', {
      spec: {
        template: {
          spec: {
            $setElementOrder: undefined,
            '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
            containers: [{ name: 'a', image: 'a:4' }],
          },
        },
      },
    }),
    on('strategic', 'strategic: an order that does not fit', {
      spec: { template: { spec: { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'a', image: 'a:5' }] } } },
    }),
    on('strategic', 'strategic: keys retained', { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
    on('strategic', 'strategic: keys retained that are not there', { spec: { strategy: { $retainKeys: ['nothing'], type: 'Recreate' } } }),
    on('strategic', 'strategic: a map replaced', { metadata: { labels: { $patch: 'replace', only: 'this' } } }),
    on('strategic', 'strategic: a map deleted', { metadata: { annotations: { $patch: 'delete' } } }),
    on('strategic', 'strategic: a value deleted', { metadata: { labels: { only: null } } }),
    on('strategic', 'strategic: finalizers merged', { metadata: { finalizers: ['example.com/a'] } }),
    on('strategic', 'strategic: finalizers merged again', { metadata: { finalizers: ['example.com/b'] } }),
    on('strategic', 'strategic: a finalizer deleted', { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } }),
    on('strategic', 'strategic: a directive that is none', { metadata: { labels: { $patch: 'explode' } } }),
    on('strategic', 'strategic: an element without its key', containers([{ image: 'x' }])),
    on('strategic', 'strategic: a text for a list', { spec: { template: { spec: { containers: 'x' } } } }),
    on('strategic', 'strategic: a text for a number', { spec: { replicas: 'x' } }),
    on('strategic', 'strategic: a list as a patch', []),
    on('strategic', 'strategic: a text as a patch', '"x"'),
    on('strategic', 'strategic: no JSON', 'nonsense'),
    on('strategic', 'strategic: unknown fields', { nothing: 1, spec: { nothing: { a: 1 } } }),
    on('strategic', 'strategic: nothing', {}),
    on('strategic', 'strategic: another uid', { metadata: { uid: '11111111-1111-1111-1111-111111111111' } }),
    on('strategic', 'strategic: a stale version', { metadata: { resourceVersion: '1' } }),
    on('strategic', 'strategic: another kind', { kind: 'Pod' }),
    on('strategic', 'strategic: another version', { apiVersion: 'v1' }),
    // merge
    on('merge', 'merge: containers', containers([{ name: 'z', image: 'z:1' }])),
    on('merge', 'merge: containers without an image', containers([{ name: 'z' }])),
    on('merge', 'merge: a list as a patch', []),
    on('merge', 'merge: null', 'null'),
    on('merge', 'merge: no JSON', '{'),
    on('merge', 'merge: a text for an object', { spec: 'x' }),
    on('merge', 'merge: unknown fields', { nothing: 1 }),
    on('merge', 'merge: a stale version', { metadata: { resourceVersion: '1' } }),
    on('merge', 'merge: managers taken away', { metadata: { managedFields: [{}] } }),
    // JSON
    on('json', 'JSON: add, replace, copy, move, remove', [
      { op: 'add', path: '/metadata/labels/x', value: 'y' },
      { op: 'replace', path: '/spec/replicas', value: 4 },
      { op: 'copy', from: '/metadata/labels/x', path: '/metadata/labels/copied' },
      { op: 'move', from: '/metadata/labels/x', path: '/metadata/labels/moved' },
      { op: 'remove', path: '/metadata/labels/moved' },
    ]),
    on('json', 'JSON: append and escape', [
      { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'json', image: 'j' } },
      { op: 'add', path: '/metadata/annotations', value: {} },
      { op: 'add', path: '/metadata/annotations/example.com~1a', value: 'b' },
    ]),
    on('json', 'JSON: a test that fails', [{ op: 'test', path: '/spec/replicas', value: 5 }]),
    on('json', 'JSON: a test of what is not there', [{ op: 'test', path: '/spec/nothing', value: 5 }]),
    on('json', 'JSON: remove what is not there', [{ op: 'remove', path: '/spec/nothing' }]),
    on('json', 'JSON: replace what is not there', [{ op: 'replace', path: '/spec/nothing', value: 1 }]),
    on('json', 'JSON: add below what is not there', [{ op: 'add', path: '/spec/nothing/at/all', value: 1 }]),
    on('json', 'JSON: an index beyond the list', [{ op: 'replace', path: '/spec/template/spec/containers/9', value: {} }]),
    on('json', 'JSON: an index that is none', [{ op: 'add', path: '/spec/template/spec/containers/x', value: {} }]),
    on('json', 'JSON: copy of what is not there', [{ op: 'copy', from: '/nothing', path: '/metadata/labels/y' }]),
    on('json', 'JSON: an operation that is none', [{ op: 'explode', path: '/spec' }]),
    on('json', 'JSON: no operation', [{ path: '/spec' }]),
    on('json', 'JSON: an object as a patch', { op: 'add' }),
    on('json', 'JSON: no JSON', '['),
    on('json', 'JSON: nothing', []),
    on('json', 'JSON: a text for a number', [{ op: 'replace', path: '/spec/replicas', value: 'x' }]),
    on('json', 'JSON: the kind', [{ op: 'replace', path: '/kind', value: 'Pod' }]),
    on(
      'json',
      'JSON: too many operations',
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'Deployment' })),
    ),
    edit(kind, 'diff-p', 'an update after all of it', (object) => {
      object.metadata.labels = { updated: 'yes' }
    }),
    // server-side apply
    apply('apply: created', applied(3, [{ name: 'a', image: 'a:1' }], { labels: { x: '1' } }), '?fieldManager=one'),
    apply('apply: the same again', applied(3, [{ name: 'a', image: 'a:1' }], { labels: { x: '1' } }), '?fieldManager=one'),
    apply('apply: another manager agrees', applied(3, [{ name: 'a', image: 'a:1' }]), '?fieldManager=two'),
    apply('apply: another manager disagrees', applied(5, [{ name: 'a', image: 'a:2' }]), '?fieldManager=two'),
    apply('apply: another manager by force', applied(5, [{ name: 'a', image: 'a:2' }]), '?fieldManager=two&force=true'),
    apply('apply: the first lets go', applied(undefined, [{ name: 'b', image: 'b:1' }]), '?fieldManager=one&force=true'),
    apply('apply: the second lets go', applied(undefined, []), '?fieldManager=two'),
    apply('apply: an element without its key', applied(1, [{ image: 'x' }]), '?fieldManager=one'),
    apply(
      'apply: an element twice',
      applied(1, [
        { name: 'a', image: 'x' },
        { name: 'a', image: 'y' },
      ]),
      '?fieldManager=one',
    ),
    apply('apply: unknown fields', { ...applied(1, []), nothing: 1 }, '?fieldManager=one'),
    apply('apply: a wrong type', { metadata: { name: 'diff-s' }, spec: { replicas: 'x' } }, '?fieldManager=one'),
    apply('apply: managers in it', { metadata: { name: 'diff-s', managedFields: [] } }, '?fieldManager=one'),
    apply('apply: another name', { metadata: { name: 'other' } }, '?fieldManager=one'),
    apply('apply: another namespace', { metadata: { name: 'diff-s', namespace: 'other' } }, '?fieldManager=one'),
    apply('apply: another kind', { kind: 'Pod', metadata: { name: 'diff-s' } }, '?fieldManager=one'),
    apply('apply: another version', 'apiVersion: v1\nkind: Deployment\nmetadata:\n  name: diff-s\n', '?fieldManager=one'),
    apply('apply: no kind', 'metadata:\n  name: diff-s\n', '?fieldManager=one'),
    apply('apply: YAML', 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: diff-s\n  labels:\n    y: "2"\n', '?fieldManager=three'),
    apply('apply: no YAML', 'a: [', '?fieldManager=one'),
    apply('apply: a list', '- a\n', '?fieldManager=one'),
    apply('apply: nothing', '', '?fieldManager=one'),
    apply('apply: a manager with a bad name', applied(1, []), `?fieldManager=${'x'.repeat(129)}`),
    apply('apply: a stale version', { metadata: { name: 'diff-s', resourceVersion: '1' } }, '?fieldManager=one'),
    apply('apply: dry run', applied(9, []), '?fieldManager=one&force=true&dryRun=All'),
    patch(kind, 'diff-s/status', 'apply', 'apply: the status', { metadata: { name: 'diff-s' }, status: { replicas: 3 } }, '?fieldManager=status'),
    patch(kind, 'diff-s/scale', 'merge', 'a scale after applies', { spec: { replicas: 7 } }, '?fieldManager=scaler'),
    apply('apply: over a scale', applied(4, []), '?fieldManager=one'),
    edit(kind, 'diff-s', 'an update that takes over', (object) => {
      object.spec.replicas = 8
    }),
    patch(maps, 'diff-m', 'apply', 'apply: a map', { metadata: { name: 'diff-m' }, data: { a: '1', b: '2' } }, '?fieldManager=one'),
    patch(maps, 'diff-m', 'apply', 'apply: a map of which one goes', { metadata: { name: 'diff-m' }, data: { a: '1' } }, '?fieldManager=one'),
    patch(maps, 'diff-m', 'merge', 'merge: a map of another manager', { data: { a: '2', c: '3' } }, '?fieldManager=two'),
    patch(maps, 'diff-m', 'apply', 'apply: over another manager', { metadata: { name: 'diff-m' }, data: { a: '1' } }, '?fieldManager=one'),
    patch(maps, 'diff-m', 'apply', 'apply: nothing of it', { metadata: { name: 'diff-m' } }, '?fieldManager=one'),
  ]
}
