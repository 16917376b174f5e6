import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '#api'
import { startTestServer } from '../src/apiserver/test-server.ts'
import { openWatches } from './watch-connection.ts'

test('each watch of a connection gets every event as a whole line, also one that is larger than a frame', { timeout: 30_000 }, async () => {
  await using t = await startTestServer()
  const received: { type: string; object: { metadata: { name: string } } }[] = []
  const all = Promise.withResolvers<void>()
  const connection = await openWatches({
    url: t.url,
    token: 'admintoken',
    path: '/api/v1/namespaces/default/configmaps?watch=true',
    streams: 3,
    onLines(lines) {
      for (const line of lines.toString().trimEnd().split('\n')) received.push(JSON.parse(line) as (typeof received)[number])
      if (received.length === 6) all.resolve()
    },
  })
  try {
    for (const [name, size] of [
      ['small', 10],
      ['large', 100_000],
    ] as const)
      await t.client
        .resource(resources.configMaps)
        .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { k: 'x'.repeat(size) } } as never)
    await all.promise
    assert.deepEqual(received.map(({ type, object }) => `${type} ${object.metadata.name}`).sort(), [
      'ADDED large',
      'ADDED large',
      'ADDED large',
      'ADDED small',
      'ADDED small',
      'ADDED small',
    ])
  } finally {
    connection.close()
  }
})
