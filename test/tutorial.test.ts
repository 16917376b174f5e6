import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { scenes } from '../tools/story/scenes.ts'
import { parseTutorial, splitCommands } from '../tools/story/tutorial.ts'

const file = join(import.meta.dirname, '../docs/tutorial.md')
const markdown = readFileSync(file, 'utf8')
const chapters = parseTutorial(markdown)

describe('the tutorial', () => {
  test('has a scene of the story for each chapter, and the story has no other', () => {
    assert.deepEqual(
      chapters.map(({ title }) => title),
      Object.keys(scenes),
    )
  })

  test('has all its commands in chapters, so that the story plays them', () => {
    const blocks = markdown.split('\n').filter((line) => /^```sh\b/.test(line)).length
    assert.equal(chapters.flatMap((chapter) => chapter.blocks).length, blocks)
  })

  for (const { title, blocks } of chapters)
    test(`${title}: its commands are whole and of bash`, () => {
      for (const command of blocks.flatMap((block) => block.commands)) {
        const { status, stderr } = spawnSync('bash', ['-n'], { input: command, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
        assert.deepEqual([status, stderr], [0, ''], command)
      }
    })

  test('links to files that are there', () => {
    for (const [, target = ''] of markdown.matchAll(/\]\(([^)#]+)\)/g)) assert.ok(existsSync(join(dirname(file), target)), target)
  })
})

describe('reading a tutorial', () => {
  const cases: [name: string, script: string, commands: string[]][] = [
    ['each line is a command', 'a\nb c', ['a', 'b c']],
    ['empty lines and comments are none', '\n# why\na', ['a']],
    ['a backslash goes on', 'a \\\n  b\nc', ['a \\\n  b', 'c']],
    ['an open quote goes on', "a 'b\nc'\nd", ["a 'b\nc'", 'd']],
    ['a quote in other quotes opens nothing', `a "it's"\nb`, [`a "it's"`, 'b']],
    ['an escaped quote opens nothing', 'a \\"\nb', ['a \\"', 'b']],
    ['a here-document goes on to its end', "cat > x <<'END'\nit's \\\nEND\nb", ["cat > x <<'END'\nit's \\\nEND", 'b']],
  ]
  for (const [name, script, commands] of cases) test(name, () => assert.deepEqual(splitCommands(script), commands))

  test('a command that does not end is an error', () => {
    assert.throws(() => splitCommands("a 'b"), /does not end/)
    assert.throws(() => splitCommands('cat <<END\na'), /does not end/)
  })

  test('blocks of commands belong to the heading above them, others are not played', () => {
    const text = '# T\n\n## One\n\n```sh\na\n```\n\n```\nshown\n```\n\n## Two\n\n```sh watch\nb\n```\n```sh fails\nc\n```\n'
    assert.deepEqual(parseTutorial(text), [
      { title: 'One', blocks: [{ mode: 'run', commands: ['a'], line: 5 }] },
      {
        title: 'Two',
        blocks: [
          { mode: 'watch', commands: ['b'], line: 15 },
          { mode: 'fails', commands: ['c'], line: 18 },
        ],
      },
    ])
  })

  test('a block that is not closed, or played in an unknown way, is an error with its line', () => {
    assert.throws(() => parseTutorial('## A\n```sh\na'), /line 2/)
    assert.throws(() => parseTutorial('## A\n```sh maybe\na\n```'), /line 2.*maybe/)
  })
})
