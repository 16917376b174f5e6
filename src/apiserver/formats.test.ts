import assert from 'node:assert/strict'
import { request } from 'node:https'
import { test } from 'node:test'
import type { TypeMeta } from '#api'
import { encodeCbor, encodeProtobuf, parseCbor, parseProtobuf, readMessage } from '#api'
import { startTestServer } from './test-server.ts'

const protobuf = 'application/vnd.kubernetes.protobuf'

interface Answer {
  status: number
  type: string
  bytes: Buffer
}

/** Sends a request; of a watch, reads `least` bytes. */
function call(url: string, method: string, path: string, headers: Record<string, string>, body?: Buffer, least = Infinity): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url + path,
      { method, rejectUnauthorized: false, agent: false, headers: { authorization: 'Bearer admintoken', ...headers } },
      (response) => {
        const chunks: Buffer[] = []
        const done = () => resolve({ status: response.statusCode!, type: response.headers['content-type']!, bytes: Buffer.concat(chunks) })
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          if (Buffer.concat(chunks).length < least) return
          done()
          outgoing.destroy()
        })
        response.on('end', done)
      },
    )
    outgoing.on('error', (error) => (least === Infinity ? reject(error) : undefined))
    outgoing.end(body)
  })
}

const pods = '/api/v1/namespaces/default/pods'
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { b: '1', a: '2' } },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '10m' } }, ports: [{ containerPort: 80 }] }] },
})
const json = (bytes: Buffer) => JSON.parse(bytes.toString()) as Record<string, any>

test('what is sent and asked for in protobuf is what JSON shows', async () => {
  await using t = await startTestServer()
  const sent = encodeProtobuf(pod('one'))!
  const created = await call(t.url, 'POST', pods, { 'content-type': protobuf, accept: protobuf }, sent)
  assert.deepEqual([created.status, created.type], [201, protobuf])
  const plain = json((await call(t.url, 'GET', `${pods}/one`, { accept: 'application/json' })).bytes)
  const read = await call(t.url, 'GET', `${pods}/one`, { accept: `${protobuf},application/json` })
  assert.equal(read.type, protobuf)
  assert.deepEqual(read.bytes, created.bytes)
  assert.deepEqual(parseProtobuf(read.bytes), plain)
  await call(t.url, 'POST', pods, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(pod('two'))))
  const list = await call(t.url, 'GET', pods, { accept: protobuf })
  const plainList = json((await call(t.url, 'GET', pods, {})).bytes)
  assert.equal(list.type, protobuf)
  const decoded = parseProtobuf(list.bytes) as Record<string, any>
  assert.equal(decoded.kind, 'PodList')
  assert.deepEqual(decoded.metadata, plainList.metadata)
  // items of a list carry no type of their own in protobuf
  assert.deepEqual(
    decoded.items.map((item: object) => ({ ...item, kind: undefined, apiVersion: undefined })),
    plainList.items.map((item: TypeMeta) => ({ ...item, kind: undefined, apiVersion: undefined })),
  )
})

test('a watch in protobuf sends framed events', async () => {
  await using t = await startTestServer()
  await call(t.url, 'POST', pods, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(pod('one'))))
  const { type, bytes } = await call(t.url, 'GET', `${pods}?watch=1`, { accept: `${protobuf};stream=watch` }, undefined, 4)
  assert.equal(type, `${protobuf};stream=watch`)
  const length = bytes.readUInt32BE()
  const event = readMessage(bytes.subarray(4, 4 + length), watchEvent)
  assert.equal(event['type'], 'ADDED')
  const object = parseProtobuf(Buffer.from((event['object'] as { raw: string }).raw, 'base64')) as Record<string, any>
  assert.deepEqual([object.kind, object.metadata.name], ['Pod', 'one'])
})

/** A WatchEvent whose object is left as the bytes that it is. */
const bytesField = (name: string, number: number, schema: object) => [
  name,
  { name, schema, number, within: [], optional: true, required: false, omitempty: true, pointer: true, goType: '' },
]
const rawObject = { type: 'object', name: '', goName: '', fields: new Map([bytesField('raw', 1, { type: 'bytes' }) as never]) }
const watchEvent = {
  type: 'object',
  name: '',
  goName: '',
  fields: new Map([bytesField('type', 1, { type: 'string' }) as never, bytesField('object', 2, rawObject) as never]),
} as never

test('errors are answered in the form that was asked for', async () => {
  await using t = await startTestServer()
  const { status, type, bytes } = await call(t.url, 'GET', `${pods}/nobody`, { accept: protobuf })
  assert.deepEqual([status, type], [404, protobuf])
  const { kind, reason, message } = parseProtobuf(bytes) as Record<string, unknown>
  assert.deepEqual([kind, reason, message], ['Status', 'NotFound', 'pods "nobody" not found'])
})

test('metadata alone has a protobuf form, tables have none', async () => {
  await using t = await startTestServer()
  await call(t.url, 'POST', pods, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(pod('one'))))
  const partial = await call(t.url, 'GET', pods, { accept: `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1` })
  const { kind, items } = parseProtobuf(partial.bytes) as { kind: string; items: { metadata: { name: string } }[] }
  assert.deepEqual([partial.type, kind, items.map((i) => i.metadata.name)], [protobuf, 'PartialObjectMetadataList', ['one']])
  const tables = 'as=Table;g=meta.k8s.io;v=v1'
  const table = await call(t.url, 'GET', pods, { accept: `${protobuf};${tables},application/json;${tables}` })
  assert.deepEqual([table.status, table.type, json(table.bytes).kind], [200, 'application/json', 'Table'])
  assert.equal((await call(t.url, 'GET', pods, { accept: `${protobuf};${tables}` })).status, 406)
})

test('what is no object of the API stays JSON', async () => {
  await using t = await startTestServer()
  for (const path of ['/version', '/openapi/v3', '/healthz']) {
    const { status, type } = await call(t.url, 'GET', path, { accept: `${protobuf},*/*` })
    assert.equal(status === 200 && type === protobuf, false, path)
  }
  assert.equal(json((await call(t.url, 'GET', '/version', { accept: `${protobuf},application/json` })).bytes)['major'], '1')
  const refused = await call(t.url, 'GET', '/version', { accept: protobuf })
  assert.deepEqual([refused.status, refused.type], [406, protobuf])
})

test('a watch of YAML is not acceptable: its events could not be told apart', async () => {
  await using t = await startTestServer()
  const { status, type, bytes } = await call(t.url, 'GET', `${pods}?watch=1`, { accept: 'application/yaml' })
  assert.deepEqual([status, type], [406, 'application/yaml'])
  assert.match(bytes.toString(), /application\/json;stream=watch/)
})

test('errors are told in JSON to who accepts only what they cannot be', async () => {
  await using t = await startTestServer()
  for (const accept of ['application/json;as=Table;g=meta.k8s.io;v=v1', `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`]) {
    const { status, type, bytes } = await call(t.url, 'GET', `${pods}/nobody`, { accept })
    assert.deepEqual([status, type, json(bytes)['reason']], [404, 'application/json', 'NotFound'])
  }
})

test('YAML is chosen by quality', async () => {
  await using t = await startTestServer()
  const { type, bytes } = await call(t.url, 'GET', '/api/v1/pods', { accept: 'application/json;q=0.5, application/yaml' })
  assert.equal(type, 'application/yaml')
  assert.match(bytes.toString(), /^apiVersion: v1\nitems: \[\]\nkind: PodList\n/)
})

const cbor = 'application/cbor'
const cborOf = (bytes: Buffer) => parseCbor(bytes) as Record<string, any>
const withoutType = (item: object) => ({ ...item, kind: undefined, apiVersion: undefined })

test('what is sent and asked for in CBOR is what JSON shows', async () => {
  await using t = await startTestServer()
  const created = await call(t.url, 'POST', pods, { 'content-type': cbor, accept: cbor }, encodeCbor(pod('one')))
  assert.deepEqual([created.status, created.type], [201, cbor])
  assert.equal(created.bytes.subarray(0, 3).toString('hex'), 'd9d9f7')
  const plain = json((await call(t.url, 'GET', `${pods}/one`, { accept: 'application/json' })).bytes)
  assert.deepEqual(cborOf(created.bytes), plain)
  assert.deepEqual((await call(t.url, 'GET', `${pods}/one`, { accept: `${cbor},application/json;q=0.9` })).bytes, created.bytes)
  await call(t.url, 'POST', pods, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(pod('two'))))
  const list = cborOf((await call(t.url, 'GET', pods, { accept: cbor })).bytes)
  const plainList = json((await call(t.url, 'GET', pods, {})).bytes)
  assert.deepEqual({ ...list, items: list['items'].map(withoutType) }, { ...plainList, items: plainList['items'].map(withoutType) })
})

test('a watch in CBOR is a sequence of items', async () => {
  await using t = await startTestServer()
  await call(t.url, 'POST', pods, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(pod('one'))))
  for (const [as, kind] of [
    ['', 'Pod'],
    [';as=PartialObjectMetadata;g=meta.k8s.io;v=v1', 'PartialObjectMetadata'],
    [';as=Table;g=meta.k8s.io;v=v1', 'Table'],
  ]) {
    const path = `${pods}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Done`
    const { type, bytes } = await call(t.url, 'GET', path, { accept: `${cbor}${as}` })
    assert.equal(type, 'application/cbor-seq')
    const event = cborOf(bytes)
    assert.deepEqual([event['type'], event['object'].kind], ['ADDED', kind])
  }
})

test('applies, tables, metadata alone, errors and options in CBOR', async () => {
  await using t = await startTestServer()
  const maps = '/api/v1/namespaces/default/configmaps'
  const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } }
  const apply = (body: Buffer) =>
    call(t.url, 'PATCH', `${maps}/a?fieldManager=me&fieldValidation=Strict`, { 'content-type': 'application/apply-patch+cbor', accept: cbor }, body)
  const made = await apply(encodeCbor(applied))
  assert.deepEqual(
    [made.status, cborOf(made.bytes)['data'], cborOf(made.bytes)['metadata'].managedFields[0].fieldsV1],
    [201, { k: 'v' }, { 'f:data': { 'f:k': {} } }],
  )
  const twice = await apply(Buffer.from('a2614101614102', 'hex'))
  assert.deepEqual(
    [twice.status, cborOf(twice.bytes)['message']],
    [400, 'error decoding YAML: cbor: found duplicate map key "A" at map element index 1'],
  )
  const table = await call(t.url, 'GET', maps, { accept: `${cbor};as=Table;g=meta.k8s.io;v=v1` })
  assert.deepEqual([table.type, cborOf(table.bytes)['kind'], cborOf(table.bytes)['rows'].length], [cbor, 'Table', 1])
  const partial = await call(t.url, 'GET', maps, { accept: `${cbor};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1` })
  assert.deepEqual([partial.type, cborOf(partial.bytes)['items'][0].metadata.name], [cbor, 'a'])
  const missing = await call(t.url, 'GET', `${maps}/b`, { accept: cbor })
  assert.deepEqual([missing.status, missing.type, cborOf(missing.bytes)['reason']], [404, cbor, 'NotFound'])
  const options = encodeCbor({ kind: 'DeleteOptions', apiVersion: 'v1', dryRun: ['All'] })
  const gone = await call(t.url, 'DELETE', `${maps}/a`, { 'content-type': cbor, accept: cbor, 'content-length': String(options.length) }, options)
  assert.deepEqual([gone.status, cborOf(gone.bytes)['status']], [200, 'Success'])
  assert.equal((await call(t.url, 'GET', `${maps}/a`, {})).status, 200)
})

const refused: [name: string, hex: string, query: string, message: string][] = [
  ['nothing', '', '', 'the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: EOF (<empty>)'],
  ['what is cut off', 'd9d9f7a1', '', 'the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: unexpected EOF (d9d9f7a1)'],
  ['a list', '80', '', 'the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: cbor: cannot unmarshal array into Go value of type v1.TypeMeta (cannot decode CBOR array to struct without toarray option) (80)'],
  ['a key twice', 'a2416101416102', '', 'the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: cbor: found duplicate map key "a" at map element index 1 (a2416101416102)'],
  ['a key twice inside', 'a14464617461a2416101416102', '', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: cbor: found duplicate map key "a" at map element index 1'],
  ['a field of another type', 'a1446461746101', '', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: cbor: cannot unmarshal positive integer into Go struct field v1.ConfigMap.data of type map[string]string'],
  ['an unknown field', 'a24464617461a043626f6f01', '?fieldValidation=Strict', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: cbor: found unknown field at map element index 1'],
] // prettier-ignore
for (const [name, hex, query, message] of refused)
  test(`CBOR that is ${name} is refused in upstream's words`, async () => {
    await using t = await startTestServer()
    const { status, bytes } = await call(
      t.url,
      'POST',
      `/api/v1/namespaces/default/configmaps${query}`,
      { 'content-type': cbor },
      Buffer.from(hex, 'hex'),
    )
    assert.deepEqual([status, json(bytes)['message']], [400, message])
  })

test('an empty apply in CBOR says so, and only YAML that is called so is YAML', async () => {
  await using t = await startTestServer()
  const maps = '/api/v1/namespaces/default/configmaps'
  const empty = await call(t.url, 'PATCH', `${maps}/a?fieldManager=me`, { 'content-type': 'application/apply-patch+cbor', 'content-length': '0' })
  assert.deepEqual([empty.status, json(empty.bytes)['message']], [400, 'error decoding YAML: EOF'])
  for (const type of ['application/x-yaml', 'text/yaml'])
    assert.equal((await call(t.url, 'POST', maps, { 'content-type': type }, Buffer.from('metadata: {name: a}'))).status, 415)
})

test('a list that is asked for again and again is the same until something changes, in each form and version', async () => {
  await using t = await startTestServer()
  const plain = { 'content-type': 'application/json' }
  const hpas = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'
  const hpa = { metadata: { name: 'h' }, spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } } }
  const parsers = { [protobuf]: parseProtobuf, 'application/cbor': parseCbor, 'application/json': json }
  const targets = [pods, hpas, hpas.replace('v2', 'v1')]
  const same = async (when: string) => {
    for (const target of targets) {
      const shown = json((await call(t.url, 'GET', target, {})).bytes)
      for (const [accept, parse] of Object.entries(parsers)) {
        for (let i = 0; i < 3; i++)
          assert.deepEqual(parse((await call(t.url, 'GET', target, { accept })).bytes), shown, `${when}: ${accept} ${target}`)
      }
    }
  }
  await call(t.url, 'POST', pods, plain, Buffer.from(JSON.stringify(pod('a'))))
  await call(t.url, 'POST', hpas, plain, Buffer.from(JSON.stringify(hpa)))
  await same('one')
  await call(t.url, 'POST', pods, plain, Buffer.from(JSON.stringify(pod('b'))))
  await call(t.url, 'PUT', `${hpas}/h`, plain, Buffer.from(JSON.stringify({ ...hpa, spec: { ...hpa.spec, maxReplicas: 3 } })))
  await same('a change')
  await call(t.url, 'DELETE', `${pods}/a?gracePeriodSeconds=0`, {})
  await same('a deletion')
})
