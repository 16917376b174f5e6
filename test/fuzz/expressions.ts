import { topics } from '../differential/cel/expressions/index.ts'
import { ours } from '../differential/cel/ours.ts'
import { randomExpression } from '../differential/cel/random.ts'
import type { Chooser } from '../random.ts'
import { chooser, mulberry32, mutatedText } from '../random.ts'
import { costOf } from './cost.ts'
import type { FuzzOptions, FuzzResult } from './run.ts'

/** No expression may take longer, whatever it is: its limit of cost is what one of Kubernetes' expressions has. */
const mostTime = 1000
const mostMemory = 64 * 1024 * 1024

const recorded = Object.values(topics).flat()

const repeated = (text: string, c: Chooser) => text.repeat(c.one([2, 10, 100, 1000, 10_000]))

/** Expressions that grow, or nest, or make much of little. */
const greedy: ((c: Chooser) => string)[] = [
  (c) => repeated('(', c) + '1' + repeated(')', c),
  (c) => repeated('[', c),
  (c) => repeated('!', c) + 'p',
  (c) => repeated('i + ', c) + 'i',
  (c) => repeated('p ? 1 : ', c) + '1',
  (c) => 'object' + repeated('.a', c),
  (c) => 'l' + repeated('[0]', c),
  (c) => repeated('nope + ', c) + '1',
  (c) => `'${repeated('a', c)}'.matches('${repeated('(a*)*', c).slice(0, 20_000)}b')`,
  (c) => `'${repeated('ab', c)}'.replace('', '${repeated('x', c)}').replace('', '${repeated('y', c)}')`,
  (c) => `'${repeated('%s', c)}'.format([${repeated('s, ', c)}s])`,
  (c) => `'%.${c.one(['9', '999', '99999', '999999999'])}${c.one(['f', 'e', 'd', 's'])}'.format([${c.one(['d', '1e308', 'i'])}])`,
  (c) => `thousand.map(x, ${repeated('thousand + ', c).slice(0, 11_000)}thousand).flatten().sort()`,
  (c) => `lists.range(1000000)${c.one(['.sort()', '.distinct()', '.map(x, [x, x, x]).flatten()', '.reverse() == lists.range(1000000)', '.sortBy(x, -x)', '.map(x, string(x)).join()', '.slice(0, 999999)', '.transformMap(k, v, v)'])}.size()`, // prettier-ignore
  (c) => `[${repeated('1, ', c)}1].${c.one(['distinct()', 'sort()', 'sum()', 'map(x, hundred)', 'all(x, x == 1)'])}.size()`,
  (c) => `{${Array.from({ length: c.one([1, 100, 10_000]) }, (_, n) => `'k${n}': ${n}`).join(', ')}}.size()`,
  (c) =>
    `thousand.all(a, thousand.all(b, ${c.one(['thousand.all(c, true)', "'x'.matches('x')", 'thousand.sum() > 0', "s.replace('', s).size() > 0"])}))`,
  (c) => `'${repeated('1', c)}' == string(${c.one(['int', 'double', 'uint', 'quantity', 'semver', 'ip', 'url'])}('${repeated('1', c)}'))`,
  (c) => `quantity('1${c.one(['e', 'E'])}${c.one(['18', '999', '99999', '999999999', '-999999999'])}').add(quantity('1n'))`,
  (c) => `optional.of(${repeated('optional.of(', c)}1${repeated(')', c)})`,
  (c) => `[[]].map(a, ${repeated('[a, a].map(a, ', c)}a${repeated(')', c)})`,
]

function expression(c: Chooser): string {
  const kind = c.below(10)
  if (kind < 5) return randomExpression(c)
  if (kind < 6) return c.one(greedy)(c)
  let text = c.one(recorded)
  for (let n = c.below(4); n >= 0 && text.length < 100_000; n--) text = c.chance(0.5) ? mutatedText(text, c) : spliced(text, c.one(recorded), c)
  return text
}

/** One text with a piece of another. */
function spliced(text: string, other: string, c: Chooser): string {
  const at = c.below(text.length + 1)
  const from = c.below(other.length + 1)
  return text.slice(0, at) + other.slice(from, from + c.below(30)) + text.slice(at + c.below(5))
}

/** Compiles and evaluates random expressions: each has an outcome, in time, and none makes anything fail that is not an error of the language. */
export async function fuzzExpressions({
  seed,
  requests = Infinity,
  duration = Infinity,
  mostProblems = 10,
}: Omit<FuzzOptions, 'target'>): Promise<FuzzResult> {
  const c = chooser(mulberry32(seed))
  const result: FuzzResult = { requests: 0, statuses: {}, slowest: 0, largest: 0, problems: [] }
  const end = performance.now() + duration
  while (result.requests < requests && performance.now() < end && result.problems.length < mostProblems) {
    const source = expression(c)
    const told = `${source.length} characters: ${JSON.stringify(source.slice(0, 600))}`
    let outcome = ''
    const { cost } = await costOf(async () => {
      const { issues, fault, error } = ours(source)
      outcome = issues !== undefined ? 'issues' : fault !== undefined ? 'refused' : error !== undefined ? 'error' : 'value'
      if (fault?.includes('\n    at ')) result.problems.push(`${fault.slice(0, 600)}: ${told}`)
    }, source.length > 1000)
    result.statuses[outcome] = (result.statuses[outcome] ?? 0) + 1
    result.requests++
    result.slowest = Math.max(result.slowest, cost.time)
    if (cost.time > mostTime) result.problems.push(`${cost.time.toFixed(0)} ms: ${told}`)
    if (source.length > 1000) result.largest = Math.max(result.largest, cost.memory)
    if (source.length > 1000 && cost.memory > mostMemory) result.problems.push(`${(cost.memory / 2 ** 20).toFixed(0)} MB: ${told}`)
  }
  return result
}
