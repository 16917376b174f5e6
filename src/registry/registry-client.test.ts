import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createAuthority, issueCertificate } from '../cluster/pki/index.ts'
import { registryClient } from './registry-client.ts'

const ca = await createAuthority({ commonName: 'test' })
const pair = await issueCertificate(ca, { commonName: 'registry', names: ['localhost'], usages: ['server'] })

/** A server that answers as told, a client of it, and what was asked. */
async function serving(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void, serverName = 'localhost') {
  const asked: string[] = []
  const server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      asked.push(`${request.method} ${request.url}`)
      answer(request, response, body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = registryClient({ address: '127.0.0.1', port, serverName, ca: ca.certificate, username: 'joe', password: 'secret' })
  return {
    client,
    asked,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]()
      server.close()
      await once(server, 'close')
    },
  }
}

test('a list is read to its last page', async () => {
  await using t = await serving((request, response) => {
    const last = request.url!.includes('last=b')
    if (!last) response.setHeader('link', '</v2/_catalog?last=b&n=2>; rel="next"')
    response.end(JSON.stringify({ repositories: last ? ['c'] : ['a', 'b'] }))
  })
  assert.deepEqual(await t.client.repositories(), ['a', 'b', 'c'])
})

test('a repository without tags has none', async () => {
  await using t = await serving((_, response) => response.end(JSON.stringify({ name: 'a', tags: null })))
  assert.deepEqual(await t.client.tags('a'), [])
})

test('name and password go with every request', async () => {
  const headers: (string | undefined)[] = []
  await using t = await serving((request, response) => {
    headers.push(request.headers.authorization)
    response.setHeader('docker-content-digest', 'sha256:00').end()
  })
  assert.equal(await t.client.digest('a', '1'), 'sha256:00')
  assert.deepEqual(headers, [`Basic ${Buffer.from('joe:secret').toString('base64')}`])
})

test('what is not there is undefined, a refusal is an error in the registry’s words', async () => {
  await using t = await serving((request, response) => {
    response.statusCode = request.url!.includes('absent') ? 404 : 405
    response.end(JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message: 'The operation is unsupported.' }] }))
  })
  assert.equal(await t.client.manifest('absent', '1'), undefined)
  await assert.rejects(t.client.deleteManifest('a', 'sha256:00'), {
    name: 'RegistryError',
    status: 405,
    message: 'the registry refuses DELETE /v2/a/manifests/sha256:00: The operation is unsupported. (UNSUPPORTED)',
  })
})

test('a tag is deleted by leading it to a manifest of its own first', async () => {
  let put = ''
  await using t = await serving((request, response, body) => {
    if (request.method === 'PUT') put = body
    response.setHeader('docker-content-digest', 'sha256:ff').end()
  })
  await t.client.deleteTag('team/app', 'latest')
  assert.deepEqual(t.asked, ['PUT /v2/team/app/manifests/latest', 'DELETE /v2/team/app/manifests/sha256:ff'])
  assert.deepEqual(JSON.parse(put).manifests, [])
})

test('a server that the authority has not signed for is not told the password', async () => {
  await using t = await serving((_, response) => response.end('{}'), 'registry.example')
  await assert.rejects(t.client.repositories(), /cannot reach the registry at 127\.0\.0\.1:\d+: .*altnames/)
  assert.deepEqual(t.asked, [])
})
