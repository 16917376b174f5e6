import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDocker } from './flags.ts'

test('a build is read as docker reads it', () => {
  const { name, values, lists, switches, args } = parseDocker(
    'build -t a:1 --tag=b:2 -f=x --no-cache --build-arg A=1 --build-arg=B=2 --progress plain --rm=false .'.replace('-f=x', '-f x').split(' '),
  )
  assert.deepEqual(
    { name, values, lists, switches: [...switches], args },
    { name: 'build', values: { file: 'x' }, lists: { tag: ['a:1', 'b:2'], buildArg: ['A=1', 'B=2'] }, switches: ['noCache'], args: ['.'] },
  )
})

test('what follows the image belongs to the command that runs', () => {
  const run = parseDocker(['run', '--rm', '-it', '-e', 'A=1', '-w/src', 'app:1', 'rake', '-t', '--all'])
  assert.deepEqual([run.lists, run.values, run.args], [{ env: ['A=1'] }, { workdir: '/src' }, ['app:1', 'rake', '-t', '--all']])
})

test('long names are the same commands', () => {
  assert.equal(parseDocker(['image', 'ls']).name, 'images')
  assert.equal(parseDocker(['buildx', 'build', '-t', 'a', '.']).name, 'build')
})

const refusals: [string, RegExp][] = [
  ['run -d redis', /-d is not supported here: .*pod/],
  ['run -p 80:80 web', /-p is not supported here: .*localhost/],
  ['run --privileged x', /--privileged is not supported/],
  ['compose up', /docker compose is not supported here: .*service containers/],
  ['ps', /docker ps is not supported here: .*kubectl/],
  ['frobnicate', /docker frobnicate is not supported here: there are: build, push/],
  ['build --platform=linux/arm64 .', /--platform is not supported here: /],
  ['build --nonsense .', /--nonsense is not supported here$/],
  ['build -t', /-t needs a value/],
  ['-H tcp://x build .', /-H before a command/],
]
for (const [line, message] of refusals) test(`docker ${line} is refused by name`, () => assert.throws(() => parseDocker(line.split(' ')), message))
