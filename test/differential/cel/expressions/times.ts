import { lines } from './lines.ts'

const getters = ['getFullYear', 'getMonth', 'getDayOfYear', 'getDayOfMonth', 'getDate', 'getDayOfWeek', 'getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'] // prettier-ignore
const moments = ['t', "timestamp('2024-12-31T23:59:59.999Z')", "timestamp('2026-03-08T10:00:00Z')", "timestamp('2026-11-01T05:30:00Z')", "timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59Z')", "timestamp('1900-01-01T00:00:00Z')", 'timestamp(-1)', 'timestamp(0)'] // prettier-ignore
const zones = ["'UTC'", "''", "'America/New_York'", "'Asia/Kolkata'", "'Australia/Lord_Howe'", "'Europe/Berlin'", "'+02:00'", "'-02:30'", "'02:00'", "'+14:00'", "'-23:59'", "'24:00'", "'+2'", "'+0200'", "'2:00'", "'+02:60'", "'Local'", "'EST'", "'GMT'", "'CET'", "'Z'", "'nowhere'", "'america/new_york'", "'Europe/../UTC'", "'/etc/localtime'", "'Etc/GMT+5'", "'US/Pacific'", "' UTC'", '1', 's', 'i'] // prettier-ignore
const spans = ['r', "duration('-1.5s')", "duration('0s')", "duration('1000h1ms')", "duration('999ms')", "duration('-1h')"]

export const times = [
  ...moments.flatMap((moment) => getters.map((getter) => `${moment}.${getter}()`)),
  ...moments.slice(0, 5).flatMap((moment) => zones.slice(0, 8).flatMap((zone) => getters.map((getter) => `${moment}.${getter}(${zone})`))),
  ...zones.flatMap((zone) => [
    `t.getHours(${zone})`,
    `t.getMinutes(${zone})`,
    `timestamp('2026-07-03T04:05:06Z').getHours(${zone})`,
    `t.getDayOfYear('' + ${zone})`,
  ]),
  ...spans.flatMap((span) => [...getters, 'size'].map((getter) => `${span}.${getter}()`)),
  ...spans.map((span) => `${span}.getHours('UTC')`),
  ...lines('times'),
]
