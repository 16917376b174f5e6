// tools/run src/apiserver/patch/record-histories.ts URL TOKEN [RANDOM]: plays the histories below against a reference API server (that of
// test/differential/reference-1.36), and as many random ones as RANDOM says, and records every answer in testdata/*.jsonl, which histories.test.ts compares this implementation with.
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { randomHistory } from './random-history.ts'

const [url, token, random = '100'] = process.argv.slice(2) as [string, string, string?]
const namespace = 'patch-histories'

export interface Step {
  verb: 'create' | 'update' | 'apply' | 'merge' | 'json' | 'strategic'
  manager: string
  force?: boolean
  subresource?: string
  /** The object or patch; for an update, a function of the live object. */
  body: unknown
}

interface Kind {
  apiVersion: string
  kind: string
  resource: string
}
const configMap: Kind = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' }
const deployment: Kind = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }
const service: Kind = { apiVersion: 'v1', kind: 'Service', resource: 'services' }
const pod: Kind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }

const container = (name: string, more: object = {}) => ({ name, image: `${name}:1`, ...more })
const deploymentSpec = (containers: object[], more: object = {}) => ({
  replicas: 1,
  selector: { matchLabels: { app: 'a' } },
  template: { metadata: { labels: { app: 'a' } }, spec: { containers } },
  ...more,
})

/** `name` and `namespace` are filled in. */
const histories: { name: string; kind: Kind; steps: Step[] }[] = [
  {
    name: 'configmap by two appliers',
    kind: configMap,
    steps: [
      { verb: 'apply', manager: 'one', body: { data: { a: '1', b: '1' } } },
      { verb: 'apply', manager: 'one', body: { data: { a: '1', b: '1' } } },
      { verb: 'apply', manager: 'two', body: { data: { c: '2', a: '1' } } },
      { verb: 'apply', manager: 'two', body: { data: { c: '2', a: '2', b: '2' } } },
      { verb: 'apply', manager: 'two', force: true, body: { data: { c: '2', a: '2' } } },
      { verb: 'apply', manager: 'one', body: { data: { b: '3' } } },
      { verb: 'apply', manager: 'one', body: { metadata: { labels: { x: 'y' }, annotations: { k: 'v' } } } },
      { verb: 'apply', manager: 'two', body: {} },
    ],
  },
  {
    name: 'configmap: update takes fields, apply takes them back',
    kind: configMap,
    steps: [
      { verb: 'create', manager: 'creator', body: { metadata: { labels: { app: 'x' } }, data: { a: '1', b: '1' }, binaryData: { z: 'AAAA' } } },
      { verb: 'update', manager: 'creator', body: (o: any) => ({ ...o, data: { a: '1', b: '2', d: '3' } }) },
      { verb: 'update', manager: 'other', body: (o: any) => ({ ...o, data: { a: '9', b: '2' } }) },
      { verb: 'apply', manager: 'applier', body: { data: { a: '9', e: '1' } } },
      { verb: 'apply', manager: 'applier', body: { data: { a: '8', e: '1' } } },
      { verb: 'apply', manager: 'applier', force: true, body: { data: { a: '8', e: '1' } } },
      { verb: 'update', manager: 'other', body: (o: any) => ({ ...o, data: { e: '1' } }) },
      { verb: 'apply', manager: 'applier', body: { data: { f: '1' } } },
      { verb: 'update', manager: 'other', body: (o: any) => ({ ...o, metadata: { ...o.metadata, managedFields: [{}] } }) },
      { verb: 'update', manager: 'other', body: (o: any) => ({ ...o, data: { g: '1' } }) },
      { verb: 'apply', manager: 'applier', body: { data: { g: '1', h: '1' } } },
      { verb: 'apply', manager: 'applier', body: { data: { g: '2', h: '1' } } },
    ],
  },
  {
    name: 'configmap by patches',
    kind: configMap,
    steps: [
      { verb: 'create', manager: 'creator', body: { data: { a: '1', b: '1' } } },
      { verb: 'merge', manager: 'm', body: { data: { a: null, c: '2' }, metadata: { labels: { l: '1' } } } },
      {
        verb: 'json',
        manager: 'j',
        body: [
          { op: 'test', path: '/data/b', value: '1' },
          { op: 'replace', path: '/data/b', value: '2' },
          { op: 'add', path: '/data/d', value: '1' },
        ],
      },
      { verb: 'json', manager: 'j', body: [{ op: 'test', path: '/data/b', value: '7' }] },
      { verb: 'json', manager: 'j', body: [{ op: 'remove', path: '/data/missing' }] },
      { verb: 'json', manager: 'j', body: { op: 'remove' } },
      {
        verb: 'json',
        manager: 'j',
        body: [
          { op: 'move', from: '/data/d', path: '/data/e' },
          { op: 'copy', from: '/data/b', path: '/data/f' },
        ],
      },
      { verb: 'strategic', manager: 's', body: { data: { e: null, g: '1' }, metadata: { finalizers: ['example.com/a'] } } },
      { verb: 'strategic', manager: 's', body: { metadata: { finalizers: ['example.com/b'], $setElementOrder: undefined } } },
      { verb: 'strategic', manager: 's', body: { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a', 'example.com/b'] } } },
      { verb: 'strategic', manager: 's', body: { data: { $patch: 'replace', only: '1' } } },
      { verb: 'strategic', manager: 's', body: { data: { $patch: 'delete' } } },
      { verb: 'strategic', manager: 's', body: { data: { $patch: 'nonsense' } } },
      { verb: 'merge', manager: 's', body: { data: { x: 'y' } } },
      { verb: 'strategic', manager: 's', body: { data: { $retainKeys: ['z'], z: '1' } } },
      { verb: 'strategic', manager: 's', body: { data: { $retainKeys: ['z'], q: '1' } } },
    ],
  },
  {
    name: 'deployment: appliers, an autoscaler and a rollout',
    kind: deployment,
    steps: [
      {
        verb: 'apply',
        manager: 'cd',
        body: {
          metadata: { labels: { app: 'a' } },
          spec: deploymentSpec([container('app', { ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] })]),
        },
      },
      { verb: 'merge', manager: 'autoscaler', body: { spec: { replicas: 5 } } },
      { verb: 'apply', manager: 'cd', body: { metadata: { labels: { app: 'a' } }, spec: deploymentSpec([container('app', { image: 'app:2' })]) } },
      {
        verb: 'apply',
        manager: 'cd',
        body: {
          spec: {
            selector: { matchLabels: { app: 'a' } },
            template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container('app', { image: 'app:2' })] } },
          },
        },
      },
      {
        verb: 'apply',
        manager: 'injector',
        body: { spec: { template: { spec: { containers: [container('sidecar', { ports: [{ containerPort: 9000, name: 'metrics' }] })] } } } },
      },
      {
        verb: 'apply',
        manager: 'cd',
        body: {
          spec: {
            selector: { matchLabels: { app: 'a' } },
            template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container('app', { image: 'app:3' }), container('second')] } },
          },
        },
      },
      {
        verb: 'apply',
        manager: 'cd',
        body: {
          spec: {
            selector: { matchLabels: { app: 'a' } },
            template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container('second'), container('app', { image: 'app:3' })] } },
          },
        },
      },
      {
        verb: 'apply',
        manager: 'cd',
        body: {
          spec: {
            selector: { matchLabels: { app: 'a' } },
            template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container('app', { image: 'app:3' })] } },
          },
        },
      },
      { verb: 'strategic', manager: 'kubectl-patch', body: { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:4' }] } } } } },
      { verb: 'strategic', manager: 'kubectl-patch', body: { spec: { template: { spec: { containers: [{ image: 'app:4' }] } } } } },
      {
        verb: 'apply',
        manager: 'cd',
        body: {
          spec: {
            selector: { matchLabels: { app: 'a' } },
            template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container('app', { image: 'app:5' })] } },
          },
        },
      },
      {
        verb: 'apply',
        manager: 'cd',
        force: true,
        body: {
          spec: {
            selector: { matchLabels: { app: 'a' } },
            template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container('app', { image: 'app:5' })] } },
          },
        },
      },
      { verb: 'apply', manager: 'bad', body: { spec: { nothing: 1 } } },
      { verb: 'apply', manager: 'bad', body: { spec: { template: { spec: { containers: [{ image: 'x' }] } } } } },
      { verb: 'apply', manager: 'bad', body: { spec: { template: { spec: { containers: [container('x'), container('x')] } } } } },
      { verb: 'apply', manager: 'bad', body: { spec: { replicas: 'two' } } },
    ],
  },
  {
    name: 'deployment by strategic patches',
    kind: deployment,
    steps: [
      {
        verb: 'create',
        manager: 'creator',
        body: {
          spec: deploymentSpec([
            container('a', {
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '1' },
              ],
            }),
            container('b'),
            container('c'),
          ]),
        },
      },
      {
        verb: 'strategic',
        manager: 's',
        body: {
          spec: {
            template: {
              spec: {
                $setElementOrder_unused: null,
                containers: [
                  { name: 'd', image: 'd:1' },
                  { name: 'b', image: 'b:2' },
                ],
              },
            },
          },
        },
      },
      {
        verb: 'strategic',
        manager: 's',
        body: {
          spec: {
            template: {
              spec: {
                '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }],
                containers: [
                  {
                    name: 'a',
                    env: [
                      { name: 'A', $patch: 'delete' },
                      { name: 'C', value: '3' },
                    ],
                  },
                ],
              },
            },
          },
        },
      },
      {
        verb: 'strategic',
        manager: 's',
        body: { spec: { template: { spec: { '$setElementOrder/containers': [{ name: 'c' }], containers: [{ name: 'a', image: 'a:9' }] } } } },
      },
      { verb: 'strategic', manager: 's', body: { spec: { template: { spec: { containers: [{ name: 'c', $patch: 'delete' }] } } } } },
      {
        verb: 'strategic',
        manager: 's',
        body: {
          spec: {
            template: {
              spec: { volumes: [{ name: 'v', emptyDir: {} }], containers: [{ name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
            },
          },
        },
      },
      {
        verb: 'strategic',
        manager: 's',
        body: { spec: { template: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'x' } }] } } } },
      },
      { verb: 'strategic', manager: 's', body: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } } },
      {
        verb: 'strategic',
        manager: 's',
        body: { spec: { template: { spec: { containers: [{ $patch: 'replace' }, { name: 'only', image: 'only:1' }] } } } },
      },
      {
        verb: 'strategic',
        manager: 's',
        body: {
          spec: {
            template: { spec: { containers: [{ name: 'only', command: ['a', 'b'], args: ['x'] }], tolerations: [{ key: 'k', operator: 'Exists' }] } },
          },
        },
      },
      {
        verb: 'strategic',
        manager: 's',
        body: { spec: { template: { spec: { containers: [{ name: 'only', command: ['c'] }], tolerations: [{ key: 'j', operator: 'Exists' }] } } } },
      },
      {
        verb: 'strategic',
        manager: 's',
        body: { spec: { template: { spec: { containers: [{ name: 'only', resources: { limits: { cpu: '1' } } }] } } } },
      },
      { verb: 'merge', manager: 'm', body: { status: { replicas: 3, observedGeneration: 1 } }, subresource: 'status' },
    ],
  },
  {
    name: 'service ports by two appliers',
    kind: service,
    steps: [
      { verb: 'apply', manager: 'one', body: { spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80 }] } } },
      { verb: 'apply', manager: 'two', body: { spec: { ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 }] } } },
      { verb: 'apply', manager: 'two', body: { spec: { ports: [{ name: 'dns', port: 80, protocol: 'UDP' }] } } },
      { verb: 'strategic', manager: 's', body: { spec: { ports: [{ port: 80, name: 'web' }] } } },
      { verb: 'apply', manager: 'one', force: true, body: { spec: { selector: { app: 'b' }, ports: [{ name: 'http', port: 80 }] } } },
      { verb: 'merge', manager: 'm', body: { spec: { sessionAffinity: 'ClientIP' } } },
      { verb: 'apply', manager: 'two', body: {} },
    ],
  },
  {
    name: 'pod with all sorts of lists',
    kind: pod,
    steps: [
      {
        verb: 'create',
        manager: 'creator',
        body: {
          metadata: {
            labels: { app: 'p' },
            ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'abc' }],
            finalizers: ['example.com/f'],
          },
          spec: {
            automountServiceAccountToken: false,
            containers: [
              container('app', {
                ports: [
                  { containerPort: 80, name: 'http' },
                  { containerPort: 53, protocol: 'UDP' },
                ],
                env: [
                  { name: 'A', value: '1' },
                  { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                ],
                envFrom: [{ configMapRef: { name: 'x' } }],
                resources: { requests: { cpu: '100m' } },
                readinessProbe: { httpGet: { path: '/', port: 80 } },
                volumeMounts: [{ name: 'v', mountPath: '/v' }],
                command: ['sleep', '1'],
              }),
            ],
            volumes: [{ name: 'v', emptyDir: {} }],
            tolerations: [{ key: 'a', operator: 'Exists' }],
            hostAliases: [{ ip: '10.0.0.1', hostnames: ['x'] }],
            imagePullSecrets: [{ name: 's' }],
            nodeSelector: { disk: 'ssd' },
            securityContext: { runAsUser: 1000 },
          },
        },
      },
      { verb: 'update', manager: 'labeler', body: (o: any) => ({ ...o, metadata: { ...o.metadata, labels: { app: 'p', more: 'x' } } }) },
      {
        verb: 'strategic',
        manager: 'kubelet',
        subresource: 'status',
        body: { status: { phase: 'Running', podIP: '10.0.0.9', conditions: [{ type: 'Ready', status: 'True' }] } },
      },
      {
        verb: 'strategic',
        manager: 'kubelet',
        subresource: 'status',
        body: {
          status: {
            conditions: [
              { type: 'Ready', status: 'False' },
              { type: 'Initialized', status: 'True' },
            ],
          },
        },
      },
      {
        verb: 'update',
        manager: 'kubelet',
        subresource: 'status',
        body: (o: any) => ({ ...o, status: { ...o.status, conditions: o.status.conditions.slice(1), podIP: undefined } }),
      },
      { verb: 'merge', manager: 'cleaner', body: { metadata: { finalizers: null, ownerReferences: null } } },
      { verb: 'apply', manager: 'cd', body: { metadata: { labels: { app: 'p' } }, spec: { containers: [{ name: 'app', image: 'app:2' }] } } },
      {
        verb: 'apply',
        manager: 'cd',
        force: true,
        body: { metadata: { labels: { app: 'p' } }, spec: { containers: [{ name: 'app', image: 'app:2' }] } },
      },
    ],
  },
  {
    name: 'kubectl moves from client-side to server-side apply',
    kind: configMap,
    steps: [
      {
        verb: 'create',
        manager: 'kubectl-client-side-apply',
        body: (o: any) => ({
          metadata: {
            annotations: {
              'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify({ apiVersion: 'v1', data: { a: '1', b: '1' }, kind: 'ConfigMap', metadata: { annotations: {}, name: o.metadata.name, namespace: o.metadata.namespace } })}\n`,
            },
          },
          data: { a: '1', b: '1' },
        }),
      },
      { verb: 'apply', manager: 'kubectl', body: { data: { a: '2', b: '1', c: '1' } } },
      { verb: 'merge', manager: 'other', body: { data: { b: '7' } } },
      { verb: 'apply', manager: 'kubectl', body: { data: { a: '3', b: '1', c: '1' } } },
    ],
  },
]

const contentTypes = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  create: 'application/json',
  update: 'application/json',
}

function call(method: string, path: string, body?: unknown, type = 'application/json'): Promise<{ code: number; body: any }> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? '' : JSON.stringify(body)
    // Node frames no body of a DELETE by itself
    const headers = { authorization: `Bearer ${token}`, 'content-type': type, accept: 'application/json', 'content-length': Buffer.byteLength(sent) }
    const req = request(`${url}${path}`, { method, rejectUnauthorized: false, headers }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (c: Buffer) => chunks.push(c))
      res.on('end', () => resolve({ code: res.statusCode!, body: JSON.parse(Buffer.concat(chunks).toString()) }))
    })
    req.on('error', reject)
    req.end(sent)
  })
}

await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
await call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })

/** Plays a history with an object of its own; answers what the server said. */
async function play(i: number, { name: title, kind, steps }: (typeof histories)[number]): Promise<object> {
  const base = `${kind.apiVersion === 'v1' ? '/api/v1' : `/apis/${kind.apiVersion}`}/namespaces/${namespace}/${kind.resource}`
  const name = `history-${i}`
  await call('DELETE', `${base}/${name}`, { gracePeriodSeconds: 0 })
  let live: any
  const answers = []
  for (const step of steps) {
    const head = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace } }
    const made = typeof step.body === 'function' ? step.body(live ?? head) : step.body
    const full = step.verb === 'create' || step.verb === 'apply' ? { ...head, ...made, metadata: { ...made.metadata, ...head.metadata } } : made
    const query = new URLSearchParams({ fieldManager: step.manager, ...(step.force ? { force: 'true' } : {}) })
    const path = `${base}${step.verb === 'create' ? '' : `/${name}${step.subresource ? `/${step.subresource}` : ''}`}?${query}`
    const method = { create: 'POST', update: 'PUT' }[step.verb as 'create'] ?? 'PATCH'
    const answer = await call(method, path, full, contentTypes[step.verb])
    answers.push({ ...step, body: full, code: answer.code, answer: answer.body })
    if (answer.code < 300) live = answer.body
  }
  await call('PATCH', `${base}/${name}`, { metadata: { finalizers: null } }, 'application/merge-patch+json')
  await call('DELETE', `${base}/${name}`, { gracePeriodSeconds: 0 })
  return { name: title, apiVersion: kind.apiVersion, kind: kind.kind, steps: answers }
}

const record = async (file: string, all: typeof histories) => {
  const lines: string[] = []
  for (const [i, history] of all.entries()) lines.push(`${JSON.stringify(await play(i, history))}\n`)
  const text = lines.join('')
  writeFileSync(join(import.meta.dirname, 'testdata', file), file.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text)
}
await record('histories.jsonl', histories)
await record(
  'random-histories.jsonl.gz',
  Array.from({ length: Number(random) }, (_, seed) => randomHistory(seed + 1)),
)
// no controller is there to finish the deletion
const { body: doomed } = await call('DELETE', `/api/v1/namespaces/${namespace}`)
await call('PUT', `/api/v1/namespaces/${namespace}/finalize`, { ...doomed, spec: { finalizers: [] } })
