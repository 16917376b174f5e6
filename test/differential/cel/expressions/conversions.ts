import { lines } from './lines.ts'

const values = ['n', 'p', 'i', 'u', 'd', 's', 'b', 't', 'r', 'l', 'm', 'o', 'q', 'a', 'c', 'v', 'w', 'int', 'object', 'ld'] // prettier-ignore
const functions = ['int', 'uint', 'double', 'string', 'bytes', 'bool', 'timestamp', 'duration', 'dyn', 'type', 'list', 'map', 'null_type', 'quantity', 'ip', 'cidr', 'url', 'semver', 'isQuantity', 'isIP', 'isCIDR', 'isURL', 'isSemver', 'optional.of', 'optional.ofNonZeroValue', 'authorizer', 'size'] // prettier-ignore

const texts = ['', ' ', '0', '-0', '+1', '-1', ' 1', '1 ', '007', '1.5', '1e3', '0x10', '1_000', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '18446744073709551615', '18446744073709551616', 'NaN', 'nan', 'inf', 'Inf', '-Inf', '+Inf', 'Infinity', '-Infinity', '1e400', '1e-400', '0x1p-2', '.5', '5.', 'true', 'True', 'TRUE', 't', 'T', '1', 'f', 'F', 'False', 'FALSE', 'false', 'yes', 'tRue', 'a', 'é', '１'] // prettier-ignore
const times = ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123456789Z', '2026-01-02T03:04:05.1234567890Z', '2026-01-02T03:04:05+01:00', '2026-01-02T03:04:05-23:59', '2026-01-02T03:04:05+24:00', '2026-01-02t03:04:05z', '2026-01-02 03:04:05Z', '2026-01-02T03:04:05', '2026-01-02', '2026-13-02T03:04:05Z', '2026-02-29T03:04:05Z', '2024-02-29T03:04:05Z', '2026-01-02T24:00:00Z', '2026-01-02T23:59:60Z', '0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59Z', '9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59-01:00', '10000-01-01T00:00:00Z', '2026-1-2T03:04:05Z', '2026-01-02T3:04:05Z', '2026-01-02T03:04:05,5Z', '2026-01-02T03:04:05.Z', '', 'x'] // prettier-ignore
const spans = ['1s', '1.5s', '-1.5s', '+1s', '1h2m3s', '1h2m3.4s', '100ms', '1us', '1µs', '1μs', '1ns', '0', '-0', '', '1', 's', '1d', '1 s', '1s ', '.5s', '5.s', '.s', '1h-1m', '1.5h', '1e3s', '9223372036s', '9223372037s', '9223372036.854775807s', '9223372036.854775808s', '-9223372036.854775808s', '2562047h47m16.854775807s', '2562048h', '1000000h', '0.0000000001s', '1.0000000009s', '1H'] // prettier-ignore
const numbers = ['0', '-1', '1', '-9223372036854775808', '9223372036854775807', '253402300799', '253402300800', '-62135596800', '-62135596801'] // prettier-ignore
const unsigned = ['0u', '1u', '9223372036854775807u', '9223372036854775808u', '18446744073709551615u']
const floats = ['0.0', '-0.0', '0.5', '0.9', '-0.9', '1.5', '2.5', '-1.0', '1e3', '1e18', '9223372036854774784.0', '9223372036854775807.0', '-9223372036854775808.0', '-9223372036854777856.0', '18446744073709549568.0', '18446744073709551615.0', '1e19', '1e20', '1e21', '1e22', '1e-5', '1e-6', '1e-7', '123456789.123', '1e100', "double('NaN')", "double('Infinity')", "double('-Infinity')", '0.1', '100.0', '1234567.0', '12345678.0', '100000000000000000000.0', '1.7976931348623157e308', '5e-324'] // prettier-ignore

const each = (names: string[], among: readonly string[]) => names.flatMap((name) => among.map((value) => `${name}(${value})`))
const literal = (text: string) => `'${text}'`

export const conversions = [
  ...each(functions, values),
  ...functions.flatMap((name) => values.map((value) => `${name}(dyn(${value}))`)),
  ...functions.flatMap((name) => [`${name}()`, `${name}(1, 2)`, `${name}('1', '2')`, name]),
  ...each(['int', 'uint', 'double', 'bool', 'bytes', 'string'], texts.map(literal)),
  ...each(['timestamp', 'string', 'int'], times.map(literal).slice(0, 6)),
  // a bad literal is found when it is compiled, another text when it is evaluated
  ...times.flatMap((text) => [`timestamp('${text}')`, `timestamp('' + '${text}')`, `string(timestamp('' + '${text}'))`]),
  ...spans.flatMap((text) => [`duration('${text}')`, `string(duration('' + '${text}'))`]),
  ...each(['int', 'uint', 'double', 'string', 'bytes', 'bool', 'timestamp', 'duration'], [...numbers, ...unsigned]),
  ...each(['int', 'uint', 'double', 'string', 'bool'], floats),
  ...lines('conversions'),
]
