// npm run fuzz -- TARGET [MINUTES] [SEED]: random requests to an API server in this process.
// npm run fuzz -- cel [MINUTES] [SEED]: random expressions to our environment of CEL.
// npm run fuzz -- shapes [RANDOM]: what the largest requests cost, each that has a name and some at random.
// npm run fuzz -- lists [LENGTH]: what objects cost whose lists are long, each list of each kind by itself.
import { costsOfLists } from '../test/fuzz/lists.ts'
import { fuzzExpressions } from '../test/fuzz/expressions.ts'
import type { ShapeCost } from '../test/fuzz/shapes.ts'
import { costsOfShapes } from '../test/fuzz/shapes.ts'
import { fuzz, inMegabytes } from '../test/fuzz/run.ts'

const [, , target, count] = process.argv
if (target === 'shapes') await printCosts((onCost) => costsOfShapes(Number(count ?? 100), onCost), 0)
// only the slow ones: there are thousands
else if (target === 'lists') await printCosts((onCost) => costsOfLists(Number(count ?? 3000), onCost), 300)
else await run(process.argv.slice(2))

async function run([target = 'decoders', minutes = '10', seed = String(Math.floor(Math.random() * 2 ** 31))]: string[]): Promise<void> {
  console.log(`${target}, ${minutes} minutes, seed ${seed}`)
  const options = { seed: Number(seed), duration: Number(minutes) * 60_000, mostProblems: 1000 }
  const result = target === 'cel' ? await fuzzExpressions(options) : await fuzz({ target, ...options })
  for (const problem of result.problems) console.log(problem)
  const { requests, statuses, slowest, largest, problems } = result
  console.log(
    `${target}: ${requests} requests, ${JSON.stringify(statuses)}, slowest ${slowest.toFixed(0)} ms, largest ${inMegabytes(largest)} MB, ${problems.length} problems`,
  )
  process.exitCode = problems.length === 0 ? 0 : 1
}

/** Prints those that took `from` milliseconds, or were no answer, and what the most expensive ones cost. */
async function printCosts(measure: (onCost: (cost: ShapeCost) => void) => Promise<void>, from: number): Promise<void> {
  let measured = 0
  let slowest = 0
  let largest = 0
  await measure(({ name, status, time, memory }) => {
    measured++
    slowest = Math.max(slowest, time)
    largest = Math.max(largest, memory)
    if (time >= from || status >= 500) console.log(`${time.toFixed(0).padStart(6)} ms ${inMegabytes(memory).padStart(4)} MB  ${status}  ${name}`)
  })
  console.log(`${measured} requests, slowest ${slowest.toFixed(0)} ms, largest ${inMegabytes(largest)} MB`)
}
