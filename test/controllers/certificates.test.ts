import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { type certificates, resources } from '#api'
import { createAuthority } from '../../src/cluster/pki/index.ts'
import { certificateAuthority } from '../../src/cluster/pki/signing.ts'
import { x509 } from '../../src/cluster/pki/x509.ts'
import { startTestCluster } from './cluster.ts'

const only = ['csrapproving', 'csrsigning', 'csrcleaner']
type SigningRequest = certificates.CertificateSigningRequest

/** A request for a subject, made as a client would; base64 of its PEM. */
async function requestFor(subject: string): Promise<string> {
  const lib = await x509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  const request = await lib.Pkcs10CertificateRequestGenerator.create({ name: subject, keys, signingAlgorithm: algorithm })
  return Buffer.from(request.toString('pem')).toString('base64')
}

const approved: certificates.CertificateSigningRequestCondition = { type: 'Approved', status: 'True', reason: 'ByHand', message: '' }

test('what is approved is signed, once and by its signer alone; what the signer does not take fails', async () => {
  const ca = await createAuthority({ commonName: 'kubernetes' })
  await using cluster = await startTestCluster({ only, nodes: 0, authority: certificateAuthority(ca) })
  const api = cluster.client.resource(resources.certificateSigningRequests)
  const ask = async (name: string, signerName: string, usages: certificates.KeyUsage[]) => {
    const request = await cluster.create(resources.certificateSigningRequests, {
      metadata: { name },
      spec: { request: await requestFor('O=ops,CN=jane'), signerName, usages, expirationSeconds: 3600 },
    })
    await api.updateSubresource(name, undefined, 'approval', { ...request, status: { conditions: [approved] } })
  }
  await ask('other', 'example.org/other', ['client auth'])
  await ask('wrong', 'kubernetes.io/kube-apiserver-client', ['client auth', 'server auth'])
  await ask('right', 'kubernetes.io/kube-apiserver-client', ['client auth'])
  const right = await cluster.until(resources.certificateSigningRequests, 'right', ({ status }) => status?.certificate !== undefined)
  const certificate = new X509Certificate(Buffer.from(right.status!.certificate!, 'base64'))
  assert.equal(certificate.subject, 'O=ops\nCN=jane')
  assert.ok(certificate.verify(new X509Certificate(ca.certificate).publicKey))
  const wrong = await cluster.until(resources.certificateSigningRequests, 'wrong', ({ status }) => status?.conditions?.length === 2)
  const { reason, message } = wrong.status!.conditions![1]!
  assert.deepEqual([reason, message], ['SignerValidationFailure', 'invalid usage for client certificate: server auth'])
  assert.equal((await api.get('other')).status?.certificate, undefined)
})

test('a kubelet that may have a client certificate gets it by itself, others wait', async () => {
  await using cluster = await startTestCluster({
    only,
    nodes: 0,
    authority: certificateAuthority(await createAuthority({ commonName: 'kubernetes' })),
  })
  const ask = async (name: string, subject: string) =>
    cluster.create(resources.certificateSigningRequests, {
      metadata: { name },
      spec: {
        request: await requestFor(subject),
        signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['client auth', 'digital signature'],
      },
    } as Pick<SigningRequest, 'metadata' | 'spec'>)
  await ask('user', 'O=ops,CN=jane')
  await ask('node', 'O=system:nodes,CN=system:node:a')
  const node = await cluster.until(resources.certificateSigningRequests, 'node', ({ status }) => status?.certificate !== undefined)
  const { type, reason, message } = node.status!.conditions![0]!
  assert.deepEqual([type, reason, message], ['Approved', 'AutoApproved', 'Auto approving kubelet client certificate after SubjectAccessReview.'])
  assert.equal((await cluster.client.resource(resources.certificateSigningRequests).get('user')).status?.conditions, undefined)
})
