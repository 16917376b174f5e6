import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from './parser.ts'
import { standardMacros } from './macros.ts'

const message = (source: string): string => {
  try {
    parse(source, [{ macros: [...standardMacros] }])
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('an operator without its right side is a mismatched input, with the tokens that may begin an expression', () =>
  assert.equal(
    message('1 +'),
    `ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
 | 1 +
 | ...^`,
  ))
