import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  canonicalDurationOf,
  canonicalMicroTimeOf,
  canonicalTimeOf,
  formatDuration,
  formatMicroTime,
  formatTime,
  parseDuration,
  parseMicros,
  parseTime,
} from './time.ts'

test('times are stored in whole seconds of UTC', () => {
  const forms: [string, string][] = [
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.999Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ]
  for (const [text, want] of forms) assert.equal(canonicalTimeOf(text), want, text)
})

test('bad times are refused in Go words', () => {
  const bad: [string, string][] = [
    ['foo', 'parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"'],
    ['2026-01-02', 'parsing time "2026-01-02" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ['2026-01-02T03:04:05', 'parsing time "2026-01-02T03:04:05" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'],
    ['2026-13-02T03:04:05Z', 'parsing time "2026-13-02T03:04:05Z": month out of range'],
    ['2026-02-30T03:04:05Z', 'parsing time "2026-02-30T03:04:05Z": day out of range'],
    ['2026-01-02T25:04:05Z', 'parsing time "2026-01-02T25:04:05Z": hour out of range'],
  ]
  for (const [text, message] of bad) assert.throws(() => canonicalTimeOf(text), { message }, text)
})

test('micro times keep six digits', () => {
  assert.equal(canonicalMicroTimeOf('2026-01-02T03:04:05.123456+01:00'), '2026-01-02T02:04:05.123456Z')
  assert.throws(() => canonicalMicroTimeOf('2026-01-02T03:04:05Z'), /cannot parse "Z" as "\.000000"$/)
  assert.throws(() => canonicalMicroTimeOf('2026-01-02T03:04:05.5+01:00'), /cannot parse "0" as "\.000000"$/)
  assert.throws(() => canonicalMicroTimeOf('2026-01-02T03:04:05.1234567+01:00'), /cannot parse "7\+01:00" as "Z07:00"$/)
  assert.equal(formatMicroTime(parseTime('2026-01-02T03:04:05Z') + 1.5), '2026-01-02T03:04:05.001500Z')
  assert.equal(parseMicros('1970-01-01T00:00:00.000001Z'), 1)
})

test('any second reads back as itself', () => {
  fc.assert(fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), (s) => parseTime(formatTime(s * 1000)) === s * 1000))
})

test('durations are written as Go writes them', () => {
  const forms: [string, string][] = [
    ['0', '0s'],
    ['1h', '1h0m0s'],
    ['90m', '1h30m0s'],
    ['1.5h', '1h30m0s'],
    ['300ms', '300ms'],
    ['1.5s', '1.5s'],
    ['-10s', '-10s'],
    ['1us', '1µs'],
    ['2h45m10.25s', '2h45m10.25s'],
    ['.5s', '500ms'],
  ]
  for (const [text, want] of forms) assert.equal(canonicalDurationOf(text), want, text)
  assert.equal(parseDuration('1m30s'), 90_000)
  assert.equal(formatDuration(1_500), '1.5s')
  const bad: [string, string][] = [
    ['', 'time: invalid duration ""'],
    ['5', 'time: missing unit in duration "5"'],
    ['5x', 'time: unknown unit "x" in duration "5x"'],
    ['s', 'time: invalid duration "s"'],
  ]
  for (const [text, message] of bad) assert.throws(() => parseDuration(text), { message }, text)
})
