import type { TestEvent } from 'node:test/reporters'

interface Failure {
  name: string
  file: string
  error: Error & { cause?: unknown }
}

/** A node:test reporter: a dot for every ten that pass; in the end each failure whole, and the counts. */
export default async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: Failure[] = []
  let [passed, failed, skipped] = [0, 0, 0]
  for await (const event of source) {
    if (event.type === 'test:pass') {
      if (event.data.skip !== undefined) skipped++
      else if (event.data.details.type !== 'suite' && ++passed % 10 === 0) yield '.'
    } else if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      failed++
      failures.push({ name: event.data.name, file: event.data.file ?? '', error: event.data.details.error })
    }
  }
  for (const { name, file, error } of failures) {
    const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.message)
    yield `\n✖ ${name}\n  ${file}\n${cause.replace(/^/gm, '  ')}\n`
  }
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`
}
