import assert from 'node:assert/strict'
import { test } from 'node:test'
import { estimateCost } from './cost-estimate.ts'
import { kubernetesEnvironment } from './kubernetes.ts'
import { authorizerType, kubernetesLibraries } from './libraries/index.ts'
import { standardLibrary } from './libraries/standard.ts'
import type { Overload } from './library.ts'
import { bindMacros } from './macros.ts'
import { types } from './types.ts'

const { string } = types
const environment = kubernetesEnvironment({
  libraries: [{ name: 'bindings', macros: [...bindMacros] }],
  variables: { s: string, l: types.list(string), m: types.map(string, string), i: types.int, li: types.list(types.int), authorizer: authorizerType },
})
const functions = new Map<string, Overload[]>()
for (const library of [standardLibrary, ...kubernetesLibraries])
  for (const [name, overloads] of Object.entries(library.functions ?? {})) functions.set(name, [...(functions.get(name) ?? []), ...overloads])
const known: Record<string, bigint> = { s: 100n, l: 10n, 'l/@items': 20n, m: 5n, 'm/@keys': 7n, 'm/@values': 9n }
const sizes = (path: readonly string[] | undefined) => {
  const max = path && known[path.join('/')]
  return max === undefined ? undefined : { min: 0n, max }
}

/** As cel-go estimates them with the same sizes; without a bound 2⁶⁴−1 is its start. */
const estimates: [string, bigint, bigint][] = [
  ['s.contains("a")', 1n, 11n],
  ['s.matches("[a-z]+")', 3n, 23n],
  ['s == "abc"', 2n, 2n],
  ['s + s', 2n, 22n],
  ['(s + s).contains("ab")', 2n, 42n],
  ['l.all(e, e.size() > 1)', 2n, 62n],
  ['l.exists(e, e == "a")', 2n, 62n],
  ['l.map(e, e + "x").join(",")', 12n, 1_844_674_407_370_955_436n],
  ['m.all(k, m[k] == "v")', 2n, 37n],
  ['li.sum()', 1n, 18_446_744_073_709_551_615n],
  ['l.max()', 1n, 31n],
  ['l.distinct()', 12n, 222n],
  ['sets.contains(l, ["a"])', 12n, 22n],
  ['lists.range(5).map(e, e)', 92n, 92n],
  ['i > 3 ? s : "x"', 2n, 3n],
  ['cel.bind(a, s, a + a)', 13n, 33n],
  ['authorizer.path(s).check("get").allowed()', 350_004n, 350_004n],
  ['url("http://a") == url(s)', 3n, 22n],
  ['[ip("1.2.3.4")].exists(z, z == ip("1.2.3.4"))', 16n, 19n],
  ['s.replace("a", "bb").split("").size()', 2n, 62n],
]
for (const [source, min, max] of estimates)
  test(`${source} costs from ${min} to ${max}`, () =>
    assert.deepEqual(estimateCost(environment.compile(source).checked, { functions, sizes }), { min, max }))

test('evaluations cost no more than was estimated', () => {
  const variables = { s: 'x'.repeat(100), i: 7n }
  for (const [source] of estimates.filter(([text]) => !/\b(l|m|li|authorizer)\b/.test(text))) {
    const program = environment.compile(source)
    const { cost } = program.evaluate(variables)
    assert.ok(BigInt(cost) <= estimateCost(program.checked, { functions, sizes }).max, `${source}: ${cost}`)
  }
})
