/** What came of an expression, as the reference answers (reference-1.36/cel/main.go) and as ours is told. */
export interface Answer {
  /** The text of what is wrong, when it does not compile. */
  issues?: string
  type?: string
  value?: string
  /** The text of what went wrong when it was evaluated. */
  error?: string
  /** No program could be made of it, or worse. */
  fault?: string
  cost: number
  least: number
  /** Left out when there is no bound. */
  most?: string
}

/** As it is recorded: issues without the source and the marks below it where they follow from the rest; of an answer what is not 0. */
export type Recorded = string | string[] | Partial<Omit<Answer, 'issues'>>

export function compact(source: string, { issues, cost, least, ...answer }: Answer): Recorded {
  if (issues === undefined) return { ...answer, ...(cost !== 0 && { cost }), ...(least !== 0 && { least }) }
  const heads = [...issues.matchAll(/^ERROR: <input>:(\d+:-?\d+: .*)$/gm)].map(([, head]) => head!)
  return written(source, heads) === issues ? heads : issues
}

export function expand(source: string, recorded: Recorded): Answer {
  if (Array.isArray(recorded)) return { issues: written(source, recorded), cost: 0, least: 0 }
  return typeof recorded === 'string' ? { issues: recorded, cost: 0, least: 0 } : { cost: 0, least: 0, ...recorded }
}

const wide = (character: string) => character.length > 1 || character > '\u1100'

function written(source: string, heads: string[]): string {
  const lines = source.split('\n')
  return heads
    .map((head) => {
      const [line, column] = head.split(':', 2).map(Number) as [number, number]
      const text = (lines[line - 1] ?? '').replaceAll('\t', ' ')
      const before = Array.from(text)
        .slice(0, column)
        .map((one) => (wide(one) ? '．' : '.'))
      return `ERROR: <input>:${head}\n | ${text}\n | ${before.join('')}^`
    })
    .join('\n')
}
