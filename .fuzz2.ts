import { startReference } from './test/differential/cel/reference.ts'
import { ours } from './test/differential/cel/ours.ts'
let seed = Number(process.argv[2] ?? 1)
const random = () => { seed |= 0; seed = (seed + 0x6d2b79f5) | 0; let t = Math.imul(seed ^ (seed >>> 15), 1 | seed); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296 }
const pick = <T>(xs: readonly T[]): T => xs[Math.floor(random() * xs.length)]!
const atoms = ['n', 'p', 'i', 'zero', 'u', 'd', 's', 'b', 't', 'r', 'l', 'ls', 'll', 'm', 'mi', 'ld', 'o', 'none', 'q', 'a', 'c', 'v', 'w', 'object', 'params', '1', '2u', '1.5', "'x'", "b'y'", 'true', 'false', 'null', '[]', '{}', 'int', 'type', 'optional.none()', 'string', 'missing', 'x', '.i', 'optional_type', 'dyn(1)', "dyn('a')", 'authorizer', 'request']
const members = ['size()', 'startsWith(#)', 'contains(#)', 'matches(#)', 'getFullYear()', 'getHours(#)', 'all(x, #)', 'exists(x, #)', 'exists_one(x, #)', 'map(x, #)', 'map(x, #, #)', 'filter(x, #)', 'all(x, y, #)', 'existsOne(x, y, #)', 'transformList(x, y, #)', 'transformMap(x, y, #)', 'transformMap(x, y, #, #)', 'transformMapEntry(x, y, {y: x})', 'hasValue()', 'value()', 'or(#)', 'orValue(#)', 'optMap(x, #)', 'optFlatMap(x, #)', 'sum()', 'min()', 'indexOf(#)', 'isSorted()', 'split(#)', 'join()', 'join(#)', 'replace(#, #)', 'substring(1)', 'lowerAscii()', 'format(#)', 'add(#)', 'sub(#)', 'compareTo(#)', 'isGreaterThan(#)', 'asInteger()', 'sign()', 'family()', 'isLoopback()', 'containsIP(#)', 'ip()', 'find(#)', 'findAll(#)', 'getHost()', 'major()', 'slice(0, 1)', 'flatten()', 'distinct()', 'sort()', 'sortBy(x, #)', 'reverse()', 'first()', 'last()', 'charAt(0)', 'trim()', 'foo', 'metadata', 'a', 'foo(#)', '?a', 'group(#)', 'unknown']
const ops = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in']
const funcs = ['size(#)', 'int(#)', 'uint(#)', 'double(#)', 'string(#)', 'bytes(#)', 'bool(#)', 'duration(#)', 'timestamp(#)', 'type(#)', 'dyn(#)', 'has(object.a)', 'has(m.a)', 'has(#.a)', 'optional.of(#)', 'optional.ofNonZeroValue(#)', 'quantity(#)', 'isQuantity(#)', 'ip(#)', 'cidr(#)', 'url(#)', 'isURL(#)', 'semver(#)', 'sets.contains(#, #)', 'sets.equivalent(#, #)', 'lists.range(#)', 'format.named(#)', 'strings.quote(#)', 'matches(#, #)', 'foo(#)', 'optional.unwrap(#)', 'ip.isCanonical(#)', 'google.protobuf.Int64Value{value: #}', 'Foo{a: #}']
const gen = (depth: number): string => {
  if (depth <= 0 || random() < 0.15) return pick(atoms)
  const fill = (t: string) => t.replaceAll('#', () => gen(depth - 1))
  const r = random()
  if (r < 0.3) return `(${gen(depth - 1)} ${pick(ops)} ${gen(depth - 1)})`
  if (r < 0.55) return `${gen(depth - 1)}.${fill(pick(members))}`
  if (r < 0.7) return fill(pick(funcs))
  if (r < 0.76) return `[${Array.from({ length: Math.floor(random() * 4) }, () => (random() < 0.15 ? '?' : '') + gen(depth - 1)).join(', ')}]`
  if (r < 0.82) return `{${Array.from({ length: Math.floor(random() * 3) }, () => `${random() < 0.15 ? '?' : ''}${gen(depth - 1)}: ${gen(depth - 1)}`).join(', ')}}`
  if (r < 0.88) return `${gen(depth - 1)}[${random() < 0.2 ? '?' : ''}${gen(depth - 1)}]`
  if (r < 0.94) return `(${gen(depth - 1)} ? ${gen(depth - 1)} : ${gen(depth - 1)})`
  return pick(['!', '-']) + gen(depth - 1)
}
const n = Number(process.argv[3] ?? 20000)
const xs = Array.from({ length: n }, () => gen(1 + Math.floor(random() * 3)))
await using r = startReference()
const theirs = await r!.ask(xs)
let bad = 0, err = 0
const show = Number(process.argv[4] ?? 30)
for (const [i, t] of theirs.entries()) {
  let o
  try { o = ours(xs[i]!) } catch (e) { console.log('THROWS', JSON.stringify(xs[i]), (e as Error).stack); bad++; continue }
  if (t.issues) err++
  if (t.fault) continue
  if (t.issues) t.issues = t.issues.replace(/_var\d+/g, '_var')
  if (o.issues) o.issues = o.issues.replace(/_var\d+/g, '_var')
  const same = (t.issues ?? '') === (o.issues ?? '') && t.type === o.type && (process.argv[5] !== 'all' || ((t.value ?? '') === (o.value ?? '') && (t.error ?? '') === (o.error ?? '') && t.cost === o.cost && (t.fault ?? '') === (o.fault ?? '')))
  if (!same) { bad++; if (bad < show) console.log(JSON.stringify(xs[i]), '\n   T', JSON.stringify(t), '\n   O', JSON.stringify(o)) }
}
console.log(n, 'asked', err, 'with issues', bad, 'different')
