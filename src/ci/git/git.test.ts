import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCgiHead } from './cgi.ts'
import { isRefName } from './git.ts'
import { parseGitRequest } from './names.ts'
import { createPacketReader, flushPacket, packet, progressPackets } from './pkt-line.ts'
import { asksToSkip, updatedRefs } from './push-plan.ts'
import { createAnswerReader, createPushRequestParser } from './receive-pack.ts'
import { basicCredentials, hashToken, mintToken, tokenId, tokenMatches } from './tokens.ts'

const old = 'a'.repeat(40)
const next = 'b'.repeat(40)
const zero = '0'.repeat(40)

test('packets are read whatever the chunks they come in', () => {
  const bytes = Buffer.concat([packet('hello\n'), flushPacket, packet(''), packet(Buffer.of(1, 2))])
  for (let size = 1; size <= bytes.length; size++) {
    const reader = createPacketReader()
    const seen: string[] = []
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes.subarray(at, at + size))
      for (let p = reader.next(); p; p = reader.next()) seen.push(p.type === 'data' ? p.payload.toString('hex') : p.type)
    }
    assert.deepEqual(seen, [Buffer.from('hello\n').toString('hex'), 'flush', '', '0102'])
  }
})

test('what is no packet is refused', () => {
  for (const text of ['zzzz', '0003', 'fff1', '-001']) {
    const reader = createPacketReader()
    reader.push(Buffer.from(text))
    assert.throws(() => reader.next(), /packet/)
  }
})

test('a long text becomes several packets of side band 2', () => {
  const packets = progressPackets('x'.repeat(100_000))
  assert.equal(packets.length, 2)
  assert.ok(packets.every((p) => p.length <= 65520 && p[4] === 2))
})

test('a push is read until its pack begins, byte by byte, and nothing of the pack is looked at', () => {
  const body = Buffer.concat([
    packet(`${old} ${next} refs/heads/main\0 report-status side-band-64k push-options agent=git/2\n`),
    packet(`${next} ${zero} refs/heads/gone`),
    flushPacket,
    packet('follow\n'),
    packet('ci.variable=a b'),
    flushPacket,
    Buffer.from('PACKzzzz'),
  ])
  const parser = createPushRequestParser()
  let request
  for (const byte of body) request = parser.push(Buffer.of(byte))
  assert.deepEqual(request?.commands, [
    { from: old, to: next, ref: 'refs/heads/main' },
    { from: next, to: zero, ref: 'refs/heads/gone' },
  ])
  assert.deepEqual(request?.options, ['follow', 'ci.variable=a b'])
})

test('a signed push has its commands beside the certificate', () => {
  const parser = createPushRequestParser()
  const request = parser.push(
    Buffer.concat([
      packet(`${zero} ${next} refs/heads/main\0 report-status`),
      packet('push-cert\n'),
      packet('certificate version 0.1\n'),
      packet('push-cert-end\n'),
      flushPacket,
    ]),
  )
  assert.deepEqual(request?.commands, [{ from: zero, to: next, ref: 'refs/heads/main' }])
})

test('a line that is no command is refused', () => {
  assert.throws(() => createPushRequestParser().push(packet('hello')), /not a command/)
})

test('the answer to a push passes through but for its end, and its report is read', () => {
  const report = Buffer.concat([packet('unpack ok\n'), packet('ok refs/heads/main\n'), packet('ng refs/heads/x hook declined\n'), flushPacket])
  const bytes = Buffer.concat([
    progressPackets('Resolving\n')[0]!,
    // the report may come in pieces of the side band
    packet(Buffer.concat([Buffer.of(1), report.subarray(0, 20)])),
    packet(Buffer.concat([Buffer.of(1), report.subarray(20)])),
    flushPacket,
  ])
  for (const size of [1, 7, bytes.length]) {
    const reader = createAnswerReader(true)
    const out: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) out.push(reader.push(bytes.subarray(at, at + size)))
    assert.deepEqual(Buffer.concat(out), bytes.subarray(0, -4))
    assert.deepEqual(reader.end(), flushPacket)
    assert.deepEqual(
      [...reader.report()],
      [
        ['refs/heads/main', undefined],
        ['refs/heads/x', 'hook declined'],
      ],
    )
  }
})

test('only branches and tags that moved get a pipeline', () => {
  const commands = [
    { ref: 'refs/heads/main', from: old, to: next },
    { ref: 'refs/heads/feature/a', from: zero, to: next },
    { ref: 'refs/tags/v1', from: zero, to: next },
    { ref: 'refs/heads/gone', from: old, to: zero },
    { ref: 'refs/heads/refused', from: old, to: next },
    { ref: 'refs/heads/same', from: next, to: next },
    { ref: 'refs/k8ts/local/1', from: zero, to: next },
    { ref: 'refs/heads/unsaid', from: old, to: next },
  ]
  const report = new Map(
    commands.filter((c) => !c.ref.endsWith('unsaid')).map((c) => [c.ref, c.ref.endsWith('refused') ? 'non-fast-forward' : undefined]),
  )
  assert.deepEqual(
    updatedRefs(commands, report).map((u) => u.branch ?? u.tag),
    ['main', 'feature/a', 'v1'],
  )
})

const messages: [string, string, boolean][] = [
  ['a plain title runs', 'fix the door', false],
  ['a title with [skip ci] skips', 'fix [skip ci]', true],
  ['a title with [ci skip] skips', '[ci skip] fix', true],
  ['a body that begins with it skips', 'fix\n\n[skip ci] only words', true],
  ['the first 250 characters of the body count by themselves', `${'t'.repeat(240)}\n\n${'b'.repeat(200)}[skip ci]`, true],
  ['what stands later in the body does not count', `fix\n\n${'b'.repeat(250)}[skip ci]`, false],
  ['what is cut at the 250th character does not count', `${'t'.repeat(245)}[skip ci]`, false],
  ['other words in brackets do not count', 'fix [skip tests]', false],
]
for (const [name, message, expected] of messages) test(`skipping: ${name}`, () => assert.equal(asksToSkip(message), expected))

const addresses: [string, string, string, string | undefined][] = [
  ['GET', 'team/blog.git/info/refs', 'service=git-upload-pack', 'team/blog read'],
  ['GET', 'team/blog.git/info/refs', 'service=git-receive-pack', 'team/blog push'],
  ['POST', 'team/blog.git/git-receive-pack', '', 'team/blog push'],
  ['POST', 'team/blog/git-upload-pack', '', 'team/blog read'],
  ['GET', 'team/blog.git/info/refs', '', undefined],
  ['GET', 'team/blog.git/HEAD', '', undefined],
  ['GET', 'team/blog.git/objects/info/packs', '', undefined],
  ['POST', 'team/blog.git/git-upload-archive', '', undefined],
  ['GET', 'team/blog.git/info/refs', 'service=constructor', undefined],
  ['POST', 'team/../git-upload-pack', '', undefined],
  ['POST', '../blog/git-upload-pack', '', undefined],
  ['POST', 'team/a/b.git/git-upload-pack', '', undefined],
  ['POST', 'team/.hidden/git-upload-pack', '', undefined],
  ['GET', 'team/blog.git/git-upload-pack', '', undefined],
]
for (const [method, path, query, expected] of addresses)
  test(`${method} ${path}?${query} is ${expected ?? 'not served'}`, () => {
    const asked = parseGitRequest(method, path, new URLSearchParams(query))
    assert.equal(asked && `${asked.project} ${asked.access}`, expected)
  })

test('a token is known again by its hash, and only it', () => {
  const { id, token, stored } = mintToken({ actor: 'ann', scopes: ['read'], now: 0 })
  assert.equal(tokenId(token), id)
  assert.ok(!JSON.stringify(stored).includes(token))
  assert.equal(stored.hash, hashToken(token))
  assert.ok(tokenMatches(token, stored))
  assert.ok(!tokenMatches(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, stored))
  assert.equal(tokenId('password'), undefined)
})

test('basic credentials are read as RFC 7617 writes them', () => {
  assert.deepEqual(basicCredentials('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), { user: 'Aladdin', password: 'open sesame' })
  assert.deepEqual(basicCredentials(`basic ${btoa('a:b:c')}`), { user: 'a', password: 'b:c' })
  for (const wrong of [undefined, '', 'Bearer x', 'Basic !!', `Basic ${btoa('nocolon')}`]) assert.equal(basicCredentials(wrong), undefined)
})

test('the head of a CGI answer has a status and fields', () => {
  assert.equal(parseCgiHead(Buffer.from('Status: 404 Not Found\r\nA: b')), undefined)
  const head = parseCgiHead(Buffer.from('Status: 404 Not Found\r\nA: b\r\n\r\nrest'))
  assert.deepEqual([head?.status, head?.headers, head?.rest.toString()], [404, [['A', 'b']], 'rest'])
  assert.throws(() => parseCgiHead(Buffer.alloc(70_000, 'x')))
})

test('names of branches are judged as git judges them', () => {
  for (const good of ['main', 'feature/a', 'v1.0', 'a@b', 'ü']) assert.ok(isRefName(good), good)
  for (const bad of ['', '@', '-x', 'a..b', 'a b', 'a~1', 'x.lock', 'a/.b', 'a//b', '/a', 'a/', 'a.', 'a@{1}', 'a\\b', 'a\nb', 'a:b'])
    assert.ok(!isRefName(bad), bad)
})
