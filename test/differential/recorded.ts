import { readFileSync, writeFileSync } from 'node:fs'
import type { Answer } from './step.ts'

const file = (topic: string) => new URL(`recorded/${topic}.json`, import.meta.url)

/** What the reference answered, by the requests' names. */
export function readRecorded(topic: string): Record<string, Answer> {
  return JSON.parse(readFileSync(file(topic), 'utf8')) as Record<string, Answer>
}

/** One line an answer: the files are facts to look up and to compare, not to read through. */
export function writeRecorded(topic: string, answers: Map<string, Answer>): void {
  const lines = [...answers].map(([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`)
  writeFileSync(file(topic), `{\n${lines.join(',\n')}\n}\n`)
}
