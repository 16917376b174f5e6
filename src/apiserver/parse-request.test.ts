import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequest } from './parse-request.ts'

const user = { username: 'u', groups: [] }

const rows: { name: string; method?: string; url: string; verb: string; resource?: string }[] = [
  { name: 'an object of the core group', url: '/api/v1/namespaces/ns/pods/p', verb: 'get', resource: ' v1 pods  ns p ' },
  { name: 'a collection', url: '/api/v1/namespaces/ns/pods', verb: 'list', resource: ' v1 pods  ns  ' },
  { name: 'a collection across namespaces', url: '/apis/apps/v1/deployments', verb: 'list', resource: 'apps v1 deployments    ' },
  { name: 'a watch by query', url: '/api/v1/pods?watch=1', verb: 'watch', resource: ' v1 pods    ' },
  { name: 'a watch without a value', url: '/api/v1/pods?watch', verb: 'watch', resource: ' v1 pods    ' },
  { name: 'watch=false is a list', url: '/api/v1/pods?watch=false', verb: 'list', resource: ' v1 pods    ' },
  { name: 'a watch by the old path', url: '/api/v1/watch/namespaces/ns/pods/p', verb: 'watch', resource: ' v1 pods  ns p ' },
  {
    name: 'the name of a field selector',
    url: '/api/v1/namespaces/ns/pods?fieldSelector=metadata.name%3Dx',
    verb: 'list',
    resource: ' v1 pods  ns x ',
  },
  { name: 'an unequal name names nothing', url: '/api/v1/pods?fieldSelector=metadata.name!%3Dx', verb: 'list', resource: ' v1 pods    ' },
  { name: 'a create', method: 'POST', url: '/api/v1/namespaces/ns/pods', verb: 'create', resource: ' v1 pods  ns  ' },
  { name: 'a delete of all', method: 'DELETE', url: '/api/v1/namespaces/ns/pods', verb: 'deletecollection', resource: ' v1 pods  ns  ' },
  {
    name: 'a subresource',
    method: 'PUT',
    url: '/apis/apps/v1/namespaces/ns/deployments/d/scale',
    verb: 'update',
    resource: 'apps v1 deployments scale ns d ',
  },
  { name: 'a proxied path', url: '/api/v1/namespaces/ns/pods/p:80/proxy/a%2Fb/c/', verb: 'get', resource: ' v1 pods proxy ns p:80 a%2Fb/c/' },
  { name: 'a namespace', url: '/api/v1/namespaces/ns', verb: 'get', resource: ' v1 namespaces  ns ns ' },
  {
    name: 'a subresource of a namespace',
    method: 'PUT',
    url: '/api/v1/namespaces/ns/finalize',
    verb: 'update',
    resource: ' v1 namespaces finalize ns ns ',
  },
  { name: 'all namespaces', url: '/api/v1/namespaces', verb: 'list', resource: ' v1 namespaces    ' },
  { name: 'an encoded name', url: '/api/v1/nodes/a%3Ab', verb: 'get', resource: ' v1 nodes   a:b ' },
  { name: 'a group is not a resource', url: '/apis/apps', verb: 'get' },
  { name: 'a group version is not a resource', url: '/apis/apps/v1', verb: 'get' },
  { name: 'health is not a resource', url: '/healthz', verb: 'get' },
]

for (const { name, method = 'GET', url, verb, resource } of rows)
  test(`${name}: ${method} ${url}`, () => {
    const [path, search] = url.split('?') as [string, string?]
    const info = parseRequest(method, path, new URLSearchParams(search), user)
    assert.equal(info.verb, verb)
    const r = info.resource
    assert.equal(r && [r.group, r.version, r.resource, r.subresource, r.namespace, r.name, r.rest].join(' '), resource)
  })
