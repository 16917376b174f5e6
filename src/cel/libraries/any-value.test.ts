import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newFrame, run } from '../frame.ts'
import { jsonValue } from '../json-values.ts'
import { Optional, none } from '../optional.ts'
import { planCall } from '../plan-calls.ts'
import { types } from '../types.ts'
import { CelError, Duration, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { listOf } from '../values/collections.ts'
import { kubernetesLibraries } from './index.ts'
import { standardLibrary } from './standard.ts'

/** What an expression may hand to any function when its type is only known as it is evaluated. */
const samples: readonly Value[] = [
  null,
  true,
  0n,
  -(2n ** 63n),
  new Uint(2n ** 64n - 1n),
  NaN,
  1.5,
  '',
  '10.0.0.0/8',
  'a'.repeat(50),
  new Uint8Array([0xff]),
  new Timestamp(253_402_300_799_999_999_999n),
  new Duration(-(2n ** 63n)),
  listOf([]),
  listOf(['a', 1n, null]),
  listOf([1n, 'a']),
  listOf([listOf([1n]), null]),
  jsonValue({ a: 1, b: null }),
  new TypeValue(types.int),
  new Optional(1n),
  none,
  new CelError('a failure'),
]

/** Three arguments at once are tried with fewer. */
const few = samples.filter((_, index) => index % 3 !== 1)

function* combinations(count: number): Iterable<readonly Value[]> {
  if (count === 0) yield []
  else {
    const values = count > 2 ? few : samples
    for (const value of values) for (const rest of combinations(count - 1)) yield [value, ...rest]
  }
}

for (const library of [standardLibrary, ...kubernetesLibraries]) {
  for (const [name, overloads] of Object.entries(library.functions ?? {})) {
    test(`${library.name}: ${name} has a result and a cost whatever it is called with`, () => {
      for (const count of new Set(overloads.map(({ parameters }) => parameters.length))) {
        if (count > 4) continue
        const forms = overloads.filter(({ parameters }) => parameters.length === count)
        for (const args of combinations(Math.min(count, 3))) {
          const all = [...args, ...samples.slice(0, count - args.length)]
          const step = planCall({ name, overloads: forms, args: all.map((arg) => () => arg), constants: all.map(() => undefined) })
          assert.ok(!(step instanceof CelError))
          const frame = newFrame({}, undefined)
          assert.notEqual(run(step, frame), undefined)
          assert.ok(Number.isFinite(frame.cost) && frame.cost >= 0, `${frame.cost}`)
        }
      }
    })
  }
}
