/** A run of indexes of an indexed job, both ends included. */
interface Interval {
  first: number
  last: number
}

/** Go's strconv.Atoi takes a sign, too. */
const integer = /^[+-]?\d+$/

function parseInterval(text: string, completions: number): Interval | string {
  const ends = text.split('-')
  if (ends.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`
  const numbers: number[] = []
  for (const end of ends) {
    if (!integer.test(end)) return `cannot convert string to integer for index: ${JSON.stringify(end)}`
    const number = Number(end)
    if (number >= completions) return `too large index: ${JSON.stringify(end)}`
    numbers.push(number)
  }
  const [first, last = first] = numbers as [number, number?]
  if (numbers.length > 1 && first >= last!) return `non-increasing order, previous: ${first}, current: ${last}`
  return { first, last: last! }
}

/**
 * How many indexes a text such as `0,3-5` names, of those below `completions`; what is wrong with it when it is none that the job
 * controller writes (growing, without repetition).
 */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let total = 0
  let previous: number | undefined
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions)
    if (typeof interval === 'string') return interval
    const { first, last } = interval
    if (previous !== undefined && previous >= first) return `non-increasing order, previous: ${previous}, current: ${first}`
    total += last - first + 1
    previous = last
  }
  return total
}

/** The first index that both texts name; undefined when there is none. Parts that cannot be read are passed over: `countIndexes` says what is wrong with them. */
export function commonIndex(completed: string, failed: string, completions: number): number | undefined {
  const intervals = (text: string) =>
    text === ''
      ? []
      : text
          .split(',')
          .map((part) => parseInterval(part, completions))
          .filter((part) => typeof part !== 'string')
  const a = intervals(completed)
  const b = intervals(failed)
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const x = a[i]!
    const y = b[j]!
    if (x.first <= y.last && y.first <= x.last) return Math.max(x.first, y.first)
    if (x.first <= y.first) i++
    else j++
  }
  return undefined
}
