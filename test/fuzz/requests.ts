import type { TypeMeta } from '#api'
import { encodeCbor, encodeProtobuf } from '#api'
import type { Request } from '#client'
import type { Chooser } from '../random.ts'
import { asYaml, cborShapes, enlarged, jsonShapes, yamlShapes } from './large.ts'
import { mutated, mutatedBytes, mutatedText, oddValue } from '../random.ts'

/** Objects that are as they should be, to begin with. */
const samples: [path: string, object: object][] = [
  ['/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels: { app: 'a' }, annotations: { n: 'v' } }, spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80, protocol: 'TCP' }], resources: { requests: { cpu: '10m', memory: '1Gi' } }, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], volumes: [{ name: 'v', emptyDir: {} }], tolerations: [{ key: 'k', operator: 'Exists' }] } }], // prettier-ignore
  ['/apis/apps/v1/namespaces/default/deployments', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, strategy: { rollingUpdate: { maxSurge: '25%' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } }], // prettier-ignore
  ['/api/v1/namespaces/default/services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { selector: { a: 'b' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }], sessionAffinity: 'None' } }], // prettier-ignore
  ['/api/v1/namespaces/default/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', finalizers: ['a/b'] }, data: { k: 'v' }, binaryData: { b: 'AAAA' } }], // prettier-ignore
  ['/apis/batch/v1/namespaces/default/cronjobs', { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'c' }, spec: { schedule: '*/5 * * * *', timeZone: 'Etc/UTC', jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } } } } }], // prettier-ignore
  ['/apis/networking.k8s.io/v1/namespaces/default/ingresses', { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'i' }, spec: { rules: [{ host: 'a.b', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }], tls: [{ hosts: ['a.b'], secretName: 's' }] } }], // prettier-ignore
  ['/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h' }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }] } }], // prettier-ignore
  ['/apis/rbac.authorization.k8s.io/v1/clusterroles', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'r' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }], // prettier-ignore
  ['/apis/coordination.k8s.io/v1/namespaces/default/leases', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: { renewTime: '2026-01-02T03:04:05.000006Z', leaseDurationSeconds: 15 } }], // prettier-ignore
]

const request = (
  method: Request['method'],
  path: string,
  query: Record<string, string> = {},
  headers: Record<string, string> = {},
  body?: Uint8Array,
): Request => ({
  method,
  path,
  query: new URLSearchParams(query),
  headers,
  ...(body ? { body } : {}),
})

export const post = (path: string, query: Record<string, string>, type: string, body: string | Uint8Array) =>
  request('POST', path, query, { 'content-type': type }, Buffer.from(body))

const json = (value: unknown) => Buffer.from(JSON.stringify(value) ?? 'null')
const validation = (c: Chooser): Record<string, string> => (c.chance(0.4) ? { fieldValidation: c.one(['Strict', 'Warn', 'Ignore']) } : {})

/** One input in so many is a large one: it takes as long as a thousand others. */
const large = 0.004
const sizes = [200_000, 1_000_000, 3_000_000]

const jsonTypes = ['application/json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/json-patch+json']

/** A body of up to 3 MB that is as bad as it gets. */
export function largeBody(c: Chooser, size = c.one(sizes)): Request {
  const [path, object] = c.one(samples)
  const fresh = { ...object, metadata: { ...(object as { metadata: object }).metadata, name: `n${c.below(1e6)}` } }
  const value = () => enlarged(fresh, c, Math.floor(size * 0.9))
  const send = (type: string, body: Uint8Array) => request('POST', path, validation(c), { 'content-type': type }, body)
  switch (c.below(6)) {
    case 4:
      return send('application/cbor', c.chance(0.5) ? encodeCbor(value()) : c.one(cborShapes)[1](size))
    case 0:
      return send('application/yaml', Buffer.from(c.one(yamlShapes)[1](size)))
    case 1:
      return send(c.one(['application/json', 'application/yaml']), Buffer.from(c.one(jsonShapes)[1](size)))
    case 2:
      return send('application/yaml', Buffer.from(asYaml(value(), c)))
    case 3:
      return send('application/vnd.kubernetes.protobuf', asProtobuf(value() as TypeMeta) ?? encodeProtobuf(fresh as unknown as TypeMeta)!)
    default:
      return send('application/json', json(value()))
  }
}

/** Undefined where a value does not have its type: there is no way to write that. */
function asProtobuf(value: TypeMeta): Uint8Array | undefined {
  try {
    return encodeProtobuf(value)
  } catch {
    return undefined
  }
}

/** A patch of up to 3 MB. */
export function largePatch(c: Chooser, size = c.one(sizes)): Request {
  const [path, object] = c.one(samples)
  const { name } = (object as { metadata: { name: string } }).metadata
  const type = c.one([...jsonTypes.slice(1), 'application/apply-patch+yaml', 'application/apply-patch+yaml'])
  const query: Record<string, string> = {
    ...validation(c),
    ...(type.includes('apply') ? { fieldManager: c.one(['a', 'b', 'c']), force: c.one(['true', 'false']) } : {}),
  }
  const text = () => {
    if (type.startsWith('application/json-patch')) return largeJsonPatch(c, size)
    if (type.includes('apply') && c.chance(0.3)) return asYaml(enlarged(object, c, Math.floor(size * 0.9)), c)
    return c.chance(0.2) ? c.one(jsonShapes)[1](size) : JSON.stringify(enlarged(object, c, Math.floor(size * 0.9)))
  }
  return request('PATCH', `${path}/${name}`, query, { 'content-type': type }, Buffer.from(text()))
}

/** Operations that add up: a large list first, then as many operations on it as there may be. */
function largeJsonPatch(c: Chooser, size: number): string {
  const wide = `{"op":"add","path":"/metadata/x","value":${c.one(['[', '{'])}`
  const count = 9_990
  const most = Math.floor(size - count * 60)
  const list = most > 1000 ? `{"op":"add","path":"/metadata/x","value":[${'0,'.repeat(most / 2)}0]}` : `${wide.slice(0, -1)}[]}`
  const operation = c.one([
    '{"op":"add","path":"/metadata/x/0","value":1}',
    '{"op":"remove","path":"/metadata/x/0"}',
    '{"op":"copy","path":"/metadata/x/0","from":"/metadata/x"}',
    '{"op":"move","path":"/metadata/x/0","from":"/metadata/x/5"}',
    '{"op":"move","path":"/metadata/y","from":"/metadata/x"}',
    '{"op":"test","path":"/metadata/x","value":[0]}',
    '{"op":"replace","path":"/metadata/x/0","value":{}}',
    `{"op":"add","path":"${'/a'.repeat(100)}","value":{}}`,
    '{"op":"add","path":"/metadata/labels","value":{}}',
  ])
  return `[${list},${Array.from({ length: Math.min(count, Math.floor(size / operation.length)) }, () => operation).join(',')}]`
}

/** What each target sends: a request that the server has to answer in order, whatever is in it. */
export const targets: Record<string, (c: Chooser) => Request> = {
  /** Bodies in every format. */
  decoders(c) {
    if (c.chance(large)) return largeBody(c)
    const [path, object] = c.one(samples)
    const fresh = { ...object, metadata: { ...(object as { metadata: object }).metadata, name: `n${c.below(1e6)}` } }
    const value = c.chance(0.2) ? oddValue(c) : mutated(fresh, c, c.one([0.01, 0.05, 0.2]))
    switch (c.below(5)) {
      case 4: {
        const bytes = encodeCbor(value ?? null)
        return request('POST', path, validation(c), { 'content-type': 'application/cbor' }, c.chance(0.5) ? mutatedBytes(bytes, c) : bytes)
      }
      case 0: {
        const bytes = json(value)
        return request('POST', path, validation(c), { 'content-type': 'application/json' }, c.chance(0.3) ? mutatedBytes(bytes, c) : bytes)
      }
      case 1: {
        const text = asYaml(value, c)
        return request('POST', path, validation(c), { 'content-type': 'application/yaml' }, Buffer.from(c.chance(0.4) ? mutatedText(text, c) : text))
      }
      case 2:
        return request(
          'POST',
          path,
          validation(c),
          { 'content-type': 'application/vnd.kubernetes.protobuf' },
          mutatedBytes(encodeProtobuf(fresh as unknown as TypeMeta)!, c),
        )
      default: {
        const deep = c.below(100_000)
        return request(
          'POST',
          path,
          {},
          { 'content-type': c.one(['application/json', 'application/yaml']) },
          Buffer.from(c.one(['[', '{"a":', '- ', '&a [*a,']).repeat(deep)),
        )
      }
    }
  },

  /** CBOR: objects, applies, what is nested or promises more than there is; asked for in every form. */
  cbor(c) {
    const [path, object] = c.one(samples)
    const { metadata } = object as { metadata: { name: string } }
    const accept = c.one([
      'application/cbor',
      'application/json',
      `application/cbor;as=${c.one(['Table', 'PartialObjectMetadata', 'x'])};g=meta.k8s.io;v=v1`,
    ])
    const apply = c.chance(0.3)
    const name = apply ? metadata.name : `n${c.below(1e6)}`
    const whole = encodeCbor(mutated({ ...object, metadata: { ...metadata, name } }, c, c.one([0, 0.02, 0.2])))
    const head = (major: number) => Buffer.of((major << 5) | c.one([24, 25, 26, 27, 31]), ...Array.from({ length: 8 }, () => c.below(256)))
    const bytes = c.chance(0.7)
      ? c.chance(0.6)
        ? mutatedBytes(whole, c)
        : whole
      : c.one([
          () => Buffer.concat([head(c.below(8)), whole]),
          () => Buffer.concat([Buffer.of(0x9a, 0, c.below(0x30), 0, 0), Buffer.alloc(c.below(2_900_000), c.one([0x80, 0xa0, 0xf6, 0x40, 0, 0xbf]))]),
          () => Buffer.concat([Buffer.alloc(c.below(200_000), c.one([0x81, 0xc6, 0x9f, 0xbf])), whole]),
          () =>
            Buffer.concat([
              Buffer.of(0xbf),
              ...Array.from({ length: c.below(60_000) }, (_, i) => encodeCbor([`k${i}`, i % 7]).subarray(4)),
              Buffer.of(0xff),
            ]),
          () => Buffer.concat([Buffer.of(0x5f), Buffer.alloc(c.below(1_000_000), 0x40), Buffer.of(0xff)]),
        ])()
    return apply
      ? request(
          'PATCH',
          `${path}/${name}`,
          { ...validation(c), fieldManager: 'c', force: 'true' },
          { 'content-type': 'application/apply-patch+cbor', accept },
          bytes,
        )
      : request(
          c.one(['POST', 'POST', 'PUT', 'DELETE']),
          c.chance(0.8) ? path : `${path}/${metadata.name}`,
          validation(c),
          { 'content-type': 'application/cbor', accept },
          bytes,
        )
  },

  /** Patches of every type on objects that are there, or not. */
  patches(c) {
    if (c.chance(large)) return largePatch(c)
    const [path, object] = c.one(samples)
    const { name } = (object as { metadata: { name: string } }).metadata
    const at = `${path}/${name}${c.chance(0.1) ? c.one(['/status', '/scale']) : ''}`
    const type = c.one([
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
      'application/apply-patch+yaml',
    ])
    const query: Record<string, string> = {
      ...validation(c),
      ...(type.includes('apply') ? { fieldManager: c.one(['a', 'b', 'c']), force: c.one(['true', 'false']) } : {}),
    }
    if (type === 'application/json-patch+json') {
      const pointer = () =>
        c.one([
          '',
          '/',
          '/metadata',
          '/metadata/labels/a',
          '/spec/containers/0',
          '/spec/containers/-',
          '/spec/replicas',
          '/spec/template',
          '/data/k',
          '/a~1b',
          '/~',
          '/spec/containers/99999999',
          '/__proto__/x',
        ])
      const operations = Array.from({ length: 1 + c.below(c.chance(0.02) ? 12_000 : 5) }, () => ({
        op: c.one(['add', 'remove', 'replace', 'move', 'copy', 'test', 'boom']),
        path: pointer(),
        ...(c.chance(0.4) ? { from: pointer() } : {}),
        ...(c.chance(0.8) ? { value: oddValue(c) } : {}),
      }))
      return request('PATCH', at, query, { 'content-type': type }, json(c.chance(0.1) ? oddValue(c) : operations))
    }
    return request('PATCH', at, query, { 'content-type': type }, json(mutated(object, c, c.one([0.02, 0.1, 0.3]))))
  },

  /** Label and field selectors. */
  selectors(c) {
    const [path] = c.one(samples)
    const part = () =>
      c.one([
        'a',
        'app.kubernetes.io/name',
        'a=b',
        'a in (b,c)',
        'a notin ()',
        '!a',
        'a>1',
        'a==',
        '(',
        ')',
        ',',
        ' ',
        'in',
        'x'.repeat(400),
        'metadata.name',
        'spec.nodeName!=',
        'status.phase=Running',
        '\\,',
        'ä',
        '\0',
      ])
    const text = Array.from({ length: 1 + c.below(c.chance(0.02) ? 50_000 : 6) }, part).join(c.one([',', '', ' ', '=', '\\']))
    return request('GET', path, { [c.one(['labelSelector', 'fieldSelector'])]: c.chance(0.3) ? mutatedText(text, c) : text, limit: '5' })
  },

  /** Continue tokens and what goes with them. */
  tokens(c) {
    const [path] = c.one(samples)
    const token = Buffer.from(
      JSON.stringify(
        mutated(
          {
            v: 'meta.k8s.io/v1',
            rv: c.chance(0.01) ? 1e9 : c.one([1, -1, 0, 5]),
            start: c.one(['default/p\0', '\0', '../../secrets/\0', 'a'.repeat(1000)]),
          },
          c,
          0.2,
        ) ?? null,
      ),
    ).toString('base64url')
    return request('GET', path, {
      continue: c.chance(0.4) ? mutatedText(token, c) : token,
      limit: c.one(['1', '0', '-1', 'x', '99999999999']),
      ...(c.chance(0.3)
        ? {
            resourceVersion: c.chance(0.01) ? '99' : c.one(['0', '1', '-1', 'x', '1e5', '9'.repeat(30)]),
            resourceVersionMatch: c.one(['Exact', 'NotOlderThan', 'x']),
          }
        : {}),
    })
  },
}

/** What the targets work on. */
export const setup: Request[] = samples.map(([path, object]) => request('POST', path, {}, { 'content-type': 'application/json' }, json(object)))
