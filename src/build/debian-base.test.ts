import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codenameOf, debianSources, mirrorOf, openAddress, transportOf } from './apt.ts'
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

const sources: [string, string][] = [
  ['deb822', '# a comment\nTypes: deb\n# another\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main contrib\n'],
  ['one line', 'deb-src http://src.example bookworm main\ndeb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian bookworm main\n'],
  ['a release by its rank', 'deb http://mirror.example/debian stable main\n'],
]
for (const [name, text] of sources)
  test(`the machine’s mirror is found in sources of ${name}`, () => {
    const others =
      'Types: deb\nURIs: http://other.example\nSuites: nodistro\nComponents: main\n\nTypes: deb\nURIs: http://security.example\nSuites: bookworm-security\nComponents: main\n'
    assert.equal(mirrorOf([others, text], 'bookworm'), 'http://mirror.example/debian')
    assert.throws(() => mirrorOf([others], 'bookworm'), /no source for Debian bookworm/)
  })

test('a source that is switched off is none', () => {
  const off = 'Types: deb\nURIs: http://off.example\nSuites: bookworm\nComponents: main\nEnabled: no\n'
  assert.throws(() => mirrorOf([off], 'bookworm'), /no source/)
})

test('the release is the machine’s, which must be Debian', () => {
  assert.equal(codenameOf('ID=debian\nVERSION_CODENAME=bookworm\n'), 'bookworm')
  assert.equal(codenameOf('ID="debian"\n'), 'sid')
  assert.throws(() => codenameOf('ID=ubuntu\nVERSION_CODENAME=jammy\n'), /another system/)
})

test('sid has no updates of its own', () => {
  assert.doesNotMatch(debianSources('sid', 'http://m/debian'), /security|updates/)
  assert.equal(openAddress('http://name:password@m/debian'), 'http://m/debian')
  assert.match(debianSources('bookworm', 'http://m/debian/'), /URIs: http:\/\/m\/debian\n[^]*URIs: http:\/\/m\/debian-security\n/)
})
