import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import { parseResolvConf, podDns, podHostname } from './dns.ts'
import { hostsFile } from './hosts-file.ts'
import type { Pod } from './names.ts'
import { lastLogLines } from './termination-message.ts'

const pod = (spec: Partial<core.PodSpec> = {}, name = 'p'): Pod =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'ns', uid: 'u' }, spec: { containers: [], ...spec } }) as unknown as Pod
const cluster = { servers: ['10.96.0.10'], domain: 'cluster.local' }
const host = parseResolvConf('# c\nnameserver 9.9.9.9\nsearch corp.example.\noptions rotate\n')
const clusterSearches = ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example']

describe('dns', () => {
  const rows: { name: string; spec: Partial<core.PodSpec>; is: object }[] = [
    { name: 'a pod asks the cluster first', spec: {}, is: { servers: ['10.96.0.10'], searches: clusterSearches, options: ['ndots:5'] } },
    {
      name: 'on the host’s network it has the host’s',
      spec: { hostNetwork: true },
      is: { servers: ['9.9.9.9'], searches: ['corp.example'], options: ['rotate'] },
    },
    {
      name: 'unless it says otherwise',
      spec: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      is: { servers: ['10.96.0.10'], searches: clusterSearches, options: ['ndots:5'] },
    },
    { name: 'Default is the host’s', spec: { dnsPolicy: 'Default' }, is: { servers: ['9.9.9.9'], searches: ['corp.example'], options: ['rotate'] } },
    {
      name: 'None is its own alone',
      spec: {
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a.b'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
      },
      is: { servers: ['1.1.1.1'], searches: ['a.b'], options: ['ndots:2', 'edns0'] },
    },
    {
      name: 'its own options win over the policy’s',
      spec: { dnsConfig: { nameservers: ['1.1.1.1', '10.96.0.10'], options: [{ name: 'ndots', value: '1' }] } },
      is: { servers: ['10.96.0.10', '1.1.1.1'], searches: clusterSearches, options: ['ndots:1'] },
    },
  ]
  for (const { name, spec, is } of rows) test(name, () => assert.deepEqual(podDns(pod(spec), cluster, host), is))
  test('without cluster servers the host’s are used', () => assert.deepEqual(podDns(pod(), { ...cluster, servers: [] }, host).servers, ['9.9.9.9']))
})

describe('host name', () => {
  const long = 'a'.repeat(62)
  test('is the pod’s', () => assert.deepEqual(podHostname(pod(), 'cluster.local'), { hostname: 'p' }))
  test('is cut to a label', () => assert.equal(podHostname(pod({}, `${long}-b`), 'x').hostname, long))
  test('has a domain with a subdomain', () =>
    assert.deepEqual(podHostname(pod({ hostname: 'h', subdomain: 's' }), 'cluster.local'), { hostname: 'h', fqdn: 'h.s.ns.svc.cluster.local' }))
  test('is the whole name when the pod says so', () =>
    assert.equal(podHostname(pod({ hostname: 'h', subdomain: 's', setHostnameAsFQDN: true }), 'cluster.local').hostname, 'h.s.ns.svc.cluster.local'))
  test('is refused when the kernel cannot take it', () =>
    assert.throws(() => podHostname(pod({ hostname: long, subdomain: 's', setHostnameAsFQDN: true }), 'cluster.local'), /is too long/))
})

describe('hosts file', () => {
  test('names the pod by its addresses', () => {
    const text = hostsFile(pod({ hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] }), ['10.0.0.1'], { hostname: 'h', fqdn: 'h.s.x' }, '')
    assert.ok(text.startsWith('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n'))
    assert.ok(text.endsWith('10.0.0.1\th.s.x\th\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n'))
  })
  test('on the host’s network is the host’s', () =>
    assert.equal(
      hostsFile(pod({ hostNetwork: true }), [], { hostname: 'h' }, '127.0.0.1 x\n'),
      '# Kubernetes-managed hosts file (host network).\n127.0.0.1 x\n',
    ))
})

describe('the end of a log as termination message', () => {
  test('joins partial lines', () => assert.equal(lastLogLines('t stdout F one\nt stdout P tw\nt stderr F o\n'), 'one\ntwo\n'))
  test('keeps the last 80 lines', () => {
    const lines = lastLogLines(Array.from({ length: 100 }, (_, i) => `t stdout F ${i}\n`).join(''))
    assert.equal(lines.split('\n')[0], '20')
  })
  test('keeps the last 2048 bytes', () => assert.equal(lastLogLines(`t stdout F ${'x'.repeat(5000)}\n`).length, 2048))
})
