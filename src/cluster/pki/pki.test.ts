import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dayMs } from './certificates.ts'
import { loadOrCreatePki, serviceNames } from './pki.ts'
import { certificateAuthority } from './signing.ts'

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
  const authority = certificateAuthority(pki.ca)
  const csr = await signingRequest(dir, '/O=dev, ops/OU=building 7/CN=jane', 'DNS:a.example.org,IP:192.0.2.1,email:jane@example.org,URI:spiffe://x/y')
  assert.deepEqual(await authority.read(csr), {
    commonName: 'jane',
    organizations: ['dev, ops'],
    dnsNames: ['a.example.org'],
    ipAddresses: ['192.0.2.1'],
    emailAddresses: ['jane@example.org'],
    uris: ['spiffe://x/y'],
  })
  const now = Date.now()
  const usages = ['client auth', 'digital signature']
  const signed = new X509Certificate(await authority.sign(csr, { usages, seconds: 3600, now }))
  assert.ok(signed.verify(new X509Certificate(pki.ca.certificate).publicKey))
  assert.equal(signed.subject, 'O=dev\\, ops\nOU=building 7\nCN=jane')
  assert.equal(signed.subjectAltName, 'DNS:a.example.org, IP Address:192.0.2.1, email:jane@example.org, URI:spiffe://x/y')
  assert.deepEqual(signed.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  assert.equal(signed.ca, false)
  const lasts = async (seconds: number | undefined, at = now) => {
    const { validTo } = new X509Certificate(await authority.sign(csr, { usages, ...(seconds ? { seconds } : {}), now: at }))
    return Math.round((Date.parse(validTo) - at) / 60_000)
  }
  const year = 365 * 24 * 60
  const left = Math.round((Date.parse(new X509Certificate(pki.ca.certificate).validTo) - now) / 60_000)
  assert.deepEqual(
    [await lasts(3600), await lasts(1), await lasts(24 * 3600), await lasts(undefined), await lasts(undefined, now + (left - 60) * 60_000)],
    [60, 10, 24 * 60 - 5, year - 5, 60],
  )
  await assert.rejects(authority.sign(csr, { usages: ['client auth', 'to fly'], now }), /unrecognized usage values: \["to fly"\]/)
  await assert.rejects(authority.sign(csr, { usages, now: now + (left + 1) * 60_000 }), /expired in the past/)
  await assert.rejects(authority.read('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'))
})

async function signingRequest(dir: string, subject: string, names: string): Promise<string> {
  const config = join(dir, 'csr.conf')
  await writeFile(config, '[req]\ndistinguished_name=d\n[d]\n')
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null']
  return execFileSync('openssl', ['req', '-new', ...key, '-config', config, '-subj', subject, '-addext', `subjectAltName=${names}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}
