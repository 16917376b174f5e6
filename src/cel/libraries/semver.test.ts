import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CelError } from '../values.ts'
import { caller } from './caller.ts'
import { parseSemver, semver } from './semver.ts'

const call = caller(semver)
const text = (given: string, normalized = false) => {
  const parsed = parseSemver(given, normalized)
  return parsed instanceof CelError ? `error: ${parsed.message}` : parsed.toString()
}

const strict = {
  '1.2.3': '1.2.3',
  '1.2.3-alpha.1+build.007': '1.2.3-alpha.1+build.007',
  '': 'error: Version string empty',
  '1.2': 'error: No Major.Minor.Patch elements found',
  'v1.2.3': 'error: Invalid character(s) found in major number "v1"',
  '01.2.3': 'error: Major number must not contain leading zeroes "01"',
  '1.2.3.4': 'error: Invalid character(s) found in patch number "3.4"',
  '1..3': 'error: strconv.ParseUint: parsing "": invalid syntax',
  '18446744073709551616.0.0': 'error: strconv.ParseUint: parsing "18446744073709551616": value out of range',
  '1.2.3-': 'error: Prerelease is empty',
  '1.2.3-01': 'error: Numeric PreRelease version must not contain leading zeroes "01"',
  '1.2.3-a_b': 'error: Invalid character(s) found in prerelease "a_b"',
  '1.2.3+': 'error: Build meta data is empty',
}
for (const [given, expected] of Object.entries(strict))
  test(`semver(${JSON.stringify(given)}) is ${expected}`, () => {
    assert.equal(text(given), expected)
    assert.equal(call('is_semver_string', given), !expected.startsWith('error'))
  })

const normalized = {
  'v1.0.0': '1.0.0',
  '1.0': '1.0.0',
  '01.01.01': '1.1.1',
  '000': '0.0.0',
  '00-a.1.2': 'error: Invalid character(s) found in major number "0-a"',
  '1.0-a': 'error: short version cannot contain PreRelease/Build meta data',
}
for (const [given, expected] of Object.entries(normalized))
  test(`semver(${JSON.stringify(given)}, true) is ${expected}`, () => assert.equal(text(given, true), expected))

test('versions are in the order of semver.org', () => {
  const ordered = ['1.0.0-1', '1.0.0-2', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0', '1.0.1', '1.1.0', '2.0.0']
  const versions = ordered.map((given) => parseSemver(given))
  for (const [i, a] of versions.entries())
    for (const [j, b] of versions.entries())
      assert.equal(call('semver_compare_to', a, b), BigInt(Math.sign(i - j)), `${ordered[i]} and ${ordered[j]}`)
})

test('what was built does not count', () => {
  assert.equal(call('semver_compare_to', parseSemver('1.0.0+a'), parseSemver('1.0.0+b')), 0n)
})
