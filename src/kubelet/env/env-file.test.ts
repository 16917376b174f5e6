import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEnvFile } from './env-file.ts'

const rows: { name: string; text: string; want: Record<string, string> | RegExp }[] = [
  { name: 'an empty file has no variables', text: '', want: {} },
  { name: 'a value stands in single quotes', text: "A='b'\nC='d e'", want: { A: 'b', C: 'd e' } },
  { name: 'space around the name and after the value does not count', text: "  A = 'b'  \n", want: { A: 'b' } },
  { name: 'comments and blank lines are skipped', text: "# one\n\n \t\n  # two\nA='#no comment'\n", want: { A: '#no comment' } },
  { name: 'a value is literal', text: `A='$HOME "x" \\n ='\n`, want: { A: '$HOME "x" \\n =' } },
  { name: 'a value may span lines', text: "A='one\ntwo\n'\nB='3'", want: { A: 'one\ntwo\n', B: '3' } },
  { name: 'a value may be empty', text: "A=''", want: { A: '' } },
  { name: 'the first of a name counts', text: "A='1'\nA='2'", want: { A: '1' } },
  { name: 'a line without an equals sign is none', text: "A='1'\nB\n", want: /at line 2/ },
  { name: 'a name is needed', text: "='1'", want: /at line 1/ },
  { name: 'a value without quotes is none', text: "\nA=b\nB='c'", want: /at line 2: the value has to stand in single quotes/ },
  { name: 'a quote that is not closed is told', text: "A='b\nc", want: /at line 1: .*closing quote/ },
  { name: 'lines of a value count', text: "A='b\nc' d", want: /at line 2: there is something after/ },
]
for (const { name, text, want } of rows) {
  test(name, () => {
    if (want instanceof RegExp) assert.throws(() => parseEnvFile(text), want)
    else assert.deepEqual(Object.fromEntries(parseEnvFile(text)), want)
  })
}
