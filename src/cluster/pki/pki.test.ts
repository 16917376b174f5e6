import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dayMs } from './certificates.ts'
import { loadOrCreatePki, serviceNames } from './pki.ts'
import { parseRequest, signRequest } from './signing.ts'

const serverNames = [...serviceNames(), '127.0.0.1', '::1', '10.96.0.1']

async function scratch(t: { after(fn: () => unknown): void }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pki-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return join(dir, 'pki')
}

test('a second start finds everything in place and changes nothing', async (t) => {
  const dir = await scratch(t)
  const first = await loadOrCreatePki(dir, { serverNames })
  const second = await loadOrCreatePki(dir, { serverNames })
  assert.deepEqual({ ...second, node: 0 }, { ...first, node: 0 })
  assert.equal((await stat(dir)).mode & 0o777, 0o700)
  assert.equal((await stat(join(dir, 'ca.key'))).mode & 0o777, 0o600)
  assert.equal((await stat(join(dir, 'sa.key'))).mode & 0o777, 0o600)
})

test('certificates carry the names, users and usages that Kubernetes reads from them', async (t) => {
  const pki = await loadOrCreatePki(await scratch(t), { serverNames })
  const ca = new X509Certificate(pki.ca.certificate)
  const apiserver = new X509Certificate(pki.apiserver.certificate)
  assert.ok(ca.ca)
  assert.ok(apiserver.verify(ca.publicKey))
  assert.ok(apiserver.checkIssued(ca))
  for (const name of ['127.0.0.1', '10.96.0.1']) assert.equal(apiserver.checkIP(name), name)
  assert.equal(apiserver.checkHost('kubernetes.default.svc'), 'kubernetes.default.svc')
  assert.deepEqual(apiserver.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.equal(new X509Certificate(pki.admin.certificate).subject, 'O=system:masters\nCN=kubernetes-admin')
  assert.equal(new X509Certificate(pki.scheduler.certificate).subject, 'CN=system:kube-scheduler')
  assert.deepEqual(new X509Certificate(pki.admin.certificate).keyUsage, ['1.3.6.1.5.5.7.3.2'])
  const node = await pki.node('n1', ['192.0.2.7'])
  assert.equal(new X509Certificate(node.client.certificate).subject, 'O=system:nodes\nCN=system:node:n1')
  assert.equal(new X509Certificate(node.serving.certificate).checkIP('192.0.2.7'), '192.0.2.7')
  assert.ok(!new X509Certificate(pki.frontProxyClient.certificate).verify(ca.publicKey))
})

test('a new server name or a near expiry renews a certificate, and the authority stays', async (t) => {
  const dir = await scratch(t)
  const first = await loadOrCreatePki(dir, { serverNames })
  const named = await loadOrCreatePki(dir, { serverNames: [...serverNames, 'k8s.example.org'] })
  assert.notEqual(named.apiserver.certificate, first.apiserver.certificate)
  assert.equal(named.admin.certificate, first.admin.certificate)
  const later = await loadOrCreatePki(dir, { serverNames, now: Date.now() + 340 * dayMs })
  assert.equal(later.ca.certificate, first.ca.certificate)
  assert.notEqual(later.admin.certificate, first.admin.certificate)
})

test('an authority near its end gets a new certificate for the same key, so that what it signed stays valid', async (t) => {
  const dir = await scratch(t)
  const first = await loadOrCreatePki(dir, { serverNames })
  const later = await loadOrCreatePki(dir, { serverNames, now: Date.now() + 3600 * dayMs })
  assert.equal(later.ca.key, first.ca.key)
  assert.ok(new X509Certificate(first.admin.certificate).verify(new X509Certificate(later.ca.certificate).publicKey))
})

test('a pair that a crash left unfitting is made anew; a broken token key is an error', async (t) => {
  const dir = await scratch(t)
  const first = await loadOrCreatePki(dir, { serverNames })
  await writeFile(join(dir, 'admin.key'), await readFile(join(dir, 'proxy.key')))
  const second = await loadOrCreatePki(dir, { serverNames })
  assert.notEqual(second.admin.certificate, first.admin.certificate)
  await writeFile(join(dir, 'sa.key'), 'garbage')
  await assert.rejects(loadOrCreatePki(dir, { serverNames }), /holds no private key/)
})

test('a certificate request is signed with its own subject and names, no longer than the authority lives', async (t) => {
  const dir = await scratch(t)
  const pki = await loadOrCreatePki(dir, { serverNames })
  const config = join(dir, 'csr.conf')
  await writeFile(config, '[req]\ndistinguished_name=d\n[d]\n')
  const csr = execFileSync(
    'openssl',
    [
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-config',
      config,
      '-subj',
      '/O=dev, ops/CN=jane',
      '-addext',
      'subjectAltName=DNS:a.example.org,IP:192.0.2.1',
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const parsed = await parseRequest(csr)
  assert.deepEqual([parsed.commonName, parsed.organizations, parsed.names], ['jane', ['dev, ops'], ['a.example.org', '192.0.2.1']])
  const now = Date.now()
  const signed = new X509Certificate(await signRequest(pki.ca, csr, { usages: ['client'], seconds: 3600, now }))
  assert.ok(signed.verify(new X509Certificate(pki.ca.certificate).publicKey))
  assert.equal(signed.subjectAltName, 'DNS:a.example.org, IP Address:192.0.2.1')
  assert.ok(Math.abs(Date.parse(signed.validTo) - now - 3600_000) < 2000)
  await assert.rejects(parseRequest('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'))
})
