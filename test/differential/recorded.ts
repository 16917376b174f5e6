import { readFileSync, writeFileSync } from 'node:fs'
import type { Answer } from './step.ts'

/** The releases whose answers are recorded. */
export type Release = '1.20' | '1.36'

const file = (topic: string, release: Release) => new URL(`recorded/${release}/${topic}.json`, import.meta.url)

/** What the reference answered, by the requests' names. */
export function readRecorded(topic: string, release: Release): Record<string, Answer> {
  return JSON.parse(readFileSync(file(topic, release), 'utf8')) as Record<string, Answer>
}

/** One line an answer: the files are facts to look up and to compare, not to read through. */
export function writeRecorded(topic: string, release: Release, answers: Map<string, Answer>): void {
  const lines = [...answers].map(([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`)
  writeFileSync(file(topic, release), `{\n${lines.join(',\n')}\n}\n`)
}
