import type { Step } from '../step.ts'
import { create, edit, get, kindIn, patch, remove } from '../step.ts'

/** Bindings, evictions, scales, logs and reviews; and how pods and others go. */
export function subresources(namespace: string): Step[] {
  const pods = kindIn(namespace, 'v1', 'Pod', 'pods')
  const deployments = kindIn(namespace, 'apps/v1', 'Deployment', 'deployments')
  const jobs = kindIn(namespace, 'batch/v1', 'Job', 'jobs')
  const maps = kindIn(namespace, 'v1', 'ConfigMap', 'configmaps')
  const accounts = kindIn(namespace, 'v1', 'ServiceAccount', 'serviceaccounts')
  const namespaces = kindIn(undefined, 'v1', 'Namespace', 'namespaces')
  const requests = kindIn(undefined, 'certificates.k8s.io/v1', 'CertificateSigningRequest', 'certificatesigningrequests')
  const spec = { containers: [{ name: 'a', image: 'a:1' }], terminationGracePeriodSeconds: 30 }
  const post = (title: string, path: string, body: unknown): Step => ({ name: title, method: 'POST', path, body })
  const put = (title: string, path: string, body: unknown): Step => ({ name: title, method: 'PUT', path, body })
  const pod = (name: string) => `${pods.collection}/${name}`
  const bind = (title: string, name: string, target: unknown, more: object = {}) =>
    post(title, `${pod(name)}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target, ...more })
  const evict = (title: string, name: string, more: object = {}) =>
    post(title, `${pod(name)}/eviction`, { apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata: { name }, ...more })
  const workload = { spec: { selector: { matchLabels: { app: 'a' } }, template: { metadata: { labels: { app: 'a' } }, spec } } }
  const scale = (more: object) => ({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'diff-d' }, ...more })
  const review = (title: string, path: string, apiVersion: string, kind: string, body: object) => post(title, path, { apiVersion, kind, ...body })
  const authorization = '/apis/authorization.k8s.io/v1'
  const access = { namespace, verb: 'get', resource: 'pods' }
  return [
    create(pods, 'diff-p', 'a pod', { spec, metadata: { labels: { app: 'x' } } }),
    bind('bind to nothing', 'diff-p', {}),
    bind('bind without a target', 'diff-p', undefined),
    bind('bind to what is no node', 'diff-p', { kind: 'Pod', name: 'n' }),
    bind('bind to a bad name', 'diff-p', { kind: 'Node', name: 'Bad_Name' }),
    bind('bind what is not there', 'diff-none', { kind: 'Node', name: 'n' }),
    bind('bind by another name', 'diff-p', { kind: 'Node', name: 'n' }, { metadata: { name: 'other' } }),
    bind(
      'bind another pod of that name',
      'diff-p',
      { kind: 'Node', name: 'n' },
      { metadata: { name: 'diff-p', uid: '11111111-1111-1111-1111-111111111111' } },
    ),
    bind('bind', 'diff-p', { kind: 'Node', name: 'diff-node' }, { metadata: { name: 'diff-p', annotations: { a: 'b' } } }),
    bind('bind again', 'diff-p', { kind: 'Node', name: 'diff-node' }),
    bind('bind elsewhere', 'diff-p', { kind: 'Node', name: 'other' }),
    get(pods, 'diff-p', 'a pod that is bound'),
    { name: 'log of a pod whose node is not there', method: 'GET', path: `${pod('diff-p')}/log` },
    { name: 'log of a container that is not there', method: 'GET', path: `${pod('diff-p')}/log?container=zzz` },
    { name: 'log with bad options', method: 'GET', path: `${pod('diff-p')}/log?tailLines=-1&limitBytes=0&sinceSeconds=0` },
    { name: 'log with two starts', method: 'GET', path: `${pod('diff-p')}/log?sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z` },
    { name: 'log of a pod that is not there', method: 'GET', path: `${pod('diff-none')}/log` },
    create(pods, 'diff-unbound', 'a pod that waits', { spec }),
    { name: 'log of a pod that waits', method: 'GET', path: `${pod('diff-unbound')}/log` },
    { name: 'exec in a pod that waits', method: 'POST', path: `${pod('diff-unbound')}/exec?command=x&stdout=1` },
    { name: 'exec without a command', method: 'POST', path: `${pod('diff-p')}/exec?stdout=1` },
    { name: 'exec without streams', method: 'POST', path: `${pod('diff-p')}/exec?command=x` },
    { name: 'exec in a container that is not there', method: 'POST', path: `${pod('diff-p')}/exec?command=x&stdout=1&container=zzz` },
    { name: 'attach to a pod that is not there', method: 'POST', path: `${pod('diff-none')}/attach?stdout=1` },
    { name: 'port-forward to a pod that is not there', method: 'POST', path: `${pod('diff-none')}/portforward` },
    // graceful deletion
    remove(pods, 'diff-unbound', 'delete a pod that waits'),
    remove(pods, 'diff-p', 'delete a pod, gracefully'),
    remove(pods, 'diff-p', 'delete it again'),
    remove(pods, 'diff-p', 'delete it sooner', { gracePeriodSeconds: 5 }),
    remove(pods, 'diff-p', 'delete it later', { gracePeriodSeconds: 50 }),
    patch(pods, 'diff-p', 'merge', 'add a finalizer while it goes', { metadata: { finalizers: ['example.com/late'] } }),
    patch(pods, 'diff-p', 'merge', 'change a label while it goes', { metadata: { labels: { late: 'yes' } } }),
    bind('bind while it goes', 'diff-p', { kind: 'Node', name: 'diff-node' }),
    remove(pods, 'diff-p', 'delete it at once', { gracePeriodSeconds: 0 }),
    get(pods, 'diff-p', 'a pod that is gone'),
    // finalizers and dependents
    create(maps, 'diff-held', 'an object with a finalizer', { metadata: { finalizers: ['example.com/hold'] } }),
    remove(maps, 'diff-held', 'delete what is held'),
    remove(maps, 'diff-held', 'delete what is held, again'),
    create(maps, 'diff-held', 'create what is being deleted', {}),
    patch(maps, 'diff-held', 'merge', 'let it go', { metadata: { finalizers: null } }),
    get(maps, 'diff-held', 'what was let go'),
    create(maps, 'diff-f', 'an object to be deleted in the foreground', {}),
    remove(maps, 'diff-f', 'delete in the foreground', { propagationPolicy: 'Foreground' }),
    remove(maps, 'diff-f', 'then in the background', { propagationPolicy: 'Background' }),
    create(maps, 'diff-o', 'an object whose dependents stay', {}),
    remove(maps, 'diff-o', 'delete and leave the dependents', { propagationPolicy: 'Orphan' }),
    remove(maps, 'diff-o', 'delete and leave the dependents, by the old option', { orphanDependents: false }),
    create(jobs, 'diff-j', 'a job', { spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } }),
    remove(jobs, 'diff-j', 'delete a job without saying how'),
    // evictions
    create(pods, 'diff-e', 'a pod to evict', { spec }),
    evict('evict what is not there', 'diff-none'),
    evict('evict by another name', 'diff-e', { metadata: { name: 'other' } }),
    evict('evict, dry run', 'diff-e', { deleteOptions: { dryRun: ['All'] } }),
    evict('evict another pod of that name', 'diff-e', { deleteOptions: { preconditions: { uid: '11111111-1111-1111-1111-111111111111' } } }),
    evict('evict', 'diff-e'),
    // scales
    create(deployments, 'diff-d', 'a deployment', workload),
    get(deployments, 'diff-none/scale', 'the scale of what is not there'),
    put('a scale without a name', `${deployments.collection}/diff-d/scale`, scale({ metadata: {}, spec: { replicas: 2 } })),
    put('a scale by another name', `${deployments.collection}/diff-d/scale`, scale({ metadata: { name: 'other' }, spec: { replicas: 2 } })),
    put('a scale of another kind', `${deployments.collection}/diff-d/scale`, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'diff-d' } }),
    put('a scale below zero', `${deployments.collection}/diff-d/scale`, scale({ metadata: { name: 'diff-d', namespace }, spec: { replicas: -3 } })),
    put(
      'a stale scale',
      `${deployments.collection}/diff-d/scale`,
      scale({ metadata: { name: 'diff-d', namespace, resourceVersion: '1' }, spec: { replicas: 3 } }),
    ),
    put('a scale', `${deployments.collection}/diff-d/scale`, scale({ metadata: { name: 'diff-d', namespace }, spec: { replicas: 3 } })),
    put('a scale to none', `${deployments.collection}/diff-d/scale`, scale({ metadata: { name: 'diff-d', namespace } })),
    patch(deployments, 'diff-d/scale', 'json', 'a scale by JSON patch', [{ op: 'replace', path: '/spec/replicas', value: 2 }]),
    patch(deployments, 'diff-d/scale', 'merge', 'a scale by a text', { spec: { replicas: 'x' } }),
    edit(deployments, 'diff-d/status', 'a status that changes the spec', (object) => {
      object.spec.replicas = 9
      object.status = { replicas: 2, observedGeneration: 1 }
    }),
    put('a status by another name', `${deployments.collection}/diff-d/status`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'other' },
    }),
    put('a status of what is not there', `${deployments.collection}/diff-none/status`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'diff-none' },
    }),
    // tokens
    post('a token', `${accounts.collection}/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['a'], expirationSeconds: 5 },
    }),
    post('a token that lasts too long', `${accounts.collection}/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 4294967297 },
    }),
    post('a token of what is not there', `${accounts.collection}/diff-none/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    }),
    post('a token bound to what is not there', `${accounts.collection}/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'diff-none' } },
    }),
    post('a token bound to another kind', `${accounts.collection}/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } },
    }),
    // reviews
    review('a review of oneself', `${authorization}/selfsubjectaccessreviews`, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview', {
      spec: { resourceAttributes: access },
    }),
    review('a review of oneself, a path', `${authorization}/selfsubjectaccessreviews`, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview', {
      spec: { nonResourceAttributes: { path: '/x', verb: 'get' } },
    }),
    review('a review of nothing', `${authorization}/selfsubjectaccessreviews`, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview', { spec: {} }),
    review('a review of both', `${authorization}/selfsubjectaccessreviews`, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview', {
      spec: { resourceAttributes: access, nonResourceAttributes: { path: '/x', verb: 'get' } },
    }),
    review('a review with metadata', `${authorization}/selfsubjectaccessreviews`, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview', {
      metadata: { name: 'x' },
      spec: { resourceAttributes: access },
    }),
    review('a review of another', `${authorization}/subjectaccessreviews`, 'authorization.k8s.io/v1', 'SubjectAccessReview', {
      spec: { user: 'somebody', resourceAttributes: access },
    }),
    review('a review of a group', `${authorization}/subjectaccessreviews`, 'authorization.k8s.io/v1', 'SubjectAccessReview', {
      spec: { groups: ['system:masters'], resourceAttributes: access },
    }),
    review('a review of nobody', `${authorization}/subjectaccessreviews`, 'authorization.k8s.io/v1', 'SubjectAccessReview', {
      spec: { resourceAttributes: access },
    }),
    review(
      'a local review',
      `${authorization}/namespaces/${namespace}/localsubjectaccessreviews`,
      'authorization.k8s.io/v1',
      'LocalSubjectAccessReview',
      { metadata: { namespace }, spec: { user: 'somebody', resourceAttributes: access } },
    ),
    review(
      'a local review of elsewhere',
      `${authorization}/namespaces/${namespace}/localsubjectaccessreviews`,
      'authorization.k8s.io/v1',
      'LocalSubjectAccessReview',
      { metadata: { namespace }, spec: { user: 'somebody', resourceAttributes: { ...access, namespace: 'other' } } },
    ),
    review('the rules of oneself nowhere', `${authorization}/selfsubjectrulesreviews`, 'authorization.k8s.io/v1', 'SelfSubjectRulesReview', {
      spec: {},
    }),
    review('a token that is none', '/apis/authentication.k8s.io/v1/tokenreviews', 'authentication.k8s.io/v1', 'TokenReview', {
      spec: { token: 'nonsense' },
    }),
    review('no token', '/apis/authentication.k8s.io/v1/tokenreviews', 'authentication.k8s.io/v1', 'TokenReview', { spec: {} }),
    review('a good token', '/apis/authentication.k8s.io/v1/tokenreviews', 'authentication.k8s.io/v1', 'TokenReview', {
      spec: { token: 'admintoken' },
    }),
    // namespaces
    create(namespaces, 'diff-other', 'a namespace', {}),
    { name: 'delete a namespace', method: 'DELETE', path: '/api/v1/namespaces/diff-other' },
    { name: 'delete a namespace again', method: 'DELETE', path: '/api/v1/namespaces/diff-other' },
    post('create where the namespace goes', '/api/v1/namespaces/diff-other/configmaps', { metadata: { name: 'x' } }),
    put('finalize by another name', '/api/v1/namespaces/diff-other/finalize', { metadata: { name: 'x' }, spec: { finalizers: [] } }),
    put('finalize', '/api/v1/namespaces/diff-other/finalize', { metadata: { name: 'diff-other' }, spec: { finalizers: [] } }),
    get(namespaces, 'diff-other', 'a namespace that is gone'),
    { name: 'delete the default namespace', method: 'DELETE', path: '/api/v1/namespaces/default' },
    { name: 'delete the system namespace', method: 'DELETE', path: '/api/v1/namespaces/kube-system' },
    // certificates
    put('approve what is not there', `${requests.collection}/diff-none/approval`, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'diff-none' },
      spec: {},
    }),
    // field selectors of kinds that have some
    ...[
      [
        'pods',
        'spec.nodeName=n,status.phase!=Running,spec.restartPolicy=Always,spec.schedulerName=x,spec.serviceAccountName=x,status.podIP=x,status.nominatedNodeName=x',
      ],
      ['pods', 'spec.hostname=x'],
      ['events', 'involvedObject.kind=Pod,involvedObject.name=x,reason=R,type=Normal,source=x,reportingComponent=x,involvedObject.fieldPath=x'],
      ['events', 'message=x'],
      ['secrets', 'type=Opaque'],
      ['secrets', 'data=x'],
      ['replicationcontrollers', 'status.replicas=1'],
      ['services', 'metadata.name=x'],
    ].map(([plural, selector]): Step => ({
      name: `list ${plural} where ${selector}`,
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/${plural}?fieldSelector=${encodeURIComponent(selector!)}`,
    })),
    {
      name: 'list nodes where spec.unschedulable=true',
      method: 'GET',
      path: '/api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue%2Cmetadata.name%3Dnone',
    },
    { name: 'list namespaces where status.phase=Odd', method: 'GET', path: '/api/v1/namespaces?fieldSelector=status.phase%3DOdd' },
    { name: 'list jobs where status.successful=7', method: 'GET', path: `${jobs.collection}?fieldSelector=status.successful%3D7` },
    { name: 'list requests where spec.signerName=x', method: 'GET', path: `${requests.collection}?fieldSelector=spec.signerName%3Dx` },
  ]
}
