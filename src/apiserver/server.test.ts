import assert from 'node:assert/strict'
import { request } from 'node:https'
import { test } from 'node:test'
import { resources } from '#api'
import { startTestServer } from './test-server.ts'

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  json: any
}

function call(url: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const outgoing = request(
      url + path,
      {
        method,
        rejectUnauthorized: false,
        agent: false,
        headers: { authorization: 'Bearer admintoken', 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          let json: unknown
          try {
            json = JSON.parse(text)
          } catch {
            json = undefined
          }
          resolve({ status: response.statusCode!, headers: response.headers, text, json })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}

test('a config map is created, read, listed, updated and deleted over HTTPS', async () => {
  await using t = await startTestServer()
  const created = await call(t.url, 'POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' }, data: { k: 'v' } })
  assert.equal(created.status, 201)
  assert.equal(created.json.kind, 'ConfigMap')
  assert.equal(created.json.metadata.namespace, 'default')
  assert.match(created.json.metadata.resourceVersion, /^\d+$/)
  const read = await call(t.url, 'GET', '/api/v1/namespaces/default/configmaps/a')
  assert.deepEqual(read.json, created.json)
  const list = await call(t.url, 'GET', '/api/v1/configmaps')
  assert.equal(list.json.kind, 'ConfigMapList')
  const { kind: _, apiVersion: __, ...item } = created.json
  assert.deepEqual(list.json.items, [item], 'kind and version stand on the list')
  const updated = await call(t.url, 'PUT', '/api/v1/namespaces/default/configmaps/a', { ...created.json, data: { k: 'w' } })
  assert.equal(updated.status, 200)
  assert.equal(updated.json.data.k, 'w')
  const stale = await call(t.url, 'PUT', '/api/v1/namespaces/default/configmaps/a', created.json)
  assert.equal(stale.status, 409)
  assert.equal(
    stale.json.message,
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  )
  const deleted = await call(t.url, 'DELETE', '/api/v1/namespaces/default/configmaps/a')
  assert.equal(deleted.json.status, 'Success')
  assert.equal((await call(t.url, 'GET', '/api/v1/namespaces/default/configmaps/a')).json.message, 'configmaps "a" not found')
})

test('a watch shows what comes, in process and by reference', async () => {
  await using t = await startTestServer()
  const maps = t.client.resource(resources.configMaps)
  const abort = new AbortController()
  const events: string[] = []
  const watching = (async () => {
    for await (const event of maps.watch({ namespace: 'default', signal: abort.signal })) {
      if (event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED') events.push(`${event.type} ${event.object.metadata.name}`)
      if (events.length === 3) return
    }
  })()
  const made = await maps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } })
  await maps.update({ ...made, data: { x: 'y' } })
  await maps.delete('a', 'default')
  await watching
  abort.abort()
  assert.deepEqual(events, ['ADDED a', 'MODIFIED a', 'DELETED a'])
})
