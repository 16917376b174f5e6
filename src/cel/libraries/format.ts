import { dns1035Label, dns1123Label, dns1123Subdomain, inWordsOfLabels, labelValue, qualifiedName } from '#api'
import type { Library, Overload } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { Opaque } from '../values.ts'
import { listOf } from '../values/collections.ts'
import { Optional, none } from '../optional.ts'
import { sizeOf } from '../values/size.ts'
import { estimates, matching, regexFactor, scale, traversalFactor } from './costs.ts'
import { urlProblem } from './urls.ts'

export const formatType = types.opaque('kubernetes.NamedFormat')

interface NamedFormat {
  /** As two formats are compared by. */
  name: string
  problems(text: string): readonly string[]
  /** What the check counts as in costs: the length of the regular expression that it is, or could be. */
  length: number
}

export class FormatValue extends Opaque {
  readonly type: CelType = formatType
  readonly format: NamedFormat

  constructor(format: NamedFormat) {
    super()
    this.format = format
  }

  override equals(other: Opaque): boolean {
    return other instanceof FormatValue && other.format.name === this.format.name
  }
}

/** The start of a name that gets something appended may end in a dash. Upstream looks at it so, the character before the dash left out. */
const asPrefix = (name: string): string => (name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)

const matches = (holds: (text: string) => boolean, message: string) => (text: string) => (holds(text) ? [] : [message])

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/

function isDate(text: string): boolean {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text)
  if (!match) return false
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  if (month < 1 || month > 12 || day < 1) return false
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return day <= (month === 2 && leap ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!)
}

/** What stands after a second `t` is not looked at, as upstream has it. */
function isDateTime(text: string): boolean {
  const [date, time] = text.toLowerCase().split('t')
  if (text.length < 4 || time === undefined || !isDate(date!)) return false
  const match = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})$/.exec(time)
  return match !== null && match[1]! <= '23' && match[2]! <= '59' && match[3]! <= '59'
}

const formats: Record<string, NamedFormat> = {
  dns1123Label: { name: 'DNS1123Label', problems: dns1123Label, length: 30 },
  dns1123Subdomain: { name: 'DNS1123Subdomain', problems: dns1123Subdomain, length: 60 },
  dns1035Label: { name: 'DNS1035Label', problems: dns1035Label, length: 30 },
  qualifiedName: { name: 'QualifiedName', problems: (text) => inWordsOfLabels(qualifiedName(text)), length: 60 },
  dns1123LabelPrefix: { name: 'DNS1123LabelPrefix', problems: (text) => dns1123Label(asPrefix(text)), length: 30 },
  dns1123SubdomainPrefix: { name: 'DNS1123SubdomainPrefix', problems: (text) => dns1123Subdomain(asPrefix(text)), length: 60 },
  dns1035LabelPrefix: { name: 'DNS1035LabelPrefix', problems: (text) => dns1035Label(asPrefix(text)), length: 30 },
  labelValue: { name: 'LabelValue', problems: (text) => inWordsOfLabels(labelValue(text)), length: 40 },
  uri: {
    name: 'URI',
    problems: (text) => {
      const problem = urlProblem(text)
      return problem === undefined ? [] : [problem]
    },
    length: 1103,
  },
  uuid: { name: 'uuid', problems: matches((text) => uuid.test(text), 'does not match the UUID format'), length: 70 },
  byte: { name: 'byte', problems: matches((text) => base64.test(text), 'invalid base64'), length: 84 },
  date: { name: 'date', problems: matches(isDate, 'invalid date'), length: 71 },
  datetime: { name: 'datetime', problems: matches(isDateTime, 'invalid datetime'), length: 71 },
}

const values = new Map(Object.entries(formats).map(([name, format]) => [name, new FormatValue(format)]))

/** The length that estimates take for every format. */
const estimatedLength = 128

const constant = (name: string, value: FormatValue): [string, Overload[]] => [
  `format.${name}`,
  [{ id: `format.${name}`, parameters: [], result: formatType, call: () => value }],
]

/** `kubernetes.format`: the formats of names and of OpenAPI. */
export const format: Library = {
  name: 'kubernetes.format',
  functions: {
    ...Object.fromEntries([...values].map(([name, value]) => constant(name, value))),
    'format.named': [
      {
        id: 'format-named',
        parameters: [types.string],
        result: types.optional(formatType),
        call: (name) => {
          const value = values.get(name as string)
          return value === undefined ? none : new Optional(value)
        },
        cost: () => 1,
        estimate: estimates(1),
      },
    ],
    validate: [
      {
        id: 'format-validate',
        parameters: [formatType, types.string],
        result: types.optional(types.list(types.string)),
        member: true,
        call: (value, text) => {
          const problems = (value as FormatValue).format.problems(text as string)
          return problems.length === 0 ? none : new Optional(listOf(problems))
        },
        cost: ([value, text]) => (value instanceof FormatValue ? matching(sizeOf(text!), value.format.length) : 1),
        estimate: ([, text]) => ({ cost: scale(scale(text!.size, traversalFactor), estimatedLength * regexFactor) }),
      },
    ],
  },
}
