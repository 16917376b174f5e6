import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '#client'
import { health } from './health.ts'

const checks = [
  { name: 'ping', check() {} },
  { name: 'etcd', check: () => Promise.resolve() },
  {
    name: 'shutdown',
    check() {
      throw new Error('process is shutting down')
    },
  },
]
const healthy = checks.slice(0, 2)
const get = (query = ''): Request => ({ method: 'GET', path: '/readyz', query: new URLSearchParams(query), headers: {} })

test('health checks are answered as upstream words them', async (context) => {
  const rows: [string, typeof checks, string, string, number, string][] = [
    ['all is well', healthy, '', '', 200, 'ok'],
    ['all is well, verbose', healthy, '', 'verbose', 200, '[+]ping ok\n[+]etcd ok\nreadyz check passed\n'],
    [
      'a failure is told without its reason',
      checks,
      '',
      '',
      500,
      '[+]ping ok\n[+]etcd ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n',
    ],
    ['what is excluded does not count', checks, '', 'exclude=shutdown', 200, 'ok'],
    [
      'what is excluded is shown',
      checks,
      '',
      'verbose&exclude=shutdown&exclude=nope&exclude=a',
      200,
      '[+]ping ok\n[+]etcd ok\n[+]shutdown excluded: ok\nwarn: some health checks cannot be excluded: no matches for "a","nope"\nreadyz check passed\n',
    ],
    ['one check', checks, 'ping', '', 200, 'ok'],
    ['one check with its reason', checks, 'shutdown', '', 500, 'internal server error: process is shutting down\n'],
  ]
  for (const [name, of, single, query, status, body] of rows)
    await context.test(name, async () => {
      const response = await health('readyz', single, get(query), of)
      assert.equal(response.status, status)
      assert.equal(Buffer.from((response.body as { bytes: Uint8Array }).bytes).toString(), body)
    })
})
