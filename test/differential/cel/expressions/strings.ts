import { lines } from './lines.ts'

const words = ["''", "'a'", "'tacocat'", "'héllo wörld'", "'𝒳y𝒵'", 's']
const calls = [
  ...['-1', '0', '1', '3', '7', '8', 'i', "'a'", '1u', '9223372036854775807'].map((at) => `charAt(${at})`),
  ...["''", "'a'", "'c'", "'cat'", "'ö'", "'𝒵'", "'zz'", '1'].flatMap((what) => [
    `indexOf(${what})`,
    `lastIndexOf(${what})`,
    `contains(${what})`,
    `startsWith(${what})`,
    `endsWith(${what})`,
  ]),
  ...['-1', '0', '2', '7', '8', '100'].flatMap((at) => [
    `indexOf('a', ${at})`,
    `lastIndexOf('a', ${at})`,
    `indexOf('', ${at})`,
    `substring(${at})`,
    `substring(0, ${at})`,
    `substring(2, ${at})`,
    `substring(${at}, 3)`,
  ]),
  ...["'', '-'", "'a', ''", "'a', 'aa'", "'zz', 'x'", "'a', 'x', 1", "'a', 'x', 0", "'a', 'x', -1", "'', '-', 2", "'a'", '1, 2'].map(
    (how) => `replace(${how})`,
  ),
  ...["''", "'a'", "'zz'", "' '", "'a', 2", "'a', 1", "'a', 0", "'a', -1", "'', 2", '1'].map((how) => `split(${how})`),
  'lowerAscii()',
  'upperAscii()',
  'trim()',
  'size()',
  'reverse()',
  'quote()',
  "join('-')",
  'format([])',
  "format('a')",
  'lowerAscii(1)',
  "matches('^t')",
  "matches('[')",
  "matches('a' + '[')",
  "matches('(?i)TACO')",
  "matches('')",
  'matches(1)', // prettier-ignore
]

const verbs = ['%s', '%d', '%f', '%.2f', '%.0f', '%e', '%.3e', '%b', '%o', '%x', '%X', '%.1f', '%.21f', '%.-1f', '%5d', '%-5s', '%+d', '%v', '%t', '%q', '%', '%%', '%z', '%.f', '%.2', '%.2d', '%.2s', '% d'] // prettier-ignore
const formatted = ['n', 'p', 'i', 'u', 'd', 's', 'b', 't', 'r', 'l', 'ls', 'll', 'm', 'mi', 'o', 'q', 'a', 'int', 'ld', '-7', "'-7'", "double('NaN')", "double('Infinity')", "double('-Infinity')", '0.1', '1e21', '-0.0', '123456789.987654321', "b'\\xff\\x00'", "'é'", '[]', '{}', '[1.5, null, true]', "{'b': [1], 'a': {2: t}}", '[t, timestamp(0)]', '9223372036854775807', '18446744073709551615u'] // prettier-ignore

export const strings = [
  ...words.flatMap((word) => calls.map((call) => `${word}.${call}`)),
  ...verbs.flatMap((verb) => formatted.map((value) => `'${verb}'.format([${value}])`)),
  ...lines('strings'),
]
