import { CompileError, type Issue } from './environment.ts'

/** Longest line, in bytes, that a message repeats. */
const longestSnippet = 16_384

/** The most issues that a message shows; of the rest it says how many they are. */
const mostIssues = 100

/** A text and where its lines begin. Places are counted in code points, as cel-go counts them. */
export interface Source {
  readonly text: string
  /** In code points. */
  readonly length: number
  /** The place of a unit of UTF-16 of the text. */
  offsetOf(index: number): number
  locate(offset: number): { line: number; column: number }
}

export const newSource = (text: string): Source => {
  const offsets = pointOffsets(text)
  const offsetOf = (index: number): number => offsets?.[index] ?? index
  const lineStarts = [0]
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) lineStarts.push(offsetOf(end) + 1)
  return {
    text,
    length: offsetOf(text.length),
    offsetOf,
    locate(offset) {
      // so cel-go says where nothing is
      if (text === '') return { line: 1, column: -1 }
      let low = 0
      let high = lineStarts.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (lineStarts[middle]! <= offset) low = middle
        else high = middle - 1
      }
      return { line: low + 1, column: offset - lineStarts[low]! }
    },
  }
}

/** For each unit of UTF-16 how many code points are before it; undefined where each unit is a code point. */
const pointOffsets = (text: string): Uint32Array | undefined => {
  if (!/[\ud800-\udbff]/.test(text)) return undefined
  const offsets = new Uint32Array(text.length + 1)
  let count = 0
  for (let index = 0; index < text.length;) {
    const units = text.codePointAt(index)! > 0xffff ? 2 : 1
    for (let unit = 0; unit < units; unit++) offsets[index++] = count
    count++
  }
  offsets[text.length] = count
  return offsets
}

/** What is wrong with a source, gathered while it is read. An offset of undefined is no place in it. */
export interface Issues {
  readonly count: number
  report(offset: number | undefined, message: string): void
  /** Throws a CompileError when there are any. */
  throwIfAny(): void
}

export const newIssues = (source: Source): Issues => {
  const issues: Issue[] = []
  let count = 0
  return {
    get count() {
      return count
    },
    report(offset, message) {
      count++
      if (issues.length < mostIssues) issues.push({ ...(offset === undefined ? { line: -1, column: -1 } : source.locate(offset)), message })
    },
    throwIfAny() {
      if (count > 0) throw compileError(source.text, issues, count)
    },
  }
}

/** An error with cel-go's text: each issue with its line of the source and a mark below the place, wide characters with wide marks. */
const compileError = (text: string, issues: Issue[], count = issues.length): CompileError => {
  const sorted = issues.toSorted((a, b) => a.line - b.line || a.column - b.column)
  const lines = text.split('\n')
  const shown = sorted.map((issue) => display(issue, lines))
  if (count > mostIssues) shown.push(`${count - mostIssues} more errors were truncated`)
  return new CompileError(shown.join('\n'), sorted)
}

const display = ({ line, column, message }: Issue, lines: readonly string[]): string => {
  const head = `ERROR: <input>:${line}:${column + 1}: ${message}`
  const text = lines[line - 1]
  if (text === undefined || (lines.length === 1 && text === '') || Buffer.byteLength(text) > longestSnippet) return head
  const snippet = text.replaceAll('\t', ' ')
  const points = Array.from(snippet)
  const marks = points.slice(0, Math.max(column, 0)).map((point) => (isWide(point) ? '\uff0e' : '.'))
  const mark = isWide(points[Math.max(column, 0)] ?? '') ? '\uff3e' : '^'
  return `${head}\n | ${snippet}\n | ${marks.join('')}${mark}`
}

const isWide = (point: string): boolean => (point.codePointAt(0) ?? 0) > 0x7f
