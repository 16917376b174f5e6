import type { LogRecord } from '../agent/plan.ts'

/** How to show what is worth a colour; nothing of it where there is no terminal. */
export interface LogStyle {
  heading(text: string): string
  failure(text: string): string
  success(text: string): string
  faint(text: string): string
}

export const plainStyle: LogStyle = { heading: same, failure: same, success: same, faint: same }

function same(text: string): string {
  return text
}

export interface LogTextOptions {
  /** Stands before each line, e.g. the job's name. */
  prefix?: string
  style?: LogStyle
  /** Only what belongs to these steps; all when absent. */
  only?: (step: number) => boolean
}

/**
 * Turns a job's log, bytes as they come, into text for people: a heading for each step with its place in the configuration, its output line by line, and how it
 * ended unless that was well.
 */
export function createLogText({ prefix = '', style = plainStyle, only = () => true }: LogTextOptions = {}): {
  push(bytes: Uint8Array): string
  /** What was left of a line that never ended. */
  end(): string
} {
  const decoder = new TextDecoder()
  let buffered = ''
  /** Output of a step after its last line feed. */
  let line = ''
  const put = (text: string) => `${prefix}${text}\n`

  function flush(): string {
    if (line === '') return ''
    const text = put(line)
    line = ''
    return text
  }

  function output(text: string): string {
    // a program that draws a line anew is shown by what it drew last
    const lines = (line + text).split('\n')
    line = lines.pop()!
    return lines.map((each) => put(redrawn(each))).join('')
  }

  function show(record: LogRecord): string {
    if (!only(record.s)) return ''
    if ('d' in record) return output(record.d)
    if (record.e === 'start') {
      const place = record.file ? style.faint(`  (${record.file}:${record.line})`) : ''
      return flush() + put(`${style.heading(`==> ${record.name}`)}${place}`)
    }
    if (record.phase === 'Succeeded' || record.phase === 'Background' || record.phase === 'Running') return flush()
    const why = record.message ?? (record.code === undefined ? record.phase : `exit code ${record.code}`)
    const text = record.phase === 'Skipped' ? style.faint(`    skipped: ${why}`) : style.failure(`<== ${record.phase}: ${why}`)
    return flush() + (record.phase === 'Skipped' && !record.message ? '' : put(text))
  }

  return {
    push(bytes) {
      const lines = (buffered + decoder.decode(bytes, { stream: true })).split('\n')
      buffered = lines.pop()!
      return lines
        .filter(Boolean)
        .map((each) => show(JSON.parse(each) as LogRecord))
        .join('')
    },
    end: flush,
  }
}

const redrawn = (text: string): string => {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  return line.slice(line.lastIndexOf('\r') + 1)
}
