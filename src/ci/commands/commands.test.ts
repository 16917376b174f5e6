import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '#base'
import { compileConfig } from '../config/index.ts'
import { starterConfig } from './starter.ts'
import { span, table } from './table.ts'
import { parseParameters, validateConfig } from './validate.ts'
import { parseAssignments } from './variables.ts'
import { commonDirectory, currentBranch, packWorkingTree, saveTreeSettings, topOfTree, treeSettings } from './working-tree.ts'

const identity = {
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'a@x',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'a@x',
  GIT_CONFIG_GLOBAL: '/dev/null',
}
const git = (cwd: string, args: string[], env: Record<string, string> = {}) => run('git', args, { cwd, env: { ...identity, ...env } })

async function tree() {
  const top = await mkdtemp(join(tmpdir(), 'k8ts tree:'))
  await git(top, ['init', '-q', '-b', 'main'])
  return { top, [Symbol.asyncDispose]: () => rm(top, { recursive: true, force: true }) }
}

test('a working tree is packed with what is changed, new and gone, without what is ignored, and stays as it was', async () => {
  await using t = await tree()
  const { top } = t
  for (const [file, text] of Object.entries({ kept: '1', changed: '1', gone: '1', '.gitignore': 'ignored\n' })) await writeFile(join(top, file), text)
  await git(top, ['add', '-A'])
  await git(top, ['commit', '-q', '-m', 'one'])
  const base = (await git(top, ['rev-parse', 'HEAD'])).trim()
  await writeFile(join(top, 'changed'), '2')
  await writeFile(join(top, 'ignored'), 'secret')
  await rm(join(top, 'gone'))
  await mkdir(join(top, 'sub'))
  await writeFile(join(top, 'sub/new'), 'new')
  await chmod(join(top, 'sub/new'), 0o755)
  await symlink('kept', join(top, 'link'))
  await writeFile(join(top, 'staged'), 'staged')
  await git(top, ['add', 'staged'])
  const before = [await git(top, ['status', '--porcelain']), await git(top, ['for-each-ref']), await git(top, ['count-objects'])]
  const index = await readFile(join(top, '.git/index'))
  {
    // also from a directory below
    await using packed = await packWorkingTree((await topOfTree(join(top, 'sub')))!)
    assert.equal(packed.base, base)
    const files = await git(top, ['ls-tree', '-r', packed.revision], packed.env)
    assert.deepEqual(
      files
        .trim()
        .split('\n')
        .map((line) => `${line.slice(0, 6)} ${line.split('\t')[1]}`),
      ['100644 .gitignore', '100644 changed', '100644 kept', '120000 link', '100644 staged', '100755 sub/new'],
    )
    assert.equal(await git(top, ['show', `${packed.revision}:changed`], packed.env), '2')
    assert.equal((await git(top, ['rev-parse', `${packed.revision}^`], packed.env)).trim(), base)
  }
  assert.deepEqual([await git(top, ['status', '--porcelain']), await git(top, ['for-each-ref']), await git(top, ['count-objects'])], before)
  assert.deepEqual(await readFile(join(top, '.git/index')), index)
})

test('a tree without a commit is packed, too', async () => {
  await using t = await tree()
  await writeFile(join(t.top, 'a'), 'a')
  await using packed = await packWorkingTree(t.top)
  assert.equal(packed.base, undefined)
  assert.equal(await git(t.top, ['show', `${packed.revision}:a`], packed.env), 'a')
  assert.equal(await currentBranch(t.top), 'main')
})

test('a linked working tree shares what belongs to the repository', async () => {
  await using t = await tree()
  await writeFile(join(t.top, 'a'), 'a')
  await git(t.top, ['add', '-A'])
  await git(t.top, ['commit', '-q', '-m', 'one'])
  await git(t.top, ['worktree', 'add', '-q', join(t.top, 'linked'), '-b', 'other'])
  const linked = join(t.top, 'linked')
  await writeFile(join(linked, 'b'), 'b')
  await using packed = await packWorkingTree(linked)
  assert.equal(await git(linked, ['show', `${packed.revision}:b`], packed.env), 'b')
  assert.equal(await commonDirectory(linked), join(t.top, '.git'))
})

test('outside of a working tree there is none', async () => {
  assert.equal(await topOfTree('/'), undefined)
  assert.deepEqual(await treeSettings('/'), {})
})

test('somebody else’s working tree is not taken for none: git’s own advice is said', { skip: process.getuid?.() !== 0 }, async () => {
  await using t = await tree()
  await run('chown', ['-R', 'nobody', t.top])
  await assert.rejects(topOfTree(t.top), /safe\.directory/)
})

test('a working tree knows what it was made', async () => {
  await using t = await tree()
  assert.deepEqual(await treeSettings(t.top), {})
  await saveTreeSettings(t.top, { cluster: 'c', namespace: 'team', project: 'blog' })
  await saveTreeSettings(t.top, { cluster: 'other' })
  assert.deepEqual(await treeSettings(t.top), { cluster: 'other', namespace: 'team', project: 'blog' })
})

const trees: [string, string[], RegExp][] = [
  ['a Dockerfile', ['Dockerfile', 'package.json'], /docker build -t blog:\$CIRCLE_SHA1 \./],
  ['a Node package', ['package.json'], /cimg\/node:lts[^]*npm ci[^]*npm test/],
  ['a Ruby project', ['Gemfile'], /bundle install/],
  ['a Python project', ['requirements.txt'], /pip install -r requirements\.txt/],
  ['a Go module', ['go.mod'], /go test/],
  ['a Makefile', ['Makefile'], /command: make/],
  ['nothing', ['notes.txt'], /git log -1/],
]
for (const [found, files, expected] of trees)
  test(`the starter for ${found} compiles and fits`, () => {
    const starter = starterConfig(new Set(files), 'blog')
    assert.match(starter.found, new RegExp(found))
    assert.match(starter.text, expected)
    const result = compileConfig({
      file: 'config.yml',
      text: starter.text,
      parameters: {},
      pipeline: {
        id: 'x',
        number: 1,
        triggerSource: 'api',
        project: { name: 'blog', gitUrl: 'https://x/blog.git' },
        git: { branch: 'main', revision: '0'.repeat(40) },
        actor: 'ann',
      },
    })
    assert.ok(result.ok, JSON.stringify(result))
    assert.equal(result.config.workflows.length, 1)
  })

test('validate tells all problems with line and column, and what is missing', async () => {
  await using t = await tree()
  const file = join(t.top, 'config.yml')
  await writeFile(
    file,
    'version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n      - nonsense\n    stepz: []\nworkflows:\n  main:\n    jobs: [biuld]\n',
  )
  const result = await validateConfig({ directory: t.top, file })
  assert.ok(!result.ok)
  assert.ok(result.problems.length >= 3)
  assert.ok(result.problems.every((p) => p.file === 'config.yml' && p.line > 0 && p.column > 0))
  await assert.rejects(validateConfig({ directory: t.top, file: join(t.top, 'none.yml') }), /k8ts ci init/)
})

test('parameters are what they look like', () => {
  assert.deepEqual(parseParameters(['a=true', 'b=3', 'c=x=y', 'd="3"', 'e=', 'f=007']), { a: true, b: 3, c: 'x=y', d: '3', e: '', f: '007' })
  assert.throws(() => parseParameters(['=x']), /NAME=VALUE/)
})

test('values of variables come from the command line or from standard input', async () => {
  const input = () => Promise.resolve('from input\n')
  assert.deepEqual(await parseAssignments(['A=1', 'B', 'C=x=y'], input), { A: '1', B: 'from input', C: 'x=y' })
  await assert.rejects(parseAssignments(['A', 'B'], input), /one variable/)
  await assert.rejects(parseAssignments(['1A=x'], input), /no name/)
})

test('tables stand in columns', () => assert.equal(table(['A', 'LONG'], [['wide one', 'x']]), 'A          LONG\nwide one   x\n'))

const spans: [number, string][] = [
  [0, '0s'],
  [59_400, '59s'],
  [60_000, '1m'],
  [125_000, '2m5s'],
  [3_600_000 * 5 + 60_000, '5h1m'],
  [86_400_000 * 3, '3d'],
]
for (const [ms, text] of spans) test(`${ms} ms are ${text}`, () => assert.equal(span(ms), text))
