import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { certificates } from '#api'
import type { RequestedCertificate } from './authority.ts'
import { expiresAt } from './cleaning.ts'
import { signers } from './signers.ts'

const request: RequestedCertificate = { commonName: '', organizations: [], dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] }
const node = { ...request, commonName: 'system:node:a', organizations: ['system:nodes'] }
const forClients = ['client auth', 'digital signature', 'key encipherment']
const forServers = ['server auth', 'digital signature', 'key encipherment']
const [user, kubelet, serving, legacy] = ['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown']

const rows: { name: string; signer: string; asked: RequestedCertificate; usages: string[]; refused?: string }[] = [
  { name: 'users may have client certificates', signer: user, asked: request, usages: ['client auth'] },
  { name: 'users sign and encipher with them', signer: user, asked: request, usages: forClients },
  { name: 'users serve nothing', signer: user, asked: request, usages: forServers, refused: 'invalid usage for client certificate: server auth' },
  {
    name: 'certificates of users are for clients',
    signer: user,
    asked: request,
    usages: ['digital signature'],
    refused: 'missing required usage for client certificate: client auth',
  },
  { name: 'a kubelet has a client certificate', signer: kubelet, asked: node, usages: forClients },
  { name: 'keys other than RSA encipher no keys', signer: kubelet, asked: node, usages: ['digital signature', 'client auth'] },
  {
    name: 'a kubelet is of the nodes',
    signer: kubelet,
    asked: { ...node, organizations: ['system:nodes', 'x'] },
    usages: forClients,
    refused: 'subject organization is not system:nodes',
  },
  {
    name: "a kubelet's user name says node",
    signer: kubelet,
    asked: { ...node, commonName: 'a' },
    usages: forClients,
    refused: 'subject common name does not begin with system:node:',
  },
  {
    name: 'clients have no host names',
    signer: kubelet,
    asked: { ...node, dnsNames: ['a'] },
    usages: forClients,
    refused: 'DNS subjectAltNames are not allowed',
  },
  {
    name: 'clients have no addresses',
    signer: kubelet,
    asked: { ...node, ipAddresses: ['192.0.2.1'] },
    usages: forClients,
    refused: 'IP subjectAltNames are not allowed',
  },
  {
    name: 'kubelets have no mail',
    signer: kubelet,
    asked: { ...node, emailAddresses: ['a@b'] },
    usages: forClients,
    refused: 'Email subjectAltNames are not allowed',
  },
  {
    name: 'kubelets have no URIs',
    signer: kubelet,
    asked: { ...node, uris: ['a:b'] },
    usages: forClients,
    refused: 'URI subjectAltNames are not allowed',
  },
  {
    name: 'client certificates of kubelets serve nothing',
    signer: kubelet,
    asked: node,
    usages: forServers,
    refused: 'usages did not match [client auth digital signature key encipherment]',
  },
  { name: 'a kubelet serves under its names', signer: serving, asked: { ...node, dnsNames: ['a'] }, usages: forServers },
  { name: 'a kubelet serves under some name', signer: serving, asked: node, usages: forServers, refused: 'DNS or IP subjectAltName is required' },
  {
    name: 'a kubelet that serves is no client',
    signer: serving,
    asked: { ...node, dnsNames: ['a'] },
    usages: forClients,
    refused: 'usages did not match [digital signature key encipherment server auth]',
  },
  { name: 'the old signer takes all', signer: legacy, asked: request, usages: ['code signing'] },
]
for (const { name, signer, asked, usages, refused } of rows)
  test(`${name}: ${refused ?? 'signed'}`, () => assert.equal(signers[`kubernetes.io/${signer}`]!(asked, usages), refused))

const made = '2026-01-01T00:00:00Z'
const settled = '2026-01-01T02:00:00Z'
const condition = (type: string) => ({ type, status: 'True', lastUpdateTime: settled })
const old: { name: string; status: certificates.CertificateSigningRequestStatus; until: string | undefined }[] = [
  { name: 'nobody looked at goes after a day', status: {}, until: '2026-01-02T00:00:00Z' },
  { name: 'was denied goes after an hour', status: { conditions: [condition('Denied')] }, until: '2026-01-01T03:00:00Z' },
  { name: 'failed goes after an hour', status: { conditions: [condition('Approved'), condition('Failed')] }, until: '2026-01-01T03:00:00Z' },
  { name: 'was issued goes after an hour', status: { conditions: [condition('Approved')], certificate: 'bm9uZQ==' }, until: '2026-01-01T03:00:00Z' },
  { name: 'waits for its certificate stays', status: { conditions: [condition('Approved')] }, until: undefined },
]
for (const { name, status, until } of old)
  test(`a request that ${name}`, () => {
    const spec = { request: '', signerName: 'kubernetes.io/kube-apiserver-client' }
    const found = expiresAt({
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'a', creationTimestamp: made },
      spec,
      status,
    })
    assert.equal(found, until && Date.parse(until))
  })
