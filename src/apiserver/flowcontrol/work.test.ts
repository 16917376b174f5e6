import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequest } from '../parse-request.ts'
import { estimateWork, widthOf } from './work.ts'

const user = { username: 'alice', groups: [] }
/** A thousand objects of 2 kB, 40 of them in the namespace. */
const stock = { count: 1000, size: 2_000_000, countIn: () => 40, watchersOf: () => 25 }

test('work is guessed by what a request is about', async (context) => {
  const rows: [string, string, string, { cost: number; seats: number; watchers: number }][] = [
    ['a get', 'GET', '/api/v1/namespaces/a/pods/b', { cost: 1, seats: 1, watchers: -1 }],
    ['a list is sent from memory piece by piece', 'GET', '/api/v1/pods', { cost: 41, seats: 10, watchers: -1 }],
    ['a page of it', 'GET', '/api/v1/pods?limit=100', { cost: 5, seats: 2, watchers: -1 }],
    ['a namespace costs what is in it', 'GET', '/api/v1/namespaces/a/pods', { cost: 2.6, seats: 10, watchers: -1 }],
    ['one object by its name', 'GET', '/api/v1/pods?fieldSelector=metadata.name%3Dx', { cost: 1, seats: 1, watchers: -1 }],
    ['an old list is put together', 'GET', '/api/v1/pods?resourceVersion=7&resourceVersionMatch=Exact', { cost: 41, seats: 20, watchers: -1 }],
    ['and so is what is selected of it', 'GET', '/api/v1/pods?limit=1&continue=x&labelSelector=a%3Db', { cost: 41, seats: 10, watchers: -1 }],
    ['a watch that goes on', 'GET', '/api/v1/pods?watch=1&resourceVersion=7', { cost: 1, seats: 1, watchers: -1 }],
    ['a watch that begins with what there is', 'GET', '/api/v1/pods?watch=1', { cost: 41, seats: 10, watchers: -1 }],
    ['a streamed list', 'GET', '/api/v1/pods?watch=1&sendInitialEvents=true&resourceVersion=7', { cost: 41, seats: 10, watchers: -1 }],
    ['a write', 'PUT', '/api/v1/namespaces/a/pods/b', { cost: 3, seats: 1, watchers: 25 }],
    ['a token changes nothing', 'POST', '/api/v1/namespaces/a/serviceaccounts/b/token', { cost: 3, seats: 1, watchers: -1 }],
    ['what is about no resource', 'GET', '/version', { cost: 1, seats: 1, watchers: -1 }],
  ]
  for (const [name, method, url, expected] of rows)
    await context.test(name, () => {
      const [path, query] = url.split('?') as [string, string?]
      const parameters = new URLSearchParams(query)
      const info = parseRequest(method, path, parameters, user)
      assert.deepEqual({ ...estimateWork(info, parameters, info.resource && stock) }, expected)
    })
})

test('a request is as wide as its level allows', () => {
  assert.deepEqual(widthOf({ cost: 1, seats: 20, watchers: -1 }, 8), { seats: 8, finalSeats: 0, after: 0 })
  assert.deepEqual(widthOf({ cost: 1, seats: 500, watchers: -1 }, undefined), { seats: 100, finalSeats: 0, after: 0 })
  assert.deepEqual(widthOf({ cost: 1, seats: 1, watchers: 200 }, undefined), { seats: 10, finalSeats: 10, after: 10 })
})
