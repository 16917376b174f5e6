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
  ...['getHours(t)', 't.getHours', 't.getHours(1, 2)', 'i.getHours()', 't - t', 't - r', 't + r', 'r + t', 'r - t', 't + t', 'r + r', 'r - r', '-r', 'r * 2', 't == t', 't < t', 'r == r', 'r < r', 't == r', 't - timestamp(0)', "t - timestamp('2026-02-03T04:05:06Z')", 't - t == duration("0s")', 'timestamp(t)', 'duration(r)', 't in [t]', '{t: 1}', 'string(t - timestamp(0))', 'int(t) - int(timestamp(0))', "t > timestamp('2026-01-01T00:00:00Z') && t < timestamp('2027-01-01T00:00:00Z')", "timestamp('2026-01-02T03:04:05.123456Z').getMilliseconds()", "duration('1.0000000009s')", "duration('1.0000000005s') == duration('1s')", 'timestamp(1.5)', 'timestamp("1")', 'timestamp(dyn(1.5))', 'duration(1)', 'duration(dyn(1))', 'duration(dyn(1.5))', 'max(t, t)', '[t, timestamp(0)].min()', '[r, duration("1s")].max()', 'timestamp("bad")', "duration('bad')", "[timestamp('bad')]", "timestamp('bad') == t || true", "duration('bad') == r || true", "timestamp(s)", 'duration(s)', "p ? timestamp('bad') : t"], // prettier-ignore
]
