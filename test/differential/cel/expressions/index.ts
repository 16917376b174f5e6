import { collections } from './collections.ts'
import { conversions } from './conversions.ts'
import { costs } from './costs.ts'
import { kubernetes } from './kubernetes.ts'
import { macros } from './macros.ts'
import { borders, dynamicOperators, operators } from './operators.ts'
import { optionalValues } from './optionals.ts'
import { strings } from './strings.ts'
import { syntax, types } from './syntax.ts'
import { times } from './times.ts'

const once = (expressions: string[]) => [...new Set(expressions)]

/** The expressions that are recorded, by topic. */
export const topics: Readonly<Record<string, readonly string[]>> = {
  operators: once(operators),
  'dynamic-operators': once(dynamicOperators),
  borders: once(borders),
  conversions: once(conversions),
  strings: once(strings),
  collections: once(collections),
  macros: once(macros),
  optionals: once(optionalValues),
  kubernetes: once(kubernetes),
  times: once(times),
  syntax: once(syntax),
  types: once(types),
  costs: once(costs),
}
