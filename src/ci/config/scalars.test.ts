import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './duration.ts'
import { plainValue } from './scalars.ts'
import { shellWords } from './shell-words.ts'
import type { Scalar } from './tree.ts'

const plain: [text: string, value: Scalar][] = [
  ['', null],
  ['~', null],
  ['null', null],
  ['true', true],
  ['Yes', true],
  ['ON', true],
  ['off', false],
  ['No', false],
  ['y', 'y'],
  ['n', 'n'],
  ['42', 42],
  ['-7', -7],
  ['+7', 7],
  ['0', 0],
  ['0644', 420],
  ['089', '089'],
  ['0x1F', 31],
  ['3.10', 3.1],
  ['1e3', 1000],
  ['.5', 0.5],
  ['1.2.3', '1.2.3'],
  ['12:30:00', '12:30:00'],
  ['2024-01-01', '2024-01-01'],
  ['-', '-'],
  ['.', '.'],
  ['main', 'main'],
  ['1'.repeat(50), '1'.repeat(50)],
]

for (const [text, value] of plain)
  test(`${text || 'nothing'}, unquoted, is ${JSON.stringify(value)}`, () => assert.deepEqual(plainValue(text), value))

const durations: [text: string, milliseconds: number | undefined][] = [
  ['30s', 30_000],
  ['20m', 1_200_000],
  ['1.25h', 4_500_000],
  ['1m30s', 90_000],
  ['500ms', 500],
  ['0s', undefined],
  ['10', undefined],
  ['', undefined],
  ['ten minutes', undefined],
  ['99999999h', undefined],
  ['-5m', undefined],
]

for (const [text, milliseconds] of durations)
  test(`"${text}" is ${milliseconds ?? 'no'} duration`, () => assert.equal(parseDuration(text), milliseconds))

const lines: [line: string, words: string[] | undefined][] = [
  ['mysqld --port 3306', ['mysqld', '--port', '3306']],
  ['redis-server --save ""', ['redis-server', '--save', '']],
  [`sh -c 'echo "$HOME"'`, ['sh', '-c', 'echo "$HOME"']],
  ['a\\ b  "c \\" d \\n"', ['a b', 'c " d \\n']],
  ['', []],
  ['echo "no end', undefined],
  ["echo 'no end", undefined],
]

for (const [line, words] of lines) test(`the words of ${line || 'nothing'}`, () => assert.deepEqual(shellWords(line), words))
