import type { Step } from '../step.ts'
import { create, edit, get, kindIn, patch, remove } from '../step.ts'

/** Admission policies: what they match, say, warn, need and change. */
export function policies(namespace: string): Step[] {
  const group = 'admissionregistration.k8s.io/v1'
  const kinds = {
    validating: kindIn(undefined, group, 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies'),
    validatingBinding: kindIn(undefined, group, 'ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings'),
    mutating: kindIn(undefined, group, 'MutatingAdmissionPolicy', 'mutatingadmissionpolicies'),
    mutatingBinding: kindIn(undefined, group, 'MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings'),
  }
  const maps = kindIn(namespace, 'v1', 'ConfigMap', 'configmaps')
  const secrets = kindIn(namespace, 'v1', 'Secret', 'secrets')
  const deployments = kindIn(namespace, 'apps/v1', 'Deployment', 'deployments')
  const leases = kindIn(namespace, 'coordination.k8s.io/v1', 'Lease', 'leases')

  const rules = (resources: string[], more: object = {}) => ({
    resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE', 'UPDATE', 'DELETE'], resources, ...more }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  })

  const changes = { operations: ['CREATE', 'UPDATE'] }

  const applied = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } })
  const patched = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })

  let probes = 0
  /** Sent until the policies before it are known to the server: it denies what the request creates. */
  const known = (title: string): Step[] => {
    const name = `diff-probe-${++probes}`
    const probe = { ...rules(['configmaps'], changes), objectSelector: { matchLabels: { probe: name } } }
    return [
      create(kinds.mutating, name, `${title}: a probe that changes`, {
        spec: {
          matchConstraints: probe,
          reinvocationPolicy: 'Never',
          mutations: [patched("[JSONPatch{op: 'add', path: '/metadata/labels/changed', value: 'yes'}]")],
        },
      }),
      create(kinds.mutatingBinding, name, `${title}: the binding of the probe that changes`, { spec: { policyName: name } }),
      create(kinds.validating, name, `${title}: a probe that denies`, {
        spec: { matchConstraints: probe, validations: [{ expression: "!('changed' in object.metadata.labels)", message: `${name} is known` }] },
      }),
      create(kinds.validatingBinding, name, `${title}: the binding of the probe that denies`, {
        spec: { policyName: name, validationActions: ['Deny'] },
      }),
      {
        ...create(maps, name, `${title}: the probe answers`, { metadata: { name, labels: { probe: name } } }, '?dryRun=All'),
        until: `${name} is known`,
      },
    ]
  }

  /** The probe is nobody else’s to judge. */
  const sparing = (constraints: object) => ({
    ...constraints,
    excludeResourceRules: [
      ...((constraints as { excludeResourceRules?: object[] }).excludeResourceRules ?? []),
      { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'], resourceNames: [`diff-probe-${probes + 1}`] },
    ],
  })

  const validating = (title: string, spec: object, requests: Step[], binding: object = {}): Step[] => {
    const name = `diff-${title.replaceAll(/[^a-z0-9]+/g, '-')}`
    return [
      create(kinds.validating, name, `validation ${title}: a policy`, {
        spec: { ...spec, matchConstraints: sparing((spec as { matchConstraints?: object }).matchConstraints ?? rules(['configmaps'])) },
      }),
      create(kinds.validatingBinding, name, `validation ${title}: a binding`, {
        spec: { policyName: name, validationActions: ['Deny'], ...binding },
      }),
      ...known(`validation ${title}`),
      ...requests.map((step) => ({ ...step, name: `validation ${title}: ${step.name}` })),
      remove(kinds.validatingBinding, name, `validation ${title}: DELETE of the binding`),
      remove(kinds.validating, name, `validation ${title}: DELETE of the policy`),
    ]
  }
  const mutating = (title: string, spec: object, requests: Step[], binding: object = {}): Step[] => {
    const name = `diff-${title.replaceAll(/[^a-z0-9]+/g, '-')}`
    return [
      create(kinds.mutating, name, `mutation ${title}: a policy`, {
        spec: {
          reinvocationPolicy: 'Never',
          ...spec,
          matchConstraints: sparing((spec as { matchConstraints?: object }).matchConstraints ?? rules(['configmaps'], changes)),
        },
      }),
      create(kinds.mutatingBinding, name, `mutation ${title}: a binding`, { spec: { policyName: name, ...binding } }),
      ...known(`mutation ${title}`),
      ...requests.map((step) => ({ ...step, name: `mutation ${title}: ${step.name}` })),
      remove(kinds.mutatingBinding, name, `mutation ${title}: DELETE of the binding`),
      remove(kinds.mutating, name, `mutation ${title}: DELETE of the policy`),
    ]
  }

  let count = 0
  const map = (title: string, rest: object = {}, query = '') => create(maps, `diff-map-${++count}`, title, rest as Record<string, unknown>, query)
  const one = (expression: string, more: object = {}) => ({ validations: [{ expression, ...more }] })
  const deployment = (name: string, title: string, spec: object = {}) =>
    create(deployments, name, title, {
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
        ...spec,
      },
    })

  return [
    // what is said
    ...validating('says', one("'ok' in object.data"), [
      map('what holds', { data: { ok: '1' } }),
      map('what does not', { data: {} }),
      map('what fails'),
    ]),
    ...validating('says a message', one("has(object.data) && 'ok' in object.data", { message: 'not ok' }), [map('denied')]),
    ...validating('says why', one('has(object.data)', { message: 'no', reason: 'Forbidden' }), [map('forbidden')]),
    ...validating('says too large', one('has(object.data)', { reason: 'RequestEntityTooLarge' }), [map('too large')]),
    ...validating('says invalid', one('has(object.data)', { reason: 'Invalid' }), [map('invalid')]),
    ...validating('says an expression', one('has(object.data)', { messageExpression: "object.metadata.name + ' has no data'" }), [map('computed')]),
    ...validating('says a bad expression', one('has(object.data)', { message: 'plain', messageExpression: 'string(object.data.x)' }), [
      map('the plain message'),
    ]),
    ...validating('says a bad expression alone', one('has(object.data)', { messageExpression: 'string(object.data.x)' }), [map('the expression')]),
    ...validating('says an empty text', one('has(object.data)', { messageExpression: "''", message: 'plain' }), [map('the plain one')]),
    ...validating('says two lines', one('has(object.data)', { messageExpression: "'a\\nb'", message: 'plain' }), [map('the plain one too')]),
    ...validating(
      'says too much',
      one('has(object.data)', { messageExpression: `'${'x'.repeat(2000)}' + '${'y'.repeat(4000)}'`, message: 'plain' }),
      [map('plain')],
    ),
    ...validating('says spaces', one('has(object.data)', { messageExpression: "'  a  '" }), [map('trimmed')]),
    ...validating(
      'says more than one',
      { validations: [{ expression: 'has(object.data)', message: 'first' }, { expression: 'true' }, { expression: 'has(object.binaryData)', message: 'second', reason: 'Forbidden' }] }, // prettier-ignore
      [map('two causes'), map('one cause', { data: { a: '1' } })],
    ),
    ...validating('has long expressions', one('has(object.data) &&\n  object.data.size() > 1'), [map('with lines', { data: { a: '1' } })]),
    // what fails
    ...validating('fails', one('object.data.x == 1'), [
      map('missing'),
      map('missing again', { data: {} }),
      map('of another type', { data: { x: '1' } }),
    ]),
    ...validating('is ignored', { failurePolicy: 'Ignore', ...one('object.data.x == 1') }, [
      map('passes'),
      map('is still denied', { data: { x: 'y' } }),
    ]),
    ...validating('costs too much', one("'x'.matches('x') && [1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, true))))))"), [map('too much')]), // prettier-ignore
    ...validating('fails in a variable', { variables: [{ name: 'x', expression: 'object.data.x' }], ...one("variables.x == '1'") }, [
      map('missing'),
      map('there', { data: { x: '1' } }),
    ]),
    ...validating('does not need a variable', { variables: [{ name: 'x', expression: 'object.data.x' }], ...one("true || variables.x == '1'") }, [
      map('not evaluated'),
    ]),
    ...validating('fails in a condition', { matchConditions: [{ name: 'c', expression: "object.data.x == '1'" }], ...one('false') }, [map('fails')]),
    ...validating(
      'ignores a condition',
      { failurePolicy: 'Ignore', matchConditions: [{ name: 'c', expression: "object.data.x == '1'" }], ...one('false') },
      [map('passes')],
    ),
    ...validating('has conditions', { matchConditions: [{ name: 'c', expression: 'has(object.data)' }, { name: 'd', expression: "object.data.size() > 1" }], ...one('false', { message: 'matched' }) }, [map('no match'), map('half', { data: { a: '1' } }), map('both', { data: { a: '1', b: '2' } })]), // prettier-ignore
    ...validating(
      'has a false condition',
      {
        matchConditions: [
          { name: 'c', expression: 'object.data.x == 1' },
          { name: 'd', expression: 'false' },
        ],
        ...one('false'),
      },
      [map('the false one decides')],
    ),
    // actions
    ...validating('warns', one('has(object.data)', { message: 'no data' }), [map('a warning'), map('no warning', { data: { a: '1' } })], {
      validationActions: ['Warn'],
    }),
    ...validating('warns and audits', one('object.data.x == "1"'), [map('a warning of a failure')], { validationActions: ['Warn', 'Audit'] }),
    ...validating('audits', { ...one('has(object.data)', { message: 'no data' }), auditAnnotations: [{ key: 'k', valueExpression: "'v'" }] }, [map('silence')], { validationActions: ['Audit'] }), // prettier-ignore
    ...validating('denies and audits', { ...one('has(object.data)', { message: 'no data' }), auditAnnotations: [{ key: 'k', valueExpression: 'string(object.data.x)' }] }, [map('denied', { data: {} }), map('denied too')], { validationActions: ['Deny', 'Audit'] }), // prettier-ignore
    ...validating('annotates alone', { auditAnnotations: [{ key: 'k', valueExpression: "has(object.data) ? '' : 'none'" }] }, [map('passes')]),
    ...validating('annotates with a failure', { auditAnnotations: [{ key: 'k', valueExpression: 'string(object.data.x)' }] }, [map('denied')]),
    ...validating('ignores an annotation', { failurePolicy: 'Ignore', auditAnnotations: [{ key: 'k', valueExpression: 'string(object.data.x)' }] }, [
      map('passes'),
    ]),
    // the request
    ...validating(
      'sees the request',
      one('false', {
        messageExpression:
          "[request.operation, request.name, request.namespace, request.kind.group, request.kind.version, request.kind.kind, request.resource.resource, request.subResource, request.requestKind.kind, request.requestResource.resource, request.userInfo.username, string(request.dryRun), string('system:masters' in request.userInfo.groups), string(has(request.options))].join('|')",
      }),
      [map('of a create'), map('of a dry run', {}, '?dryRun=All')],
    ),
    ...known('before an object for updates'),
    map('an object for updates', { data: { a: '1' }, metadata: { name: 'diff-updated', labels: { a: 'b' } } }),
    ...validating(
      'sees the old object',
      one("request.operation != 'UPDATE' || object.data.a == oldObject.data.a", { messageExpression: "oldObject.data.a + ' to ' + object.data.a" }),
      [
        // prettier-ignore
        edit(maps, 'diff-updated', 'an update', (object) => ((object.data ??= {}).a = '2')),
        edit(maps, 'diff-updated', 'an update of another field', (object) => ((object.data ??= {}).b = '2')),
        patch(maps, 'diff-updated', 'merge', 'a merge patch', { data: { a: '3' } }),
        patch(maps, 'diff-updated', 'json', 'a JSON patch', [{ op: 'replace', path: '/data/a', value: '4' }]),
        patch(maps, 'diff-updated', 'apply', 'an apply', { metadata: { name: 'diff-updated' }, data: { a: '5' } }, '?fieldManager=m&force=true'),
        patch(maps, 'diff-new', 'apply', 'an apply that creates', { metadata: { name: 'diff-new' }, data: { a: '5' } }, '?fieldManager=m'),
      ],
    ),
    ...validating(
      'sees a delete',
      one("request.operation != 'DELETE' || (object == null && oldObject.data.a == 'x')", {
        messageExpression: "oldObject.metadata.name + ' stays'",
      }),
      [
        // prettier-ignore
        remove(maps, 'diff-updated', 'a delete'),
        remove(maps, 'diff-updated', 'a dry delete', { dryRun: ['All'] }),
        { name: 'a delete of a collection', method: 'DELETE', path: `${maps.collection}?labelSelector=a%3Db` },
        remove(maps, 'diff-not-there', 'a delete of nothing'),
      ],
    ),
    ...validating('sees the namespace', one(`namespaceObject.metadata.name == 'nope'`, { messageExpression: "'in ' + namespaceObject.metadata.name" }), [map('its name')]), // prettier-ignore
    ...validating(
      'asks the authorizer',
      one("!authorizer.group('').resource('pods').namespace('x').check('create').allowed()", { message: 'allowed' }),
      [map('allowed')],
    ),
    ...validating('asks for another', one("authorizer.serviceAccount('x', 'y').group('').resource('pods').namespace('x').check('create').allowed()", { message: 'not allowed' }), [map('not allowed')]), // prettier-ignore
    ...validating('asks about the request', one("!authorizer.requestResource.check('delete').allowed() || !authorizer.path('/healthz').check('get').allowed()", { message: 'allowed' }), [map('allowed')]), // prettier-ignore
    // what is matched
    ...validating('matches operations', { matchConstraints: rules(['configmaps'], { operations: ['UPDATE'] }), ...one('false', { message: 'matched' }) }, [map('a create'), edit(maps, 'diff-updated', 'an update', (object) => ((object.data ??= {}).c = '1'))]), // prettier-ignore
    ...validating('matches names', { matchConstraints: rules(['configmaps'], { resourceNames: ['diff-named'] }), ...one('false', { message: 'matched' }) }, [map('another'), map('this', { metadata: { name: 'diff-named' } })]), // prettier-ignore
    ...validating('matches labels', { matchConstraints: { ...rules(['configmaps']), objectSelector: { matchLabels: { on: 'yes' } } }, ...one('false', { message: 'matched' }) }, [map('without'), map('with', { metadata: { name: 'diff-l', labels: { on: 'yes' } } }), edit(maps, 'diff-updated', 'an update that sets it', (object) => (object.metadata.labels = { on: 'yes' }))]), // prettier-ignore
    ...validating(
      'matches namespaces',
      {
        matchConstraints: { ...rules(['configmaps']), namespaceSelector: { matchExpressions: [{ key: 'nope', operator: 'Exists' }] } },
        ...one('false'),
      },
      [map('not this')],
    ),
    ...validating('excludes', { matchConstraints: { ...rules(['*']), excludeResourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['secrets'] }] }, ...one('false', { message: 'matched' }) }, [map('included'), create(secrets, 'diff-s', 'excluded')]), // prettier-ignore
    ...validating(
      'is bound to less',
      one('false', { message: 'matched' }),
      [map('no'), map('yes', { metadata: { name: 'diff-b', labels: { on: 'yes' } } })],
      { matchResources: { objectSelector: { matchLabels: { on: 'yes' } } } },
    ),
    ...validating('is bound by rules', one('false', { message: 'matched' }), [map('no')], {
      matchResources: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments'] }] },
    }),
    ...validating(
      'matches groups',
      {
        matchConstraints: rules(['deployments'], { apiGroups: ['apps'], apiVersions: ['v1'] }),
        ...one('object.spec.replicas <= 3', { messageExpression: "'replicas ' + string(object.spec.replicas)" }),
      },
      [
        // prettier-ignore
        deployment('diff-few', 'few'),
        deployment('diff-many', 'many', { replicas: 5 }),
        patch(deployments, 'diff-few', 'strategic', 'a strategic patch', { spec: { replicas: 9 } }),
        { name: 'the scale is not matched', method: 'PATCH', path: `${deployments.collection}/diff-few/scale`, headers: { 'content-type': 'application/merge-patch+json' }, body: { spec: { replicas: 9 } } }, // prettier-ignore
        { name: 'the status is not matched', method: 'PATCH', path: `${deployments.collection}/diff-few/status`, headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { observedGeneration: 1 } } }, // prettier-ignore
      ],
    ),
    ...validating(
      'matches subresources',
      {
        matchConstraints: rules(['deployments/scale', 'deployments/status']),
        ...one('false', { messageExpression: "request.subResource + ' ' + object.kind" }),
      },
      [
        // prettier-ignore
        { name: 'the scale', method: 'PATCH', path: `${deployments.collection}/diff-few/scale`, headers: { 'content-type': 'application/merge-patch+json' }, body: { spec: { replicas: 2 } } }, // prettier-ignore
        { name: 'the status', method: 'PATCH', path: `${deployments.collection}/diff-few/status`, headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { observedGeneration: 2 } } }, // prettier-ignore
        patch(deployments, 'diff-few', 'merge', 'not the object', { metadata: { labels: { x: 'y' } } }),
      ],
    ),
    ...validating('sees types', { matchConstraints: rules(['deployments']), ...one("false", { messageExpression: "[type(object.spec.replicas) == int, type(object.metadata.creationTimestamp) == string, has(object.status), has(object.spec.template.spec.nodeSelector), has(object.metadata.managedFields), object.spec.template.spec.containers[0].image == 'a:1', has(object.spec.paused)].map(x, string(x)).join(',')" }) }, [deployment('diff-types', 'types')]), // prettier-ignore
    // parameters
    map('a parameter', { metadata: { name: 'diff-param', labels: { param: 'yes' } }, data: { max: '1' } }),
    map('another parameter', { metadata: { name: 'diff-param-2', labels: { param: 'yes' } }, data: { max: '2' } }),
    ...(() => {
      const limit = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, ...one('has(object.data) && object.data.size() <= int(params.data.max)', { messageExpression: "'at most ' + params.data.max" }) } // prettier-ignore
      const requests = () => [
        map('one', { data: { a: '1' } }),
        map('two', { data: { a: '1', b: '2' } }),
        map('three', { data: { a: '1', b: '2', c: '3' } }),
      ]
      return [
        ...validating('has a parameter', limit, requests(), { paramRef: { name: 'diff-param', namespace, parameterNotFoundAction: 'Deny' } }),
        ...validating('has a parameter of the namespace', limit, requests(), { paramRef: { name: 'diff-param', parameterNotFoundAction: 'Deny' } }),
        ...validating('has parameters', limit, requests(), {
          paramRef: { selector: { matchLabels: { param: 'yes' } }, parameterNotFoundAction: 'Deny' },
        }),
        ...validating('has all parameters of none', limit, requests(), {
          paramRef: { selector: { matchLabels: { nope: 'x' } }, parameterNotFoundAction: 'Deny' },
        }),
        ...validating('may have no parameters', limit, requests(), {
          paramRef: { selector: { matchLabels: { nope: 'x' } }, parameterNotFoundAction: 'Allow' },
        }),
        ...validating('lacks a parameter', limit, requests(), { paramRef: { name: 'diff-nope', namespace, parameterNotFoundAction: 'Deny' } }),
        ...validating('may lack a parameter', limit, requests(), { paramRef: { name: 'diff-nope', namespace, parameterNotFoundAction: 'Allow' } }),
        ...validating('ignores a lacking parameter', { ...limit, failurePolicy: 'Ignore' }, requests(), { paramRef: { name: 'diff-nope', namespace, parameterNotFoundAction: 'Deny' } }), // prettier-ignore
        ...validating('is not given its parameter', limit, requests()),
        ...validating('does without its parameter', { ...limit, ...one('params == null', { message: 'given' }) }, requests()),
        ...validating('has no use for a parameter', one('has(object.data)', { message: 'no data' }), [map('denied')], { paramRef: { name: 'diff-param', namespace, parameterNotFoundAction: 'Deny' } }), // prettier-ignore
        ...validating('has parameters of a strange kind', { ...limit, paramKind: { apiVersion: 'example.com/v1', kind: 'Nope' } }, [map('denied')], { paramRef: { name: 'x', namespace, parameterNotFoundAction: 'Deny' } }), // prettier-ignore
        ...validating('has a parameter in a condition', { ...limit, matchConditions: [{ name: 'c', expression: "params.data.max == '1'" }] }, requests(), { paramRef: { name: 'diff-param-2', namespace, parameterNotFoundAction: 'Deny' } }), // prettier-ignore
      ]
    })(),
    // bindings
    create(kinds.validatingBinding, 'diff-dangling', 'a binding without a policy', {
      spec: { policyName: 'diff-nope', validationActions: ['Deny'] },
    }),
    ...known('a binding without a policy'),
    map('beside a binding without a policy'),
    create(kinds.validating, 'diff-unbound', 'a policy without a binding', { spec: { matchConstraints: rules(['configmaps']), ...one('false') } }),
    ...known('a policy without a binding'),
    map('beside a policy without a binding'),
    remove(kinds.validating, 'diff-unbound', 'DELETE of the policy without a binding'),

    // mutation
    ...mutating('applies', { mutations: [applied("Object{metadata: Object.metadata{labels: {'set': object.metadata.name}}}")] }, [
      map('an object gets a label', { metadata: { name: 'diff-m1' } }),
      map('its labels stay', { metadata: { name: 'diff-m2', labels: { a: 'b', set: 'x' } } }),
      get(maps, 'diff-m1', 'it is stored'),
      edit(maps, 'diff-m1', 'an update', (object) => (object.metadata.labels = {})),
      patch(maps, 'diff-m1', 'merge', 'a patch', { data: { a: '1' } }),
      patch(maps, 'diff-m3', 'apply', 'an apply', { metadata: { name: 'diff-m3' } }, '?fieldManager=m'),
      remove(maps, 'diff-m2', 'a delete'),
    ]),
    ...mutating(
      'patches',
      {
        mutations: [
          patched(
            "[JSONPatch{op: 'add', path: '/data', value: {'a': 'b'}}, JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}, JSONPatch{op: 'add', path: '/metadata/annotations/' + jsonpatch.escapeKey('x.y/z'), value: 'z'}]",
          ),
        ],
      },
      [
        // prettier-ignore
        map('data is added', { metadata: { name: 'diff-p1' } }),
        map('data is replaced', { metadata: { name: 'diff-p2' }, data: { c: 'd' } }),
      ],
    ),
    ...mutating(
      'patches in every way',
      {
        mutations: [
          patched(
            "[JSONPatch{op: 'test', path: '/data/a', value: '1'}, JSONPatch{op: 'replace', path: '/data/a', value: '2'}, JSONPatch{op: 'copy', from: '/data/a', path: '/data/b'}, JSONPatch{op: 'move', from: '/data/a', path: '/data/c'}, JSONPatch{op: 'remove', path: '/data/gone'}]",
          ),
        ],
      },
      [
        // prettier-ignore
        map('all hold', { metadata: { name: 'diff-p3' }, data: { a: '1', gone: 'x' } }),
        map('a test fails', { data: { a: '3', gone: 'x' } }),
        map('nothing to remove', { data: { a: '1' } }),
      ],
    ),
    ...mutating('patches nothing', { mutations: [patched("[JSONPatch{op: 'test', path: '/kind', value: 'ConfigMap'}]")] }, [map('as it was')]),
    ...mutating('patches the wrong type', { mutations: [patched("[JSONPatch{op: 'add', path: '/data', value: 5}]")] }, [map('denied')]),
    ...mutating('patches a strange field', { mutations: [patched("[JSONPatch{op: 'add', path: '/nope', value: 5}]")] }, [map('dropped or denied')]),
    ...mutating('patches the name', { mutations: [patched("[JSONPatch{op: 'replace', path: '/metadata/name', value: 'diff-other'}]")] }, [
      map('denied'),
    ]),
    ...mutating('applies a strange field', { mutations: [applied('Object{nope: 1}')] }, [map('denied')]),
    ...mutating('applies the wrong type', { mutations: [applied("Object{data: {'a': 1}}")] }, [map('denied')]),
    ...mutating('fails', { failurePolicy: 'Fail', mutations: [applied('Object{data: {"a": object.data.nope}}')] }, [
      map('denied'),
      map('denied too', { data: {} }),
    ]),
    ...mutating('is ignored', { failurePolicy: 'Ignore', mutations: [applied('Object{data: {"a": object.data.nope}}')] }, [map('passes')]),
    ...mutating('changes twice', { mutations: [applied("Object{data: {'a': '1'}}"), patched("[JSONPatch{op: 'add', path: '/data/b', value: object.data.a + '2'}]")] }, [map('one sees the other', { metadata: { name: 'diff-t1' } })]), // prettier-ignore
    ...mutating('has variables', { variables: [{ name: 'x', expression: "object.metadata.name + '!'" }], mutations: [applied("Object{data: {'a': variables.x}}")] }, [map('the variable', { metadata: { name: 'diff-v1' } })]), // prettier-ignore
    ...mutating('has conditions', { matchConditions: [{ name: 'c', expression: '!has(object.data)' }], mutations: [applied("Object{data: {'a': '1'}}")] }, [map('matches', { metadata: { name: 'diff-c1' } }), map('does not', { metadata: { name: 'diff-c2' }, data: { b: '1' } })]), // prettier-ignore
    ...mutating('has a parameter', { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, mutations: [applied("Object{data: {'max': params.data.max}}")] }, [map('its value', { metadata: { name: 'diff-pm' } })], { paramRef: { name: 'diff-param', namespace, parameterNotFoundAction: 'Deny' } }), // prettier-ignore
    ...mutating('has parameters', { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, mutations: [applied("Object{metadata: Object.metadata{labels: {'max-' + params.data.max: 'x'}}}")] }, [map('each', { metadata: { name: 'diff-pm2' } })], { paramRef: { selector: { matchLabels: { param: 'yes' } }, parameterNotFoundAction: 'Deny' } }), // prettier-ignore
    ...mutating('lacks a parameter', { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, mutations: [applied("Object{data: {'max': params.data.max}}")] }, [map('denied')], { paramRef: { name: 'diff-nope', namespace, parameterNotFoundAction: 'Deny' } }), // prettier-ignore
    ...mutating('adds a container', { matchConstraints: rules(['deployments'], changes), mutations: [applied("Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers.item{name: 'side', image: 'side:1'}]}}}}")] }, [deployment('diff-side', 'a side car')]), // prettier-ignore
    ...mutating('adds to a list', { matchConstraints: rules(['deployments'], changes), mutations: [patched("[JSONPatch{op: 'add', path: '/spec/template/spec/containers/-', value: Object.spec.template.spec.containers.item{name: 'side', image: 'side:1'}}, JSONPatch{op: 'add', path: '/spec/replicas', value: object.spec.replicas + 1}]")] }, [deployment('diff-side-2', 'another side car')]), // prettier-ignore
    ...mutating('changes leases', { matchConstraints: rules(['leases'], changes), mutations: [applied("Object{spec: Object.spec{holderIdentity: 'h', leaseDurationSeconds: 5}}")] }, [create(leases, 'diff-lease', 'a lease', { spec: {} })]), // prettier-ignore
    // one after the other
    create(kinds.mutating, 'diff-order-a', 'a first policy', { spec: { matchConstraints: rules(['configmaps'], changes), reinvocationPolicy: 'IfNeeded', mutations: [applied("Object{data: {'seen': string(has(object.data) && 'late' in object.data)}}")] } }), // prettier-ignore
    create(kinds.mutatingBinding, 'diff-order-a', 'its binding', { spec: { policyName: 'diff-order-a' } }),
    create(kinds.mutating, 'diff-order-b', 'a second policy', { spec: { matchConstraints: rules(['configmaps'], changes), reinvocationPolicy: 'Never', mutations: [applied("Object{data: {'late': 'x'}}")] } }), // prettier-ignore
    create(kinds.mutatingBinding, 'diff-order-b', 'the second’s binding', { spec: { policyName: 'diff-order-b' } }),
    ...validating('sees what was changed', one("object.data.seen == 'false'", { messageExpression: "'seen ' + object.data.seen" }), [
      map('the first is asked again'),
    ]),
  ]
}
