import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Answer } from './answer.ts'
import { variables } from './variables.ts'

const program = `${process.env['PREFIX'] ?? '/opt/upstream-1.36'}/root/work/bin/cel`

/** Lines end where JSON's strings do, also within the expression. */
const line = (value: unknown) => `${JSON.stringify(value)}\n`

export interface Reference extends AsyncDisposable {
  ask(expressions: readonly string[]): Promise<Answer[]>
}

/** The reference as a process of its own; undefined where it is not built (reference-1.36/reference.sh build). */
export function startReference(): Reference | undefined {
  if (!existsSync(program)) return undefined
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]()
  child.stdin.write(line(variables))
  return {
    async ask(expressions) {
      const asked = [...expressions]
      const sending = (async () => {
        for (const expression of asked) if (!child.stdin.write(line(expression))) await new Promise((resolve) => child.stdin.once('drain', resolve))
      })()
      const came: Answer[] = []
      for (const expression of asked) {
        const { value, done } = await answers.next()
        if (done) throw new Error(`the reference ended at ${expression}`)
        came.push(JSON.parse(value) as Answer)
      }
      await sending
      return came
    },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.stdin.end()
      await ended
    },
  }
}

export const notBuilt = 'the reference is not built: test/differential/reference-1.36/reference.sh build (root, apt)'
