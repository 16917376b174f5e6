import type { PatchType, Step } from '../step.ts'
import { create, edit, get, kindIn, patch } from '../step.ts'

/** Server-side apply and who manages what: lists of every type, nulls, resets, versions, limits, and writes that change nothing. */
export function applies(namespace: string): Step[] {
  const maps = kindIn(namespace, 'v1', 'ConfigMap', 'configmaps')
  const accounts = kindIn(namespace, 'v1', 'ServiceAccount', 'serviceaccounts')
  const deployments = kindIn(namespace, 'apps/v1', 'Deployment', 'deployments')
  const roles = kindIn(namespace, 'rbac.authorization.k8s.io/v1', 'Role', 'roles')
  const on =
    (kind: typeof maps, name: string) =>
    (title: string, body: object | string, manager: string, query = '', type: PatchType = 'apply') =>
      patch(
        kind,
        name,
        type,
        title,
        typeof body === 'string' || type !== 'apply' ? body : { ...body, metadata: { name, ...(body as { metadata?: object }).metadata } },
        `?fieldManager=${manager}${query}`,
      )
  const map = on(maps, 'diff-map')
  const list = on(accounts, 'diff-lists')
  const deployment = on(deployments, 'diff-apps')
  const role = on(roles, 'diff-role')
  const kubectl = on(maps, 'diff-kubectl')
  const owner = (uid: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: `o-${uid[0]}`, uid, ...more })
  const [one, two] = ['11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222']
  const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
  const configured = (data: object) =>
    `${JSON.stringify({ apiVersion: 'v1', data, kind: 'ConfigMap', metadata: { annotations: {}, name: 'diff-kubectl', namespace } })}\n`
  const pods = (containers: object[], more: object = {}) => ({
    spec: { selector: { matchLabels: { app: 'a' } }, template: { metadata: { labels: { app: 'a' } }, spec: { containers, ...more } } },
  })
  const managersOf = (change: (entries: any[]) => unknown) => (object: any) => {
    object.metadata.managedFields = change(object.metadata.managedFields)
  }
  return [
    // maps, keys of every form and their order
    map('a map whose keys have to be sorted', { data: { b: '2', 'a.b': '1', a: '1', A: '1', 'z-1': '', _: '1', '10': '1', '9': '1' } }, 'one'),
    map('the same again keeps the version', { data: { b: '2', 'a.b': '1', a: '1', A: '1', 'z-1': '', _: '1', '10': '1', '9': '1' } }, 'one'),
    map('labels and annotations', { metadata: { labels: { b: '1', a: '1' }, annotations: { 'example.com/x': 'y' } } }, 'two'),
    map('empty maps', { metadata: { labels: {}, annotations: {} }, data: {} }, 'three'),
    map('an empty map of what is not there', { binaryData: {} }, 'four'),
    map('a null for a map', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"diff-map","labels":null},"data":null}', 'five'),
    map('a null in a map', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"diff-map"},"data":{"n":null}}', 'six'),
    map('a null for a scalar', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"diff-map"},"immutable":null}', 'seven'),
    map('a null for the metadata', '{"apiVersion":"v1","kind":"ConfigMap","metadata":null}', 'seven'),
    map('a number in a map of texts', { data: { n: 5 } }, 'one'),
    map('a list for a map', { data: ['x'] }, 'one'),
    map('a text for a bool', { immutable: 'x' }, 'one'),
    map('an unknown field in the metadata', { metadata: { nothing: 1 } }, 'one'),
    map('a field twice', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: diff-map\ndata:\n  a: "1"\n  a: "2"\n', 'one'),
    map(
      'a field twice, strict',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: diff-map\ndata:\n  a: "1"\n  a: "2"\n',
      'one',
      '&fieldValidation=Strict',
    ),
    map(
      'a field twice, ignored',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: diff-map\ndata:\n  a: "1"\n  a: "2"\n',
      'one',
      '&fieldValidation=Ignore&dryRun=All',
    ),
    map(
      'two documents',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: diff-map\n---\napiVersion: v1\nkind: ConfigMap\n',
      'one',
      '&dryRun=All',
    ),
    get(maps, 'diff-map', 'the map by now'),

    // sets and lists by keys
    list('finalizers, a set', { metadata: { finalizers: ['example.com/a', 'example.com/b'] } }, 'one'),
    list('finalizers of another', { metadata: { finalizers: ['example.com/c', 'example.com/a'] } }, 'two'),
    list('finalizers in another order', { metadata: { finalizers: ['example.com/b', 'example.com/a'] } }, 'one'),
    list('a finalizer less', { metadata: { finalizers: ['example.com/b'] } }, 'one'),
    list('a finalizer twice', { metadata: { finalizers: ['example.com/b', 'example.com/b'] } }, 'one'),
    list(
      'a null in a set',
      '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"diff-lists","finalizers":[null,"example.com/b"]}}',
      'one',
    ),
    list('owners, by uid', { metadata: { ownerReferences: [owner(one), owner(two)] } }, 'one'),
    list('an owner of another, with more', { metadata: { ownerReferences: [owner(two, { blockOwnerDeletion: true })] } }, 'two'),
    list('an owner without its key', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }] } }, 'two'),
    list('an owner less', { metadata: { ownerReferences: [owner(two)] } }, 'one'),
    list('an owner twice', { metadata: { ownerReferences: [owner(two), owner(two)] } }, 'one'),
    list('secrets, by name', { secrets: [{ name: 'b' }, { name: 'a' }] }, 'one'),
    list('a secret of another, in front', { secrets: [{ name: 'c' }, { name: 'a' }] }, 'two'),
    list('secrets of the first again', { secrets: [{ name: 'b' }, { name: 'd' }, { name: 'a' }] }, 'one'),
    list('references whose keys are all optional', { imagePullSecrets: [{ name: 'x' }, {}] }, 'one'),
    list('two of them', { imagePullSecrets: [{}, {}] }, 'one'),
    list('a null for a list', '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"diff-lists"},"secrets":null}', 'three'),
    list('an empty list', { secrets: [], imagePullSecrets: [] }, 'four'),
    list('a text for a list', { secrets: 'x' }, 'four'),
    list('a list of texts', { secrets: ['x'] }, 'four'),
    list('the first lets go of all', {}, 'one'),
    list('the second lets go of all', {}, 'two'),
    get(accounts, 'diff-lists', 'the lists by now'),

    // duplicates that are there already
    create(
      deployments,
      'diff-twice',
      'a list with an item twice, created',
      pods([{ name: 'a', image: 'a' }], { tolerations: [{ operator: 'Exists' }] }),
    ),
    patch(
      deployments,
      'diff-twice',
      'merge',
      'a variable twice',
      {
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name: 'a',
                  image: 'a',
                  env: [
                    { name: 'X', value: '1' },
                    { name: 'X', value: '2' },
                    { name: 'Y', value: '3' },
                  ],
                },
              ],
            },
          },
        },
      },
      '?fieldManager=merger',
    ),
    on(deployments, 'diff-twice')(
      'apply over duplicates, of another item',
      pods([{ name: 'a', image: 'a', env: [{ name: 'Y', value: '3' }] }]),
      'one',
    ),
    on(deployments, 'diff-twice')(
      'apply of the duplicate item',
      pods([{ name: 'a', image: 'a', env: [{ name: 'X', value: '1' }] }]),
      'one',
      '&force=true',
    ),
    on(deployments, 'diff-twice')(
      'apply of duplicates',
      pods([
        {
          name: 'a',
          image: 'a',
          env: [
            { name: 'X', value: '1' },
            { name: 'X', value: '2' },
          ],
        },
      ]),
      'one',
      '&force=true',
    ),

    // atomic lists, and what is defaulted
    role('rules, an atomic list', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }, 'one'),
    role('rules of another', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }] }, 'two'),
    role('rules of another by force', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }] }, 'two', '&force=true'),
    role('the first without rules', {}, 'one'),
    role('the second without rules', {}, 'two'),
    deployment(
      'a deployment whose fields are defaulted',
      pods([{ name: 'a', image: 'a:1', ports: [{ containerPort: 80 }, { containerPort: 81, protocol: 'UDP' }] }]),
      'one',
    ),
    deployment('defaults are nobody’s: another applies one', { spec: { replicas: 1 } }, 'two'),
    deployment('another applies another', { spec: { replicas: 2 } }, 'three'),
    deployment('merge: a field next to defaults', { spec: { strategy: { rollingUpdate: { maxSurge: 1 } } } }, 'm', '', 'merge'),
    deployment('merge: a default taken away comes back', { spec: { strategy: null, revisionHistoryLimit: null } }, 'm', '', 'merge'),
    deployment('merge: a default written as it is', { spec: { progressDeadlineSeconds: 600 } }, 'm', '', 'merge'),
    deployment(
      'strategic: a container more, defaulted',
      { spec: { template: { spec: { containers: [{ name: 'b', image: 'b' }] } } } },
      's',
      '',
      'strategic',
    ),
    deployment(
      'JSON: a container more, defaulted',
      [{ op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'c', image: 'c' } }],
      'j',
      '',
      'json',
    ),
    edit(deployments, 'diff-apps', 'an update that drops what is defaulted', (object) => {
      delete object.spec.replicas
      delete object.spec.strategy
      delete object.spec.template.spec.dnsPolicy
    }),
    deployment(
      'quantities in several forms',
      pods([{ name: 'a', image: 'a:1', resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 1 } } }]),
      'q',
      '&force=true',
    ),
    deployment(
      'the same quantities in other forms',
      pods([{ name: 'a', image: 'a:1', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1' } } }]),
      'q2',
    ),
    deployment(
      'integers and texts',
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } } } },
      'int',
      '&force=true',
    ),
    deployment('a number with a fraction', { spec: { replicas: 1.5 } }, 'int'),
    deployment(
      'a number with an empty fraction',
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"diff-apps"},"spec":{"replicas":3.0}}',
      'int',
      '&force=true&dryRun=All',
    ),
    deployment(
      'a number that is too large',
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"diff-apps"},"spec":{"replicas":99999999999}}',
      'int',
      '&force=true&dryRun=All',
    ),
    deployment('env by two forms', pods([{ name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }] }]), 'env1'),
    deployment(
      'env by the other form',
      pods([{ name: 'a', image: 'a:1', env: [{ name: 'Z', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }]),
      'env2',
    ),

    // the status and the scale
    patch(
      deployments,
      'diff-apps/status',
      'apply',
      'apply: the status and the spec',
      { metadata: { name: 'diff-apps' }, spec: { replicas: 9 }, status: { replicas: 3 } },
      '?fieldManager=st',
    ),
    patch(
      deployments,
      'diff-apps/status',
      'apply',
      'apply: the status again',
      { metadata: { name: 'diff-apps' }, status: { replicas: 3 } },
      '?fieldManager=st',
    ),
    patch(
      deployments,
      'diff-apps/status',
      'apply',
      'apply: labels by the status',
      { metadata: { name: 'diff-apps', labels: { s: '1' } }, status: { replicas: 3 } },
      '?fieldManager=st',
    ),
    patch(
      deployments,
      'diff-apps/status',
      'apply',
      'apply: conditions by the status',
      { metadata: { name: 'diff-apps' }, status: { replicas: 3, conditions: [{ type: 'Available', status: 'True', reason: 'x', message: 'y' }] } },
      '?fieldManager=st2',
    ),
    patch(
      deployments,
      'diff-apps/status',
      'apply',
      'apply: a status another has',
      { metadata: { name: 'diff-apps' }, status: { replicas: 4 } },
      '?fieldManager=st3',
    ),
    deployment('the status by the object', { status: { replicas: 7 } }, 'st'),
    patch(
      deployments,
      'diff-none/status',
      'apply',
      'apply: the status of nothing',
      { metadata: { name: 'diff-none' }, status: { replicas: 3 } },
      '?fieldManager=st',
    ),
    patch(
      { ...deployments, apiVersion: 'autoscaling/v1', kind: 'Scale' },
      'diff-apps/scale',
      'apply',
      'apply: a scale',
      { metadata: { name: 'diff-apps' }, spec: { replicas: 5 } },
      '?fieldManager=sc',
    ),
    patch(
      { ...deployments, apiVersion: 'autoscaling/v1', kind: 'Scale' },
      'diff-apps/scale',
      'apply',
      'apply: a scale by force',
      { metadata: { name: 'diff-apps' }, spec: { replicas: 5 } },
      '?fieldManager=sc&force=true',
    ),
    patch(
      { ...deployments, apiVersion: 'autoscaling/v1', kind: 'Scale' },
      'diff-apps/scale',
      'apply',
      'apply: the same scale',
      { metadata: { name: 'diff-apps' }, spec: { replicas: 5 } },
      '?fieldManager=sc',
    ),
    patch(
      { ...deployments, apiVersion: 'autoscaling/v1', kind: 'Scale' },
      'diff-apps/scale',
      'apply',
      'apply: another scale by another',
      { metadata: { name: 'diff-apps' }, spec: { replicas: 6 } },
      '?fieldManager=sc2',
    ),
    patch(
      { ...deployments, apiVersion: 'autoscaling/v1', kind: 'Scale' },
      'diff-apps/scale',
      'apply',
      'apply: a scale of wrong type',
      { metadata: { name: 'diff-apps' }, spec: { replicas: 'x' } },
      '?fieldManager=sc',
    ),
    patch(
      { ...deployments, apiVersion: 'autoscaling/v1', kind: 'Scale' },
      'diff-apps/scale',
      'merge',
      'merge: a scale',
      { spec: { replicas: 8 } },
      '?fieldManager=sm',
    ),
    get({ ...deployments, collection: `${deployments.collection}/diff-apps/scale` }, '', 'the scale by now'),
    get(deployments, 'diff-apps', 'the deployment by now'),

    // the names of managers
    map('a manager of 128 bytes', { data: { l: '1' } }, 'x'.repeat(128)),
    map('a manager of 129 bytes', { data: { l: '1' } }, 'x'.repeat(129)),
    map('a manager that cannot be printed', { data: { l: '1' } }, 'a%0Ab'),
    map('a manager with a space', { data: { l: '1' } }, 'a%20b'),
    map('no manager', { data: { l: '1' } }, ''),
    map('force that is none', { data: { l: '1' } }, 'one', '&force=maybe'),
    map('force of a merge patch', { data: { l: '1' } }, 'one', '&force=true', 'merge'),
    map('force that is not of a merge patch', { data: { l: '1' } }, 'one', '&force=false', 'merge'),

    // which object
    map('a stale version', { metadata: { resourceVersion: '1' } }, 'one'),
    map('another uid', { metadata: { uid: one } }, 'one'),
    on(maps, 'diff-none')('a version of what is not there', { metadata: { resourceVersion: '1' } }, 'one'),
    on(maps, 'diff-none')('a uid of what is not there', { metadata: { uid: one } }, 'one'),
    on(maps, 'diff-gen')('a name to generate', { metadata: { generateName: 'x-' } }, 'one'),
    map('a creation time and a self link', { metadata: { creationTimestamp: '2020-01-01T00:00:00Z', selfLink: '/x', generation: 9 } }, 'meta'),
    map('a deletion', { metadata: { deletionTimestamp: '2020-01-01T00:00:00Z', deletionGracePeriodSeconds: 5 } }, 'meta'),
    map('managers as null', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"diff-map","managedFields":null}}', 'nulls'),
    map('no managers', { metadata: { managedFields: [] } }, 'one'),
    map('managers', { metadata: { managedFields: [{ manager: 'x' }] } }, 'one'),
    on(maps, 'diff-dry')('a dry run of what is not there', { data: { a: '1' } }, 'one', '&dryRun=All'),
    get(maps, 'diff-dry', 'what a dry run left'),
    map('a dry run', { data: { a: '7' } }, 'one', '&dryRun=All&force=true'),

    // kubectl: from client-side apply to server-side apply and back
    create(
      maps,
      'diff-kubectl',
      'as kubectl apply creates it',
      { metadata: { name: 'diff-kubectl', annotations: { [lastApplied]: configured({ a: '1', b: '1' }) } }, data: { a: '1', b: '1' } },
      '?fieldManager=kubectl-client-side-apply',
    ),
    kubectl('kubectl applies on the server', { data: { a: '2', b: '1' } }, 'kubectl'),
    kubectl('kubectl applies less', { data: { a: '2' } }, 'kubectl'),
    kubectl(
      'as kubectl apply patches it again',
      { metadata: { annotations: { [lastApplied]: configured({ a: '3', c: '1' }) } }, data: { a: '3', c: '1' } },
      'kubectl-client-side-apply',
      '',
      'strategic',
    ),
    kubectl('another has changed what kubectl applied', { data: { a: '4' } }, 'other', '', 'merge'),
    kubectl('kubectl applies over another', { data: { a: '5', c: '2' } }, 'kubectl'),
    kubectl('kubectl applies over another by force', { data: { a: '5', c: '2' } }, 'kubectl', '&force=true'),
    kubectl('another manager does not inherit', { data: { c: '3' } }, 'ci'),
    kubectl(
      'kubectl with the annotation itself',
      { metadata: { annotations: { [lastApplied]: 'mine', 'example.com/z': '1' } }, data: { a: '5' } },
      'kubectl',
      '&force=true',
    ),
    kubectl('an annotation that is no JSON', { metadata: { annotations: { [lastApplied]: 'nonsense' } } }, 'other', '', 'merge'),
    kubectl('kubectl over an annotation that is no JSON', { data: { a: '6' } }, 'kubectl', '&force=true'),
    kubectl('an empty annotation', { metadata: { annotations: { [lastApplied]: '' } } }, 'other', '', 'merge'),
    kubectl('kubectl over an empty annotation', { data: { a: '7' } }, 'kubectl', '&force=true'),
    kubectl(
      'an annotation of another version',
      { metadata: { annotations: { [lastApplied]: '{"apiVersion":"v9","kind":"ConfigMap","data":{"a":"8"}}' } }, data: { a: '8' } },
      'other',
      '',
      'merge',
    ),
    kubectl('kubectl over an annotation of another version', { data: { a: '9' } }, 'kubectl'),
    get(maps, 'diff-kubectl', 'what kubectl has by now'),

    // managers that are sent
    edit(
      maps,
      'diff-kubectl',
      'managers reset by an empty list',
      managersOf(() => []),
    ),
    edit(maps, 'diff-kubectl', 'an update without managers', (object) => {
      object.data.u = '1'
    }),
    kubectl('apply after a reset', { data: { v: '1', u: '2' } }, 'one'),
    kubectl('apply after a reset, by force', { data: { v: '1', u: '2' } }, 'one', '&force=true'),
    kubectl('managers reset by an empty entry, merge', { metadata: { managedFields: [{}] } }, 'one', '', 'merge'),
    kubectl('apply after another reset', { data: { v: '1' } }, 'two'),
    edit(
      maps,
      'diff-kubectl',
      'an entry less',
      managersOf((entries) => entries.slice(1)),
    ),
    edit(
      maps,
      'diff-kubectl',
      'an entry whose manager is another',
      managersOf((entries) => entries.map((entry) => ({ ...entry, manager: 'renamed' }))),
    ),
    edit(
      maps,
      'diff-kubectl',
      'managers as null in an update',
      managersOf(() => null),
    ),
    edit(
      maps,
      'diff-kubectl',
      'an operation that is none',
      managersOf((entries) => entries.map((entry) => ({ ...entry, operation: 'Explode' }))),
    ),
    edit(
      maps,
      'diff-kubectl',
      'a type of fields that is none',
      managersOf((entries) => entries.map((entry) => ({ ...entry, fieldsType: 'FieldsV2' }))),
    ),
    edit(
      maps,
      'diff-kubectl',
      'no type of fields',
      managersOf((entries) => entries.map((entry) => ({ ...entry, fieldsType: undefined }))),
    ),
    edit(
      maps,
      'diff-kubectl',
      'no version',
      managersOf((entries) => entries.map((entry) => ({ ...entry, apiVersion: undefined }))),
    ),
    edit(
      maps,
      'diff-kubectl',
      'fields that are none',
      managersOf((entries) => entries.map((entry) => ({ ...entry, fieldsV1: { nonsense: {} } }))),
    ),
    edit(
      maps,
      'diff-kubectl',
      'fields that are a text',
      managersOf((entries) => entries.map((entry) => ({ ...entry, fieldsV1: 'x' }))),
    ),
    edit(
      maps,
      'diff-kubectl',
      'fields of values and indices',
      managersOf((entries) => [
        ...entries,
        {
          manager: 'index',
          operation: 'Update',
          apiVersion: 'v1',
          time: '2020-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'i:0': {}, 'v:1': {}, 'v:"a"': {}, 'f:e': {}, '.': {} } },
        },
      ]),
    ),
    edit(
      maps,
      'diff-kubectl',
      'a version that is not served',
      managersOf((entries) => [
        ...entries,
        {
          manager: 'old',
          operation: 'Update',
          apiVersion: 'v0',
          time: '2020-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'f:v': {} } },
        },
      ]),
    ),
    edit(maps, 'diff-kubectl', 'an update after a version that is not served', (object) => {
      object.data.w = '1'
    }),
    edit(
      maps,
      'diff-kubectl',
      'a version that is not served, applied',
      managersOf((entries) => [
        ...entries,
        {
          manager: 'oldapply',
          operation: 'Apply',
          apiVersion: 'v0',
          time: '2020-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'f:v': {} } },
        },
      ]),
    ),
    kubectl('apply over a version that is not served', { data: { v: '9' } }, 'three'),
    kubectl('apply by a manager whose version is not served', { data: { x: '9' } }, 'oldapply'),
    edit(
      maps,
      'diff-kubectl',
      'an entry twice',
      managersOf((entries) => [...entries, ...entries]),
    ),
    edit(
      maps,
      'diff-kubectl',
      'an entry without a time and a manager',
      managersOf((entries) => [...entries, { operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:t': {} } } }]),
    ),
    edit(
      maps,
      'diff-kubectl',
      'an entry with a long manager',
      managersOf((entries) => [
        ...entries,
        {
          manager: 'm'.repeat(129),
          operation: 'Update',
          apiVersion: 'v1',
          time: '2020-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'f:t': {} } },
        },
      ]),
    ),
    edit(
      maps,
      'diff-kubectl',
      'an entry without fields',
      managersOf((entries) => [
        ...entries,
        { manager: 'empty', operation: 'Update', apiVersion: 'v1', time: '2020-01-01T00:00:00Z', fieldsType: 'FieldsV1' },
      ]),
    ),
    create(maps, 'diff-sent', 'a create with managers', {
      metadata: {
        name: 'diff-sent',
        managedFields: [
          {
            manager: 'sent',
            operation: 'Apply',
            apiVersion: 'v1',
            time: '2020-01-01T00:00:00Z',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { 'f:a': {} } },
          },
        ],
      },
      data: { a: '1', b: '1' },
    }),
    create(maps, 'diff-sent-none', 'a create with no managers', { metadata: { name: 'diff-sent-none', managedFields: [] }, data: { a: '1' } }),
    create(maps, 'diff-sent-bad', 'a create with a bad manager', {
      metadata: { name: 'diff-sent-bad', managedFields: [{ manager: 'sent', operation: 'Explode' }] },
      data: { a: '1' },
    }),

    // writes that change nothing
    create(maps, 'diff-still', 'an object to leave as it is', { data: { a: '1' } }, '?fieldManager=first'),
    edit(maps, 'diff-still', 'an update that changes nothing', () => {}),
    on(maps, 'diff-still')('a merge patch that changes nothing', { data: { a: '1' } }, 'second', '', 'merge'),
    on(maps, 'diff-still')('a JSON patch that changes nothing', [{ op: 'replace', path: '/data/a', value: '1' }], 'second', '', 'json'),
    on(maps, 'diff-still')('an apply of what is there', { data: { a: '1' } }, 'third'),
    on(maps, 'diff-still')('the same apply', { data: { a: '1' } }, 'third'),
    edit(maps, 'diff-still', 'an update that changes nothing after an apply', () => {}),
    ...Array.from({ length: 12 }, (_, i) =>
      on(maps, 'diff-still')(`updater ${i}`, { data: { [`u${i % 7}`]: String(i) } }, `updater-${i}`, '', 'merge'),
    ),
    on(maps, 'diff-still')('an apply of nothing', {}, 'third'),
  ]
}
