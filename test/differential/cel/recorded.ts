import { readFileSync, writeFileSync } from 'node:fs'
import type { Answer, Recorded } from './answer.ts'
import { compact, expand } from './answer.ts'

const file = (topic: string) => new URL(`../recorded/cel/${topic}.json`, import.meta.url)

/** The reference's answers, by expression. */
export function readRecorded(topic: string): Map<string, Answer> {
  const recorded = JSON.parse(readFileSync(file(topic), 'utf8')) as [string, Recorded][]
  return new Map(recorded.map(([source, one]) => [source, expand(source, one)]))
}

export function writeRecorded(topic: string, answers: ReadonlyMap<string, Answer>): void {
  const lines = [...answers].map(([source, answer]) => JSON.stringify([source, compact(source, answer)]))
  writeFileSync(file(topic), `[\n${lines.join(',\n')}\n]\n`)
}
