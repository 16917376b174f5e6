import assert from 'node:assert/strict'
import { test } from 'node:test'
import { debianSources, mainTarget, transportOf } from './apt.ts'
import { debianBaseOf } from './debian-base.ts'

const bases: [string, { suite: string; slim: boolean } | undefined][] = [
  ['debian', { suite: 'bookworm', slim: false }],
  ['debian:stable-slim', { suite: 'bookworm', slim: true }],
  ['docker.io/library/debian:bookworm', { suite: 'bookworm', slim: false }],
  ['debian:12.5-slim', { suite: 'bookworm', slim: true }],
  ['debian:13', { suite: 'trixie', slim: false }],
  ['debian:unstable', { suite: 'sid', slim: false }],
  ['debian:nonsense', undefined],
  ['ubuntu:22.04', undefined],
  ['localhost/debian:bookworm', undefined],
  ['me/debian:bookworm', undefined],
]
for (const [name, base] of bases)
  test(`${name} is ${base ? `${base.suite}${base.slim ? ' without documentation' : ''}` : 'no image of Debian’s'}`, () =>
    assert.deepEqual(debianBaseOf(name, 'bookworm'), base))

test('a build gets how to reach packages, and nothing that runs programs or names files', () => {
  const dump = `APT "";
Acquire::http::Proxy "http://proxy.example:3142";
Acquire::http::Proxy-Auto-Detect "/usr/bin/detect";
Acquire::https::CAInfo "/etc/ssl/mine.pem";
Acquire::Check-Valid-Until "false";
Acquire::Retries "";
DPkg::Pre-Install-Pkgs:: "/usr/sbin/dpkg-preconfigure --apt || true";`
  assert.deepEqual(transportOf(dump), ['Acquire::http::Proxy "http://proxy.example:3142";', 'Acquire::Check-Valid-Until "false";'])
})

test('the machine’s mirror is where main of its release comes from', () => {
  const targets = `https://other.example/ nodistro main Other
http://deb.debian.org/debian-security/ bookworm-security main Debian
http://mirror.example/debian/ bookworm main Debian
`
  assert.deepEqual(mainTarget(targets), ['http://mirror.example/debian/', 'bookworm'])
  assert.throws(() => mainTarget(''), /apt-get update/)
})

test('sid has no updates of its own', () => {
  assert.doesNotMatch(debianSources('sid'), /security|updates/)
  assert.match(debianSources('bookworm', 'http://m/debian/'), /URIs: http:\/\/m\/debian\n[^]*URIs: http:\/\/m\/debian-security\n/)
})
