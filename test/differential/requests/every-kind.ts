import type { Kind, Step } from '../step.ts'
import { create, get, kindIn, partial, partialList, patch, protobuf, remove, table, yaml } from '../step.ts'
import type { KindObjects } from './objects.ts'

/** What is asked of every kind: each verb, each form, and the mistakes that any kind can be sent. */
export function everyKind(namespace: string, objects: readonly KindObjects[]): Step[] {
  return objects.flatMap((one) => of(namespace, one))
}

function of(namespace: string, one: KindObjects): Step[] {
  const kind = kindIn(one.cluster ? undefined : namespace, one.apiVersion, one.kind, one.plural)
  const t = (title: string) => `${one.plural}.${one.apiVersion}: ${title}`
  const labelled = (labels: Record<string, string>) => ({ ...one.full, metadata: { ...(one.full['metadata'] as object | undefined), labels } })
  const item = (name: string) => `${kind.collection}/${name}`
  const put = (title: string, name: string, change: (object: any) => void): Step => ({
    name: t(title),
    method: 'PUT',
    path: item(name),
    edit: change,
  })
  const raw = (title: string, method: string, path: string, body?: unknown): Step => ({
    name: t(title),
    method,
    path,
    ...(body === undefined ? {} : { body }),
  })
  const selected = `?labelSelector=suite%3D${one.plural}`
  return [
    create(kind, 'diff-minimal', t('create the least'), one.minimal),
    create(kind, 'diff-full', t('create much'), labelled({ suite: one.plural })),
    create(kind, 'diff-full', t('create what is there already'), one.full),
    create(kind, 'diff-dry', t('create, dry run'), one.full, '?dryRun=All'),
    get(kind, 'diff-dry', t('get what a dry run made')),
    get(kind, 'diff-full', t('get as YAML'), yaml),
    get(kind, 'diff-full', t('get as protobuf'), protobuf),
    get(kind, 'diff-full', t('get as a table'), table),
    get(kind, 'diff-full', t('get metadata alone'), partial),
    get({ ...kind, collection: kind.collection + selected }, '', t('list as a table'), table),
    get({ ...kind, collection: kind.collection + selected }, '', t('list'), {}),
    get({ ...kind, collection: kind.collection + selected }, '', t('list metadata alone'), partialList),
    raw('list by name', 'GET', `${kind.collection}?fieldSelector=metadata.name%3Ddiff-none`),
    raw('list by a field that is not selectable', 'GET', `${kind.collection}?fieldSelector=spec.nothing%3Dx`),
    { ...raw('watch', 'GET', `${kind.collection}?watch=1&timeoutSeconds=2&fieldSelector=metadata.name%3Ddiff-full`), events: 1 },
    raw('create with a bad name', 'POST', kind.collection, { ...typed(one), ...one.minimal, metadata: { name: 'diff-Bad_Name!' } }),
    raw('create with bad labels and annotations', 'POST', kind.collection, {
      ...typed(one),
      ...one.minimal,
      metadata: {
        name: 'diff-bad',
        labels: { 'a b': 'c', ok: 'no!' },
        annotations: { '/x': 'y' },
        finalizers: ['nope'],
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: '' }],
      },
    }),
    raw('create without a name', 'POST', kind.collection, { ...typed(one), ...one.minimal, metadata: {} }),
    raw('create by generateName', 'POST', kind.collection, {
      ...typed(one),
      ...one.minimal,
      metadata: { generateName: 'diff-gen-', labels: { suite: one.plural } },
    }),
    raw('create with another kind', 'POST', kind.collection, { ...typed(one), ...one.minimal, kind: 'Wrong', metadata: { name: 'diff-bad' } }),
    ...(one.kind === 'Secret'
      ? []
      : [
          raw('create with a known kind that is another', 'POST', kind.collection, {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: 'diff-bad' },
          }),
        ]),
    raw('create with another version', 'POST', kind.collection, {
      ...typed(one),
      ...one.minimal,
      apiVersion: 'wrong.example.com/v1',
      metadata: { name: 'diff-bad' },
    }),
    raw('create without kind and version', 'POST', kind.collection, { ...one.minimal, metadata: { name: 'diff-untyped' } }),
    raw('create with a resourceVersion', 'POST', kind.collection, {
      ...typed(one),
      ...one.minimal,
      metadata: { name: 'diff-bad', resourceVersion: '7' },
    }),
    ...(one.cluster
      ? []
      : [
          raw('create for another namespace', 'POST', kind.collection, {
            ...typed(one),
            ...one.minimal,
            metadata: { name: 'diff-bad', namespace: 'other' },
          }),
        ]),
    raw('create with metadata of a wrong type', 'POST', kind.collection, {
      ...typed(one),
      ...one.minimal,
      metadata: { name: 'diff-bad', labels: ['x'] },
    }),
    put('update metadata', 'diff-full', (object) => {
      object.metadata.annotations = { ...object.metadata.annotations, 'example.com/edited': 'yes' }
    }),
    put('update to another name', 'diff-full', (object) => {
      object.metadata.name = 'diff-other'
    }),
    put('update a stale object', 'diff-full', (object) => {
      object.metadata.resourceVersion = '1'
    }),
    put('update with another uid', 'diff-full', (object) => {
      object.metadata.uid = '11111111-1111-1111-1111-111111111111'
    }),
    put('update without resourceVersion', 'diff-full', (object) => {
      delete object.metadata.resourceVersion
      object.metadata.labels = { ...object.metadata.labels, unconditional: 'yes' }
    }),
    raw('update what is not there', 'PUT', item('diff-none'), { ...typed(one), ...one.minimal, metadata: { name: 'diff-none' } }),
    patch(kind, 'diff-full', 'merge', t('merge patch of the spec'), one.change),
    patch(kind, 'diff-full', 'json', t('JSON patch'), [
      { op: 'test', path: '/metadata/name', value: 'diff-full' },
      { op: 'add', path: '/metadata/labels/json', value: 'yes' },
    ]),
    patch(kind, 'diff-full', 'json', t('JSON patch whose test fails'), [{ op: 'test', path: '/metadata/name', value: 'x' }]),
    patch(kind, 'diff-full', 'strategic', t('strategic merge patch'), { metadata: { labels: { strategic: 'yes' }, annotations: null } }),
    patch(kind, 'diff-full', 'merge', t('merge patch that makes it invalid'), { metadata: { labels: { 'a b': 'c' } } }),
    patch(kind, 'diff-full', 'merge', t('merge patch of the name'), { metadata: { name: 'diff-other' } }),
    patch(kind, 'diff-none', 'merge', t('merge patch of what is not there'), { metadata: { labels: { a: 'b' } } }),
    patch(kind, 'diff-applied', 'apply', t('apply without a name'), { ...one.minimal }, '?fieldManager=diff'),
    patch(
      kind,
      'diff-applied',
      'apply',
      t('apply what is not there'),
      { ...one.minimal, metadata: { name: 'diff-applied', labels: { suite: one.plural } } },
      '?fieldManager=diff',
    ),
    patch(
      kind,
      'diff-applied',
      'apply',
      t('apply what another manager has'),
      { ...one.minimal, metadata: { name: 'diff-applied', labels: { suite: 'other' } } },
      '?fieldManager=other',
    ),
    patch(
      kind,
      'diff-applied',
      'apply',
      t('apply by force'),
      { ...one.minimal, metadata: { name: 'diff-applied', labels: { suite: one.plural, forced: 'yes' } } },
      '?fieldManager=other&force=true',
    ),
    patch(kind, 'diff-applied', 'apply', t('apply without a manager'), { ...one.minimal }),
    ...(one.status
      ? [
          patch(kind, 'diff-full/status', 'merge', t('merge patch of the status'), { ...one.status, spec: { ignored: true } }),
          get(kind, 'diff-full/status', t('get the status')),
          get(kind, 'diff-full', t('get as a table, with status'), table),
          patch(kind, 'diff-full', 'merge', t('merge patch of the status through the object'), { status: { nothing: 1 } }),
        ]
      : []),
    ...(one.scale
      ? [
          get(kind, 'diff-full/scale', t('get the scale')),
          raw('update the scale', 'PUT', item('diff-full/scale'), {
            apiVersion: 'autoscaling/v1',
            kind: 'Scale',
            metadata: { name: 'diff-full', ...(one.cluster ? {} : { namespace }) },
            spec: { replicas: 7 },
          }),
          patch(kind, 'diff-full/scale', 'merge', t('merge patch of the scale'), { spec: { replicas: 4 } }),
          patch(kind, 'diff-full/scale', 'merge', t('merge patch of the scale below zero'), { spec: { replicas: -1 } }),
        ]
      : []),
    remove(kind, 'diff-full', t('delete with another uid as precondition'), { preconditions: { uid: '11111111-1111-1111-1111-111111111111' } }),
    remove(kind, 'diff-full', t('delete with another resourceVersion as precondition'), { preconditions: { resourceVersion: '1' } }),
    remove(kind, 'diff-full', t('delete with a bad propagation policy'), { propagationPolicy: 'Sideways' }),
    remove(kind, 'diff-full', t('delete, dry run'), undefined, '?dryRun=All'),
    remove(kind, 'diff-minimal', t('delete'), { gracePeriodSeconds: 0, propagationPolicy: 'Background' }),
    remove(kind, 'diff-none', t('delete what is not there')),
    raw('delete a collection', 'DELETE', `${kind.collection}${selected}`, { propagationPolicy: 'Background', gracePeriodSeconds: 0 }),
    get({ ...kind, collection: kind.collection + selected }, '', t('list after the collection is gone'), {}),
  ]
}

const typed = ({ apiVersion, kind }: KindObjects) => ({ apiVersion, kind })

export type { Kind }
