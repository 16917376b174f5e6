import { readFileSync } from 'node:fs'

/** The expressions of a text file, one a line; those that a line cannot hold are written as `json:"…"`. */
export const lines = (name: string): string[] =>
  readFileSync(new URL(`${name}.txt`, import.meta.url), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => (line.startsWith('json:') ? (JSON.parse(line.slice(5)) as string) : line))
