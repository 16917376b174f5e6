// npm run differential -- cel [--record] [TOPIC…]: recorded expressions, beside the reference's answers (reference-1.36/cel/main.go).
// npm run differential -- cel --random [COUNT] [SEED]: random expressions, to the reference and to ours.
import type { Answer } from './answer.ts'
import { topics } from './expressions/index.ts'
import { chooser, mulberry32 } from '../../random.ts'
import { judge } from './judge.ts'
import { ours } from './ours.ts'
import { randomExpression, randomTokens } from './random.ts'
import { readRecorded, writeRecorded } from './recorded.ts'
import { notBuilt, startReference } from './reference.ts'

export async function main(asked: string[]): Promise<void> {
  if (asked[0] === '--random') return random(Number(asked[1] ?? 2000), Number(asked[2] ?? Math.floor(Math.random() * 2 ** 31)))
  const names = asked.filter((name) => !name.startsWith('--'))
  for (const name of names) if (!(name in topics)) throw new Error(`no topic ${name}: there are ${Object.keys(topics).join(', ')}`)
  const chosen = Object.entries(topics).filter(([name]) => names.length === 0 || names.includes(name))
  if (asked.includes('--record')) await record(chosen)
  else compare(chosen.map(([name]) => name))
}

function compare(names: string[]): void {
  let alike = 0
  let explained = 0
  let different = 0
  for (const name of names) {
    for (const [expression, theirs] of readRecorded(name)) {
      const began = performance.now()
      const answer = ours(expression)
      const took = performance.now() - began
      if (took > 1000) console.log(`${name}: ${expression.slice(0, 300)}: ${took.toFixed(0)} ms`)
      const { unexplained, needed } = judge(expression, answer, theirs)
      if (unexplained.length > 0) {
        different++
        console.log(`${name}: ${expression.slice(0, 300)}\n${unexplained.map((one) => `    ${one.slice(0, 600)}`).join('\n')}`)
      } else if (needed.length > 0) explained++
      else alike++
    }
  }
  console.log(`${alike + explained + different} expressions: ${alike} alike, ${explained} apart from listed deviations, ${different} different`)
  if (different > 0) process.exitCode = 1
}

async function random(count: number, seed: number): Promise<void> {
  await using reference = startReference()
  if (!reference) throw new Error(notBuilt)
  console.log(`${count} expressions, seed ${seed}`)
  const c = chooser(mulberry32(seed))
  const outcomes = { compiled: 0, evaluated: 0, different: 0 }
  for (let asked = 0; asked < count; asked += 250) {
    const expressions = Array.from({ length: Math.min(250, count - asked) }, () => (c.chance(0.2) ? randomTokens(c) : randomExpression(c)))
    for (const [n, theirs] of (await reference.ask(expressions)).entries()) {
      const expression = expressions[n]!
      // upstream fails where it should not
      if (theirs.error?.startsWith('internal error: ') || theirs.fault?.startsWith('panic: ')) continue
      if (theirs.issues === undefined) outcomes.compiled++
      if (theirs.value !== undefined) outcomes.evaluated++
      const { unexplained } = judge(expression, ours(expression), theirs)
      if (unexplained.length === 0) continue
      // the order of Go's maps
      const again = await reference.ask(Array.from({ length: 8 }, () => expression))
      if (again.some((answer) => JSON.stringify(answer) !== JSON.stringify(theirs))) continue
      outcomes.different++
      console.log(`${expression.slice(0, 1000)}\n${unexplained.map((one) => `    ${one.slice(0, 600)}`).join('\n')}`)
    }
  }
  console.log(`${count} expressions, seed ${seed}: ${outcomes.compiled} compile, ${outcomes.evaluated} evaluate, ${outcomes.different} different`)
  if (outcomes.different > 0) process.exitCode = 1
}

/** Asks more than once: what depends on the order that Go's maps have by chance is no fact. */
async function record(chosen: [string, readonly string[]][]): Promise<void> {
  for (const [name, expressions] of chosen) {
    const rounds: Answer[][] = []
    for (let round = 0; round < 6; round++) {
      await using reference = startReference()
      if (!reference) throw new Error(notBuilt)
      rounds.push(await reference.ask(expressions))
    }
    const facts = new Map<string, Answer>()
    for (const [n, expression] of expressions.entries()) {
      const different = new Set(rounds.map((answers) => JSON.stringify(answers[n])))
      if (different.size === 1) facts.set(expression, rounds[0]![n]!)
      else console.log(`${name}: not twice the same: ${expression.slice(0, 200)}`)
    }
    writeRecorded(name, facts)
    console.log(`${name}: ${facts.size} answers recorded`)
  }
}
