import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { latestDue, parseSchedule, zonedTime } from './schedule.ts'

const ms = (text: string) => Date.parse(text)
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString().replace('.000', ''))

describe('a schedule', () => {
  for (const [schedule, timeZone, after, next] of [
    ['*/5 * * * *', 'UTC', '2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z'],
    ['10/15 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:10:00Z'],
    ['10/15 * * * *', 'UTC', '2026-01-01T00:10:00Z', '2026-01-01T00:25:00Z'],
    ['0 9 * * mon-fri', 'America/New_York', '2026-01-02T14:00:00Z', '2026-01-05T14:00:00Z'],
    ['0 0 13 * 5', 'UTC', '2026-01-01T00:10:00Z', '2026-01-02T00:00:00Z'],
    ['0 0 ? JAN,jul *', 'UTC', '2026-02-01T00:00:00Z', '2026-07-01T00:00:00Z'],
    ['@hourly', 'UTC', '2026-01-01T00:10:00Z', '2026-01-01T01:00:00Z'],
    ['@midnight', 'UTC', '2026-01-01T00:10:00Z', '2026-01-02T00:00:00Z'],
    ['@annually', 'UTC', '2026-01-01T00:10:00Z', '2027-01-01T00:00:00Z'],
    ['@every 1h30m', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T01:30:00Z'],
    ['59 23 31 2 *', 'UTC', '2026-01-01T00:00:00Z', undefined],
  ] as const)
    test(`${schedule} in ${timeZone} is due next at ${next} after ${after}`, () =>
      assert.equal(iso(parseSchedule(schedule, timeZone).next(ms(after))), next))

  test('that makes no sense is refused', () => {
    for (const schedule of ['x', '* * * *', '61 * * * *', '@sometimes', '@every day']) assert.throws(() => parseSchedule(schedule))
    assert.throws(() => parseSchedule('* * * * *', 'Nowhere/At_All').next(0))
  })
})

describe('the latest due time', () => {
  const minutely = parseSchedule('* * * * *', 'UTC')
  const now = ms('2026-06-01T12:00:30Z')
  for (const { name, earliest, due, tooMany } of [
    { name: 'is none before the first', earliest: '2026-06-01T12:00:00Z', due: undefined, tooMany: false },
    { name: 'is the only one', earliest: '2026-06-01T11:59:10Z', due: '2026-06-01T12:00:00Z', tooMany: false },
    { name: 'is the last of several', earliest: '2026-06-01T11:30:00Z', due: '2026-06-01T12:00:00Z', tooMany: false },
    { name: 'is found after years', earliest: '2020-06-01T11:30:00Z', due: '2026-06-01T12:00:00Z', tooMany: true },
  ])
    test(name, () => {
      const found = latestDue(minutely, ms(earliest), now)
      assert.deepEqual([iso(found.due), found.tooMany], [due, tooMany])
    })

  test('is found among uneven times', () => {
    const weekdays = parseSchedule('0 8,9 * * 1-5', 'UTC')
    assert.equal(iso(latestDue(weekdays, ms('2026-01-01T00:00:00Z'), ms('2026-06-07T12:00:00Z')).due), '2026-06-05T09:00:00Z')
  })
})

test('a time is written with the offset of its zone', () => {
  assert.equal(zonedTime(ms('2026-01-02T03:04:05Z'), 'UTC'), '2026-01-02T03:04:05Z')
  assert.equal(zonedTime(ms('2026-01-02T03:04:05Z'), 'Asia/Tokyo'), '2026-01-02T12:04:05+09:00')
  assert.equal(zonedTime(ms('2026-01-02T03:04:05Z'), 'America/St_Johns'), '2026-01-01T23:34:05-03:30')
})
