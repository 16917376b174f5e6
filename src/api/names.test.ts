import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  labelValue,
  pathSegmentName,
  portName,
  qualifiedName,
} from './names.ts'

const good: [string, (value: string) => string[], string[]][] = [
  ['an RFC 1123 label', dns1123Label, ['a', 'a-1', '1a', 'a'.repeat(63)]],
  ['a DNS-1035 label', dns1035Label, ['a', 'a-1']],
  ['a subdomain', dns1123Subdomain, ['a.b-c.1', 'a'.repeat(253)]],
  ['a qualified name', qualifiedName, ['a', 'A_b.c', 'example.com/name']],
  ['a label value', labelValue, ['', 'a', 'A_1.b']],
  ['a path segment', pathSegmentName, ['a:b', 'system:node']],
  ['an environment variable', envVarName, ['A', '_a', 'a.b-c']],
  ['a config map key', configMapKey, ['a', '.a', 'A_b.c']],
  ['a port name', portName, ['http', 'a-1']],
]
for (const [what, check, values] of good)
  test(`${what} may be any of the usual`, () => {
    for (const value of values) assert.deepEqual(check(value), [], value)
  })

const bad: [(value: string) => string[], string, string[]][] = [
  [
    dns1123Label,
    'A',
    [
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  [dns1123Label, 'a.b', ['must not contain dots']],
  [dns1123Label, 'a'.repeat(64), ['must be no more than 63 characters']],
  [
    dns1123Subdomain,
    'a..b',
    [
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
  [qualifiedName, '/a', ['prefix part must be non-empty']],
  [pathSegmentName, '..', ["may not be '..'"]],
  [pathSegmentName, 'a/b%', ["may not contain '/'", "may not contain '%'"]],
  [configMapKey, '..a', ["must not start with '..'"]],
  [portName, '1-', ['must contain at least one letter (a-z)', 'must not begin or end with a hyphen']],
]
test('what is wrong with a name is said in upstream words', () => {
  for (const [check, value, problems] of bad) assert.deepEqual(check(value), problems, value)
})

test('a long name that nearly matches does not make the pattern search for ever', () => {
  assert.equal(dns1123Subdomain(`${'a-'.repeat(100_000)}!`).length, 2)
})
