import { dump } from 'js-yaml'
import type { Chooser } from '../random.ts'

/** A text of `size` characters made of one piece. */
export const filled = (piece: string, size: number) => piece.repeat(Math.max(1, Math.floor(size / piece.length))).slice(0, size)

const numbered = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Pieces that, repeated, are the worst of YAML, well-formed or not. */
const yamlPieces = ['a\n', 'a: b\n', '- ', '- a\n', '-\n', '- - - a\n', '- a: b\n', '[', '{', '{a,', '[a,', '[],', '{},', ': ', '? ', '? a\n', '&a ', '- &a\n', '*a,', '- *a\n', '"', "'", '"a",', "'a',", "''", '|\n', '- |\n a\n', '- >\n a\n\n', '!', '!a ', '- !!str a\n', '- !!int 1\n', '%', '%a b\n', '\t', '---\n', '...\n', '#\n', '# a\n', ' #\n', '<<: ', '<<: {a: b}\n', '\\', '\n', '\r\n', ' \n', ' ', 'é', '𝒳', 'a ', 'a #', 'a:', ',', '0,', '1.5,', '0x', '~,', 'yes,', '- 0777777777777777\n', '{? a : b},', '[? a : b],', '[a: b],', '[[a]],', '{a: {b: c}},', '"\\n', '"\\u0041', "'\n", '"a\n', 'a\n\n', '  a\n', '@', '`', '\u0085', '\u2028', '\ufeff'] // prettier-ignore

/** What the pieces are put into. */
const yamlFrames: [before: string, after: string][] = [
  ['', ''],
  ['a: ', ''],
  ['a: [', ']'],
  ['a: {', '}'],
  ['a: "', '"'],
  ['a:\n', ''],
  ['x: &a b\ny: [', ']'],
  ['x: &a {b: c}\ny:\n', ''],
]

export const yamlShapes: [name: string, text: (size: number) => string][] = [
  ...yamlFrames.flatMap(([before, after]) =>
    yamlPieces.map((piece): [string, (size: number) => string] => [
      JSON.stringify(`${before}${piece}…${after}`),
      (size) => before + filled(piece, size) + after,
    ]),
  ),
  ['keys', (size) => numbered(size / 8).map((n) => `${n}:\n`).join('')],
  ['keys of a flow mapping', (size) => `{${numbered(size / 9).map((n) => `a${n}`).join(',')}}`],
  ['values in quotes', (size) => numbered(size / 14).map((n) => `a${n}: "b"\n`).join('')],
  ['anchors', (size) => `[${numbered(size / 9).map((n) => `&a${n}`).join(',')}]`],
  ['anchors in lines', (size) => numbered(size / 12).map((n) => `- &a${n} b\n`).join('')],
  ['mappings of one key', (size) => numbered(size / 12).map((n) => `- a${n}: 1\n`).join('')],
  ['mappings of two keys', (size) => filled('- a: 1\n  b: 2\n', size)],
  ['lists in lists', (size) => filled(`${'- '.repeat(300)}a\n`, size)],
  ['mappings in mappings', (size) => filled(`- ${'{a: '.repeat(200)}b${'}'.repeat(200)}\n`, size)],
  ['indentation', (size) => numbered(900).map((n) => `${' '.repeat(n)}a:\n`).join('').slice(0, size)],
  ['deep and wide', (size) => `${numbered(200).map((n) => `${' '.repeat(n)}a:\n`).join('')}${filled(`${' '.repeat(200)}- b\n`, size - 20_000)}`],
  ['one long key', (size) => `? ${filled('a', size)}\n: b\n`],
  ['long keys', (size) => filled(`${'a'.repeat(1000)}: b\n`, size)],
  ['merges', (size) => `x: &a {b: c}\n${numbered(size / 20).map((n) => `a${n}:\n  <<: *a\n`).join('')}`],
  ['merges of a large mapping', (size) => `x: &a {${numbered(1000).map((n) => `a${n}: 1`).join(',')}}\n${numbered((size - 20_000) / 20).map((n) => `b${n}:\n  <<: *a\n`).join('')}`],
  ['aliases of a large mapping', (size) => `x: &a {${numbered(1000).map((n) => `a${n}: 1`).join(',')}}\ny: [${filled('*a,', size - 20_000)}]`],
  ['tags', (size) => numbered(size / 12).map((n) => `- !t${n} a\n`).join('')],
  ['directives', (size) => `${numbered(size / 24).map((n) => `%TAG !t${n}! tag:a${n}\n`).join('')}---\na: b\n`],
  ['a long text in lines', (size) => `a: |\n${filled(`  ${'x'.repeat(78)}\n`, size)}`],
  ['a folded text', (size) => `a: >\n${filled(`  x\n\n`, size)}`],
  ['numbers', (size) => `[${filled('1234567,', size)}]`],
  ['a long number', (size) => `a: ${filled('7', size)}`],
  ['a long hexadecimal number', (size) => `a: 0x${filled('f', size)}`],
  ['a long binary', (size) => `a: !!binary ${filled('AAAA', size)}`],
] // prettier-ignore

const managed = (name: string, fields: string) =>
  `{"manager":"${name}","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":${fields}}`

/** The bodies of JSON that are worst to read, whatever they are for. */
export const jsonShapes: [name: string, text: (size: number) => string][] = [
  ['members', (size) => `{"data":{${numbered(size / 12).map((n) => `"k${n}":""`).join(',')}}}`],
  ['members that nobody knows', (size) => `{${numbered(size / 11).map((n) => `"${n}":0`).join(',')}}`],
  ['labels', (size) => `{"metadata":{"labels":{${numbered(size / 12).map((n) => `"k${n}":""`).join(',')}}}}`],
  ['the same key', (size) => `{"data":{${filled('"a":"",', size)}"b":""}}`],
  ['the same two keys, in objects', (size) => `{"a":[${filled('{"a":1,"a":2},', size - 40).slice(0, -13)}1]}`],
  ['empty objects', (size) => `{"a":[${filled('{},', size - 20)}1]}`.replace(/\{?,?1\]\}$/, '1]}')],
  ['empty lists', (size) => `{"a":[${'[],'.repeat(size / 3 - 10)}1]}`],
  ['small numbers', (size) => `{"a":[${'0,'.repeat(size / 2 - 10)}1]}`],
  ['numbers with fractions', (size) => `{"a":[${'1.234567891234,'.repeat(size / 15 - 10)}1]}`],
  ['depth', (size) => `{"a":[${`${'['.repeat(900)}${']'.repeat(900)},`.repeat(size / 1801 - 1)}1]}`],
  ['depth of objects', (size) => `{"a":[${`${'{"a":'.repeat(900)}1${'}'.repeat(900)},`.repeat(size / 5402 - 1)}1]}`],
  ['depth beyond all bounds', (size) => '['.repeat(size)],
  ['a long number', (size) => `{"a":${filled('7', size)}}`],
  ['escapes', (size) => `{"data":{"a":"${'\\u0041'.repeat(size / 6 - 10)}"}}`],
  ['backslashes', (size) => `{"data":{"a":"${'\\\\'.repeat(size / 2 - 10)}"}}`],
  ['quotes', (size) => `{"data":{"a":"${'\\"'.repeat(size / 2 - 10)}"}}`],
  ['halves of surrogate pairs', (size) => `{"data":{${numbered(size / 24).map((n) => `"k${n}":"\\ud800"`).join(',')}}}`],
  ['halves of surrogate pairs as keys', (size) => `{"data":{${numbered(size / 24).map((n) => `"\\ud800${n}":""`).join(',')}}}`],
  ['a text that does not end', (size) => `{"a":"${filled('a', size)}`],
  ['a list that does not end', (size) => `{"a":[${filled('"a",', size)}`],
  ['spaces', (size) => filled(' ', size)],
  ['fields that others manage', (size) => `{"metadata":{"name":"m","managedFields":[${managed('a', `{"f:data":{${numbered(size / 17).map((n) => `"f:k${n}":{}`).join(',')}}}`)}]}}`],
  ['managers', (size) => `{"metadata":{"name":"m","managedFields":[${numbered(size / 140).map((n) => managed(`m${n}`, '{"f:data":{"f:a":{}}}')).join(',')}]}}`],
  ['owners', (size) => `{"metadata":{"name":"m","ownerReferences":[${numbered(size / 90).map((n) => `{"apiVersion":"v1","kind":"Pod","name":"p${n}","uid":"${n}"}`).join(',')}]}}`],
] // prettier-ignore

/** Bodies of CBOR: a map with one list without a length, in which the same bytes stand again and again. */
export const cborShapes: [name: string, bytes: (size: number) => Buffer][] = [
  ['empty maps', 'a0'],
  ['empty lists', '80'],
  ['maps of one key', 'a1616100'],
  ['small numbers', '00'],
  ['large numbers', '1bffffffffffffffff'],
  ['empty texts', '60'],
  ['texts of pieces', '7f6161ff'],
  ['depth', '818181818181818181818181818181818181818181818100'],
  ['tags', 'c1c1c1c1c1c1c1c1c1c100'],
  ['bytes that are base64', 'd6420102'],
].map(([name, piece]) => [name!, (size) => Buffer.concat([Buffer.from('a161619f', 'hex'), Buffer.alloc(size - 10, Buffer.from(piece!, 'hex')), Buffer.from('ff', 'hex')])]) // prettier-ignore

const longTexts = ['a', 'a.', '.', '-', '0', '1', '9.', ' ', 'é', '/', ':', '::', '%', '*/', ',', 'a,', 'A', 'a/', '$(', '~1', '\n', '\0', '+', '=', 'A=='] // prettier-ignore

/** A copy of `value` in which one place has become as large as makes the whole `size` bytes: a long text, a long list, or a map with many keys. */
export function enlarged(value: unknown, c: Chooser, size: number): unknown {
  const places: ((grown: unknown) => void)[] = []
  const values: unknown[] = []
  const copy = structuredClone(value)
  const visit = (node: unknown, put: (grown: unknown) => void) => {
    places.push(put)
    values.push(node)
    if (Array.isArray(node)) node.forEach((item, n) => visit(item, (grown) => (node[n] = grown)))
    else if (typeof node === 'object' && node !== null)
      for (const key of Object.keys(node)) visit((node as Record<string, unknown>)[key], (grown) => ((node as Record<string, unknown>)[key] = grown))
  }
  for (const key of Object.keys(copy as object))
    if (key !== 'kind' && key !== 'apiVersion')
      visit((copy as Record<string, unknown>)[key], (grown) => ((copy as Record<string, unknown>)[key] = grown))
  const chosen = c.below(places.length)
  places[chosen]!(grown(values[chosen], c, size))
  return copy
}

function grown(value: unknown, c: Chooser, size: number): unknown {
  if (Array.isArray(value)) {
    const item: unknown = c.chance(0.8) && value.length > 0 ? value[0] : c.one(['', 'a', 0, {}, [], null])
    const unique = c.chance(0.7)
    const count = Math.max(1, Math.floor(size / ((JSON.stringify(item)?.length ?? 4) + 8)))
    return numbered(count).map((n) => (unique ? renamed(item, n) : item))
  }
  if (typeof value === 'object' && value !== null) {
    const field: unknown = Object.values(value)[0] ?? ''
    const each = c.chance(0.7) ? field : c.one(['', 0, {}, [], null])
    const count = Math.max(1, Math.floor(size / ((JSON.stringify(each)?.length ?? 4) + 12)))
    return { ...value, ...Object.fromEntries(numbered(count).map((n) => [`k${n}`, each])) }
  }
  return filled(c.one(longTexts), size)
}

/** An item of a list of its own: its names and numbers are others than those of its neighbours. */
function renamed(item: unknown, n: number): unknown {
  if (typeof item === 'string') return `${item}${n}`
  if (typeof item === 'number') return n
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
  const [first, ...rest] = Object.entries(item)
  return first ? { [first[0]]: renamed(first[1], n), ...Object.fromEntries(rest) } : item
}

/** YAML in one of its styles. */
export const asYaml = (value: unknown, c: Chooser) =>
  dump(value ?? null, { noRefs: c.chance(0.8), flowLevel: c.one([-1, 1, 3]), forceQuotes: c.chance(0.2), lineWidth: c.one([-1, 80]) })
