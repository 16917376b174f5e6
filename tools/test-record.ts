import type { TestEvent } from 'node:test/reporters'

/** What became of one test, or what node:test had to say about its file. */
export interface TestRecord {
  outcome: 'passed' | 'failed' | 'skipped' | 'said'
  name: string
  /** What it failed with, and where. */
  message?: string
  seconds?: number
}

/** A node:test reporter for the program that runs the files: a `TestRecord` a line. */
export default async function* record(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const found = recordOf(event)
    if (found) yield `${JSON.stringify(found)}\n`
  }
}

const counts = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

function recordOf(event: TestEvent): TestRecord | undefined {
  if (event.type === 'test:pass' || event.type === 'test:fail') {
    // a suite fails because of its tests, except where its own hooks do
    if (event.data.details.type === 'suite' && !(event.type === 'test:fail' && isOwnFailure(event.data.details.error))) return undefined
    const { name, details } = event.data
    const seconds = details.duration_ms / 1000
    if (event.type === 'test:fail') return { outcome: 'failed', name, message: messageOf(event.data.details.error), seconds }
    return { outcome: event.data.skip === undefined ? 'passed' : 'skipped', name, seconds }
  }
  // seeds, and errors that come after their test has ended; the counts that node:test ends with are no news
  if (event.type === 'test:diagnostic' && !counts.test(event.data.message)) return { outcome: 'said', name: event.data.message }
  return undefined
}

type TestError = Error & { failureType?: string; cause?: unknown }

function isOwnFailure(error: TestError): boolean {
  return error.failureType !== 'subtestsFailed'
}

function messageOf(error: TestError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.message)
}

export function readRecords(text: string): TestRecord[] {
  // the last line may be cut off where the process was
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TestRecord)
}
