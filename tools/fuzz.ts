// npm run fuzz -- TARGET [MINUTES] [SEED]: random requests to an API server in this process.
// npm run fuzz -- shapes [RANDOM]: what the largest requests cost, each that has a name and some at random.
import { costsOfShapes } from '../test/fuzz/shapes.ts'
import { fuzz, inMegabytes } from '../test/fuzz/run.ts'

if (process.argv[2] === 'shapes') await printShapes(Number(process.argv[3] ?? 100))
else await run(process.argv.slice(2))

async function run([target = 'decoders', minutes = '10', seed = String(Math.floor(Math.random() * 2 ** 31))]: string[]): Promise<void> {
  console.log(`${target}, ${minutes} minutes, seed ${seed}`)
  const result = await fuzz({ target, seed: Number(seed), duration: Number(minutes) * 60_000, mostProblems: 1000 })
  for (const problem of result.problems) console.log(problem)
  const { requests, statuses, slowest, largest, problems } = result
  console.log(
    `${target}: ${requests} requests, ${JSON.stringify(statuses)}, slowest ${slowest.toFixed(0)} ms, largest ${inMegabytes(largest)} MB, ${problems.length} problems`,
  )
  process.exitCode = problems.length === 0 ? 0 : 1
}

async function printShapes(random: number): Promise<void> {
  let slowest = 0
  let largest = 0
  await costsOfShapes(random, ({ name, status, time, memory }) => {
    slowest = Math.max(slowest, time)
    largest = Math.max(largest, memory)
    console.log(`${time.toFixed(0).padStart(6)} ms ${inMegabytes(memory).padStart(4)} MB  ${status}  ${name}`)
  })
  console.log(`slowest ${slowest.toFixed(0)} ms, largest ${inMegabytes(largest)} MB`)
}
