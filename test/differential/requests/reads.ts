import type { Step } from '../step.ts'
import { create, get, kindIn, partial, partialList, patch, remove, table } from '../step.ts'

/** Lists and watches in every combination of their options, field validation, preconditions, and metadata that is wrong. */
export function reads(namespace: string): Step[] {
  const maps = kindIn(namespace, 'v1', 'ConfigMap', 'configmaps')
  const list = (query: string, headers?: Record<string, string>): Step =>
    get({ ...maps, collection: `${maps.collection}?${query}` }, '', `list ?${query}${headers ? ' as metadata' : ''}`, headers)
  const watch = (query: string, events: number, headers?: Record<string, string>): Step => ({
    ...list(`watch=1&timeoutSeconds=${events === 0 ? 1 : 4}&${query}`, headers),
    name: `watch ?${query}${headers ? ` as ${Object.values(headers)[0]!}` : ''}`,
    ...(events === 0 ? {} : { events }),
  })
  const post = (title: string, body: unknown, query = ''): Step => ({ name: title, method: 'POST', path: maps.collection + query, body })
  const put = (title: string, name: string, body: unknown, query = ''): Step => ({
    name: title,
    method: 'PUT',
    path: `${maps.collection}/${name}${query}`,
    body,
  })
  const map = (metadata: object, rest: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...rest })
  const later = '9999999999'
  return [
    ...['a', 'b', 'c'].map((name) => create(maps, name, `a map ${name}`, { metadata: { name, labels: { which: name } }, data: { name } })),
    // lists
    ...['', 'limit=1', 'limit=2', 'limit=3', 'limit=2&labelSelector=which!%3Da', 'limit=1&fieldSelector=metadata.name%3Db'].map((query) =>
      list(query),
    ),
    ...['', '0'].flatMap((version) =>
      ['', 'Exact', 'NotOlderThan', 'Unset'].flatMap((match) =>
        ['', '&limit=1'].map((limit) => list(`resourceVersion=${version}&resourceVersionMatch=${match}${limit}&labelSelector=which`)),
      ),
    ),
    list(`resourceVersion=${later}&resourceVersionMatch=Exact`),
    list(`resourceVersion=${later}&resourceVersionMatch=NotOlderThan`),
    list('resourceVersion=0&resourceVersionMatch=Exact&continue=x'),
    list('sendInitialEvents=true'),
    list('sendInitialEvents=true&resourceVersionMatch=NotOlderThan'),
    list('allowWatchBookmarks=true&fieldSelector=metadata.name%3Da'),
    list(`fieldSelector=metadata.name%3Da,metadata.namespace%3D${namespace}`),
    list('fieldSelector=metadata.name%3Da,metadata.name%3Db'),
    list('labelSelector=which%20in%20(a,b),which!%3Db'),
    list('limit=1', partialList),
    // watches
    watch('', 3),
    watch('resourceVersion=0', 3),
    watch('resourceVersion=0&allowWatchBookmarks=true', 4),
    watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true', 4),
    watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=0', 4),
    watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=which%3Db', 2),
    watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan', 3),
    watch('sendInitialEvents=true', 0),
    watch('sendInitialEvents=false', 0),
    watch('sendInitialEvents=false&resourceVersionMatch=NotOlderThan&labelSelector=none', 0),
    watch('sendInitialEvents=true&resourceVersionMatch=Exact', 0),
    watch('resourceVersionMatch=NotOlderThan', 0),
    watch('resourceVersionMatch=Exact&resourceVersion=1', 0),
    watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x', 0),
    watch('sendInitialEvents=maybe&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true', 4),
    watch('fieldSelector=metadata.name%3Db', 1, partial),
    watch('fieldSelector=metadata.name%3Db', 1, { accept: 'application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io' }),
    watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=which%3Db', 2, partial),
    watch('labelSelector=none', 0, { accept: 'application/yaml' }),
    watch('labelSelector=none', 0, { accept: 'text/html' }),
    { name: 'an old watch of one', method: 'GET', path: `/api/v1/watch/namespaces/${namespace}/configmaps/b?timeoutSeconds=4`, events: 1 },
    // field validation
    ...['Strict', 'Warn', 'Ignore', 'Some', ''].map((mode) =>
      post(
        `unknown fields, ${mode || 'nothing said'}`,
        { ...map({ name: `unknown-${mode.toLowerCase()}x`, nothing: 1 }), more: { a: 1 } },
        `?fieldValidation=${mode}`,
      ),
    ),
    post(
      'a field twice, strict',
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"t","name":"u"},"data":{"a":"1","a":"2"}}`,
      '?fieldValidation=Strict',
    ),
    post(
      'a field twice, warned of',
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"t"},"data":{"a":"1","a":"2"}}`,
      '?fieldValidation=Warn',
    ),
    post('a field in another case, strict', { ...map({ name: 'case' }), Data: { a: '1' } }, '?fieldValidation=Strict'),
    patch(maps, 'a', 'merge', 'merge: unknown, strict', { nothing: 1, metadata: { more: 1 } }, '?fieldValidation=Strict'),
    patch(maps, 'a', 'strategic', 'strategic: unknown, strict', { nothing: 1, metadata: { more: 1 } }, '?fieldValidation=Strict'),
    patch(maps, 'a', 'json', 'JSON: unknown, strict', [{ op: 'add', path: '/nothing', value: 1 }], '?fieldValidation=Strict'),
    patch(
      maps,
      'a',
      'json',
      'JSON: an unknown field of an operation, strict',
      [{ op: 'add', path: '/data/x', value: '1', more: 1 }],
      '?fieldValidation=Strict',
    ),
    patch(
      maps,
      'a',
      'json',
      'JSON: an unknown field of an operation, warned of',
      [{ op: 'add', path: '/data/x', value: '1', more: 1 }],
      '?fieldValidation=Warn',
    ),
    patch(maps, 'a', 'merge', 'merge: a field twice, strict', '{"data":{"m":"1"},"data":{"n":"2"}}', '?fieldValidation=Strict'),
    // updates
    put('update another name', 'a', map({ name: 'b' })),
    put('update without a name', 'a', map({})),
    put('update another namespace', 'a', map({ name: 'a', namespace: 'other' })),
    put('update a version that is none', 'a', map({ name: 'a', resourceVersion: 'x' })),
    put('update a version that is gone', 'a', map({ name: 'a', resourceVersion: '1' })),
    put('update another uid', 'a', map({ name: 'a', uid: '11111111-1111-1111-1111-111111111111' })),
    put('update of what is not there', 'none', map({ name: 'none' })),
    put('update of what is not there, with a version', 'none', map({ name: 'none', resourceVersion: '5' })),
    put('update without a version', 'a', map({ name: 'a' }, { data: { now: '1' } })),
    put(
      'update of metadata that is the server’s',
      'a',
      map({ name: 'a', creationTimestamp: '2020-01-01T00:00:00Z', generation: 7, selfLink: '/x', deletionGracePeriodSeconds: 3 }),
    ),
    // metadata
    ...Object.entries<object>({
      'a name that is too long': { name: 'x'.repeat(254) },
      'a name with a slash': { name: 'a/b' },
      'a name of dots': { name: '..' },
      'a name in upper case': { name: 'A' },
      'a name to generate that is bad': { generateName: 'A_' },
      'a name to generate that is long': { generateName: 'g'.repeat(70) },
      'a label that is bad': { name: 'bad', labels: { '-a': 'b', a: '-b', [`${'p'.repeat(254)}/a`]: '', 'a/b/c': '' } },
      'a label that is long': { name: 'bad', labels: { ['k'.repeat(64)]: 'v'.repeat(64) } },
      'an annotation that is bad': { name: 'bad', annotations: { 'A b': 'c' } },
      'annotations that are large': { name: 'bad', annotations: { a: 'x'.repeat(262_200) } },
      'finalizers that are bad': { name: 'bad', finalizers: ['a', 'b/c/d', 'example.com/ok', 'orphan', 'foregroundDeletion'] },
      'owners that are bad': {
        name: 'bad',
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Event', name: 'a', uid: 'b' },
          { apiVersion: '', kind: '', name: '', uid: '' },
        ],
      },
      'two controllers': {
        name: 'bad',
        ownerReferences: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name, controller: true })),
      },
      'an owner twice': { name: 'twice', ownerReferences: ['a', 'a'].map((name) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name })) },
      'another namespace': { name: 'bad', namespace: 'other' },
      'a version': { name: 'bad', resourceVersion: '1' },
      'a version of zero': { name: 'zero', resourceVersion: '0' },
      'a uid and times': {
        name: 'times',
        uid: 'mine',
        creationTimestamp: '2020-01-01T00:00:00Z',
        deletionTimestamp: '2020-01-01T00:00:00Z',
        generation: 4,
      },
      'a negative generation': { name: 'negative', generation: -1 },
    }).map(([title, metadata]) => post(`create: ${title}`, map(metadata))),
    // deletions
    remove(maps, 'b', 'delete with a uid that is another', { preconditions: { uid: 'x' } }),
    remove(maps, 'b', 'delete with a version that is another', { preconditions: { resourceVersion: '1' } }),
    remove(maps, 'b', 'delete with both', { preconditions: { uid: 'x', resourceVersion: '1' } }),
    remove(maps, 'b', 'delete by bad options', { propagationPolicy: 'Sideways', dryRun: ['Some'], orphanDependents: true }),
    remove(maps, 'b', 'delete with a negative grace period', { gracePeriodSeconds: -1, dryRun: ['All'] }),
    remove(maps, 'b', 'delete in the foreground', { propagationPolicy: 'Foreground' }),
    get(maps, 'b', 'what is left of it'),
    patch(maps, 'b', 'merge', 'a finalizer more while it goes', { metadata: { finalizers: ['foregroundDeletion', 'example.com/late'] } }),
    patch(maps, 'b', 'merge', 'data while it goes', { data: { late: '1' } }),
    remove(maps, 'b', 'delete it again', { propagationPolicy: 'Orphan' }),
    patch(maps, 'b', 'json', 'its last finalizer', [{ op: 'remove', path: '/metadata/finalizers' }]),
    get(maps, 'b', 'nothing is left of it'),
    { name: 'delete a collection', method: 'DELETE', path: `${maps.collection}?labelSelector=which`, body: { gracePeriodSeconds: 0 } },
    list('labelSelector=which&limit=5'),
    get(maps, 'a', 'a table of what is gone', table),
  ]
}
