import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '#api'
import { causesOf, refusals } from '../../../test-refusals.ts'
import { startTestServer } from '../../../test-server.ts'

type Loose = any

const parentRef = { resource: 'services', namespace: 'default', name: 'a' }
const address = (name: string, spec: object = { parentRef }) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name }, spec })
const ranges = (cidrs: string[] | undefined, name = 'a') => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name },
  spec: cidrs ? { cidrs } : {},
})

test('addresses are objects by their canonical names', async (context) => {
  await using t = await startTestServer()
  const rows: [string, object, string[]][] = [
    ['an IPv4 address is taken', address('10.0.0.1'), []],
    ['an IPv6 address is taken', address('2001:db8::1'), []],
    ['a name is no address', address('abc'), ['metadata.name: Invalid value: "abc": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
    ['zeros in front are octal to others', address('10.0.00.01'), ['metadata.name: Invalid value: "10.0.00.01": must not have leading 0s']],
    [
      'an IPv4 address is not written as IPv6',
      address('::ffff:10.0.0.1'),
      ['metadata.name: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address'],
    ],
    ['there is one form', address('2001:DB8:0::1'), ['metadata.name: Invalid value: "2001:DB8:0::1": must be in canonical form ("2001:db8::1")']],
    ['somebody has it', address('10.0.0.1', {}), ['spec.parentRef: Required value']],
    [
      'by resource and name',
      address('10.0.0.1', { parentRef: {} }),
      ['spec.parentRef.resource: Required value', 'spec.parentRef.name: Required value'],
    ],
    [
      'that can stand in a path',
      address('10.0.0.1', { parentRef: { group: 'A', resource: 'a/b', namespace: '..', name: 'a%b' } }),
      [
        "spec.parentRef.group: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        `spec.parentRef.resource: Invalid value: "a/b": may not contain '/'`,
        `spec.parentRef.name: Invalid value: "a%b": may not contain '%'`,
        `spec.parentRef.namespace: Invalid value: "..": may not be '..'`,
      ],
    ],
  ]
  for (const [name, object, expected] of rows)
    await context.test(name, async () => {
      assert.deepEqual(await refusals(t.client, resources.ipAddresses, object), expected)
    })
  await context.test('its owner does not change', async () => {
    const addresses = t.client.resource(resources.ipAddresses)
    const made = await addresses.create(address('10.0.0.1') as Loose)
    assert.deepEqual(await causesOf(addresses.update({ ...made, spec: { parentRef: { ...parentRef, name: 'b' } } } as Loose)), [
      'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"default","Name":"b"}: field is immutable',
    ])
  })
})

test('ranges of services are one for each family', async (context) => {
  await using t = await startTestServer()
  const rows: [string, string[] | undefined, string[]][] = [
    ['a range is taken', ['10.0.0.0/24'], []],
    ['one of each family is taken', ['2001:db8::/112', '10.0.0.0/24'], []],
    ['there is one at least', undefined, ['spec.cidrs: Required value: at least one CIDR required']],
    [
      'and two at most',
      ['10.0.0.0/24', '2001:db8::/112', '10.0.1.0/24'],
      ['spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","2001:db8::/112","10.0.1.0/24"]}: may only hold up to 2 values'],
    ],
    [
      'of different families',
      ['10.0.0.0/24', '10.0.1.0/24'],
      [
        'spec.cidrs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    ],
    [
      'an address is no range',
      ['10.0.0.1'],
      ['spec.cidrs[0]: Invalid value: "10.0.0.1": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ],
    [
      'nor is what has no end',
      ['10.0.0.0/33'],
      ['spec.cidrs[0]: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ],
    [
      'bits beyond the length mean nothing',
      ['10.0.0.1/24'],
      ['spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length'],
    ],
    [
      'zeros in front are octal to others',
      ['010.0.0.0/24'],
      ['spec.cidrs[0]: Invalid value: "010.0.0.0/24": must not have leading 0s in IP or prefix length'],
    ],
    ['also in the length', ['10.0.0.0/024'], ['spec.cidrs[0]: Invalid value: "10.0.0.0/024": must not have leading 0s in IP or prefix length']],
    [
      'IPv4 is not written as IPv6',
      ['::ffff:10.0.0.0/120'],
      ['spec.cidrs[0]: Invalid value: "::ffff:10.0.0.0/120": must not have an IPv4-mapped IPv6 address'],
    ],
    ['there is one form', ['2001:DB8::/64'], ['spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")']],
  ]
  for (const [name, cidrs, expected] of rows)
    await context.test(name, async () => {
      assert.deepEqual(await refusals(t.client, resources.serviceCIDRs, ranges(cidrs)), expected)
    })

  await context.test('another family may come, and nothing else changes', async () => {
    const all = t.client.resource(resources.serviceCIDRs)
    const made = await all.create(ranges(['10.0.0.0/24']) as Loose)
    const changed = (cidrs: string[]) => causesOf(all.update({ ...made, spec: { cidrs } } as Loose, { dryRun: true }))
    assert.deepEqual(await changed(['10.0.1.0/24']), ['spec.cidrs[0]: Invalid value: "10.0.1.0/24": field is immutable'])
    assert.deepEqual(await changed(['10.0.1.0/24', '2001:db8::/64']), ['spec.cidrs[0]: Invalid value: "10.0.1.0/24": field is immutable'])
    assert.deepEqual(await changed([]), ['spec.cidrs: Invalid value: null: field is immutable'])
    assert.deepEqual(await changed(['10.0.0.0/24', '2001:db8::/64']), [])
  })

  await context.test('the status is its own', async () => {
    const all = t.client.resource(resources.serviceCIDRs)
    const made = await all.create(ranges(['10.1.0.0/24'], 'b') as Loose)
    const conditions = [{ type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }]
    const ready = await all.updateStatus({ ...made, spec: { cidrs: ['10.9.0.0/24'] }, status: { conditions } } as Loose)
    assert.deepEqual([ready.spec.cidrs, ready.status?.conditions?.[0]?.status], [['10.1.0.0/24'], 'True'])
  })
})
