import type { TestReport } from './plan.ts'

const kept = 100
const longest = 1000

/**
 * The results in files of JUnit's XML form, of which there is no one definition: every `testcase` counts, one with a `failure` or `error` failed, one with
 * `skipped` was skipped. What is not well-formed is read as far as it can be.
 */
export function testReport(files: readonly string[]): TestReport {
  const report: TestReport = { total: 0, failed: 0, skipped: 0, failures: [] }
  for (const text of files) addFile(report, text)
  return report
}

interface Tag {
  name: string
  attributes: Record<string, string>
  close: boolean
  empty: boolean
  /** Where the text after it begins. */
  end: number
}

function addFile(report: TestReport, source: string): void {
  const text = source.replaceAll(/<!--[\s\S]*?-->/g, '')
  let test: Record<string, string> | undefined
  let outcome: 'passed' | 'failed' | 'skipped' = 'passed'
  let message = ''
  const finish = () => {
    if (!test) return
    report.total++
    if (outcome === 'skipped') report.skipped++
    if (outcome === 'failed') {
      report.failed++
      const { name = '', classname, file } = test
      if (report.failures.length < kept)
        report.failures.push({
          name,
          ...(classname ? { className: classname } : {}),
          ...(file ? { file } : {}),
          ...(message ? { message: message.slice(0, longest) } : {}),
        })
    }
    test = undefined
  }
  for (const tag of tags(text)) {
    if (tag.name === 'testcase') {
      if (tag.close) finish()
      else {
        finish()
        test = tag.attributes
        outcome = 'passed'
        message = ''
        if (tag.empty) finish()
      }
    } else if (test && !tag.close && (tag.name === 'failure' || tag.name === 'error')) {
      outcome = 'failed'
      message ||= tag.attributes['message'] ?? (tag.empty ? '' : content(text, tag.end))
    } else if (test && !tag.close && tag.name === 'skipped' && outcome === 'passed') outcome = 'skipped'
  }
}

function* tags(text: string): Generator<Tag> {
  const pattern = /<!\[CDATA\[[\s\S]*?\]\]>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g
  for (const match of text.matchAll(pattern)) {
    if (match[2] === undefined) continue
    const attributes: Record<string, string> = {}
    for (const [, key, double, single] of match[3]!.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g))
      attributes[key!] = decoded(double ?? single ?? '')
    yield { name: match[2].replace(/^.*:/, ''), attributes, close: match[1] === '/', empty: match[4] === '/', end: match.index + match[0].length }
  }
}

function content(text: string, from: number): string {
  const rest = text.slice(from, from + 4 * longest)
  const data = /^\s*<!\[CDATA\[([\s\S]*?)(\]\]>|$)/.exec(rest)
  if (data) return data[1]!.trim()
  return decoded(rest.slice(0, Math.max(0, rest.search(/<|$/)))).trim()
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decoded(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name) return entities[name] ?? whole
    const code = decimal ? Number(decimal) : Number.parseInt(hex!, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
