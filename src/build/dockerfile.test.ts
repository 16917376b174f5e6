import assert from 'node:assert/strict'
import { test } from 'node:test'
import { argumentLabel, expand, imagesUsed, parseDockerfile, prepareDockerfile, undeclaredArguments } from './dockerfile.ts'

const multi = `# syntax=docker/dockerfile:1
ARG RELEASE=bookworm
FROM debian:\${RELEASE}-slim AS build
# a comment
RUN apt-get update \\
    # inside
    && apt-get install -y \\

       make
copy . /src
FROM --platform=linux/amd64 build
FROM localhost/app AS Last
ARG VERSION="1 2" OTHER
ENV V=$VERSION
COPY --from=build --chown=1:1 /src /src
COPY --from=busybox:1 /bin/sh /
COPY --from=0 /a /b
CMD ["x"]`

test('instructions are joined over continuation lines, comments and empty lines', () => {
  const file = parseDockerfile(multi)
  assert.deepEqual(
    file.stages.map((s) => [s.base, s.name, s.instructions.map((i) => `${i.line}-${i.end} ${i.keyword}`)]),
    [
      ['debian:${RELEASE}-slim', 'build', ['5-9 RUN', '10-10 COPY']],
      ['build', undefined, []],
      ['localhost/app', 'last', ['13-13 ARG', '14-14 ENV', '15-15 COPY', '16-16 COPY', '17-17 COPY', '18-18 CMD']],
    ],
  )
  assert.equal(file.stages[0]!.instructions[0]!.value.replaceAll(/\s+/g, ' '), 'apt-get update && apt-get install -y make')
})

test('the images that a build needs are named in full, without stages and scratch', () => {
  const file = parseDockerfile(multi)
  assert.deepEqual(imagesUsed(file), [
    { image: 'docker.io/library/debian:bookworm-slim', line: 3 },
    { image: 'localhost/app:latest', line: 12 },
    { image: 'docker.io/library/busybox:1', line: 16 },
  ])
  assert.deepEqual(imagesUsed(file, { RELEASE: 'trixie' }, 'build'), [{ image: 'docker.io/library/debian:trixie-slim', line: 3 }])
  assert.deepEqual(imagesUsed(parseDockerfile('FROM scratch\nCOPY a /')), [])
})

test('buildah gets full names, and a label after an ARG that follows its value', () => {
  const file = parseDockerfile(multi)
  const one = prepareDockerfile(file, { VERSION: '3' })
  const two = prepareDockerfile(file, { VERSION: '4' })
  assert.match(one.text, /^FROM docker\.io\/library\/debian:bookworm-slim AS build$/m)
  assert.match(one.text, /^FROM localhost\/app:latest AS last$/m)
  assert.match(one.text, new RegExp(`^ARG VERSION="1 2" OTHER\nLABEL ${argumentLabel}=[0-9a-f]{16}\nENV V=\\$VERSION$`, 'm'))
  assert.notEqual(one.text, two.text)
  assert.equal(one.text, prepareDockerfile(file, { VERSION: '3' }).text)
  assert.deepEqual(
    one.steps[2]!.slice(0, 4).map((s) => [s.line, s.hidden]),
    [
      [12, false],
      [13, false],
      [13, true],
      [14, false],
    ],
  )
  assert.equal(prepareDockerfile(file, {}, 'build').steps.length, 1)
})

test('a changed default counts as a changed value', () => {
  const text = (value: string) => prepareDockerfile(parseDockerfile(`FROM scratch\nARG A=${value}\nENV B=$A`)).text
  assert.notEqual(/LABEL .*/.exec(text('1'))![0], /LABEL .*/.exec(text('2'))![0])
})

test('variables have defaults and alternatives', () => {
  assert.equal(expand('a-$X-${Y}-${Z:-z}-${X:+set}-${Z:+no}', { X: '1', Y: '2' }), 'a-1-2-z-set-')
  assert.equal(expand('${Z:-deep}', {}), 'deep')
})

const wrong: [string, string, RegExp, number][] = [
  ['nothing at all', '# only a comment', /no FROM/, 1],
  ['an instruction before FROM', 'RUN x\nFROM a', /before the first FROM/, 1],
  ['an unknown instruction', 'FROM a\nRUNN x', /unknown instruction RUNN/, 2],
  ['text that does not end', 'FROM a\nRUN <<EOF\nls', /no line EOF ends/, 2],
  ['a FROM with too many words', 'FROM a b', /FROM takes/, 1],
  ['a FROM whose argument is not given', 'ARG B\nFROM ${B}', /names no image/, 2],
]
for (const [name, text, message, line] of wrong)
  test(`${name} is an error with its line`, () =>
    assert.throws(
      () => imagesUsed(parseDockerfile(text)),
      (error: Error & { line?: number }) => message.test(error.message) && error.line === line,
    ))

test('arguments that no ARG takes are told, but for proxies', () =>
  assert.deepEqual(undeclaredArguments(parseDockerfile(multi), { RELEASE: '1', OTHER: '2', TYPO: '3', http_proxy: '4' }), ['TYPO']))

const script = (text: string): string => {
  const found = prepareDockerfile(parseDockerfile(text))
    .text.split('\n')
    .find((line) => line.startsWith('RUN'))!
  return (JSON.parse(found.replace(/^RUN (--\S+ )*/, '')) as string[]).at(-1)!
}
const runs: [string, string, string][] = [
  ['a script', 'FROM a\nRUN <<EOF\n# no comment of ours\necho $A\nEOF\nUSER x', '# no comment of ours\necho $A\n'],
  ['a command with input', 'FROM a\nRUN cat > /f <<-"E" && ls\n\t\tone\n\tE', 'cat > /f <<-"E" && ls\none\nE\n'],
  [
    'a script with its interpreter',
    'FROM a\nRUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF',
    "/usr/bin/env python3 <<'EOF'\n#!/usr/bin/env python3\nprint(1)\nEOF\n",
  ],
  ['two texts', 'FROM a\nRUN a <<A; b <<B\n1\nA\n2\nB', 'a <<A; b <<B\n1\nA\n2\nB\n'],
]
for (const [name, text, expected] of runs) test(`RUN may have ${name} below it`, () => assert.equal(script(text), expected))

test('the shell of a script is that of SHELL, and lines keep their numbers', () => {
  const { text, steps } = prepareDockerfile(parseDockerfile('FROM a\nSHELL ["bash", "-ec"]\nRUN --network=none <<E\nx\nE\nCMD y'))
  assert.equal(text, 'FROM docker.io/library/a:latest\nSHELL ["bash", "-ec"]\nRUN --network=none ["bash","-ec","x\\n"]\n\n\nCMD y\n')
  assert.deepEqual(
    steps[0]!.map((step) => step.line),
    [1, 2, 3, 6],
  )
})

test('COPY may have a file below it', () => {
  const { text, files } = prepareDockerfile(parseDockerfile("FROM a\nCOPY --chown=1 <<'a' <<b /etc/\n$x\na\n2\nb\n"))
  assert.match(text, /^COPY --from=k8ts-heredocs --chown=1 2\/a 2\/b \/etc\/$/m)
  assert.deepEqual(files, { '2/a': '$x\n', '2/b': '2\n' })
  assert.throws(() => prepareDockerfile(parseDockerfile('FROM a\nCOPY <<E /f\n${X}\nE')), /variables in the text of COPY/)
})

test('what only looks like text from below is none', () =>
  assert.deepEqual(
    parseDockerfile('FROM a\nRUN cat <<< "x"; echo "<<EOF" $((1<<A))\nUSER b').stages[0]!.instructions.map((i) => i.keyword),
    ['RUN', 'USER'],
  ))
