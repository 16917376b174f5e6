// npm run fuzz -- TARGET [MINUTES] [SEED]: random requests to an API server in this process.
import { fuzz } from '../test/fuzz/run.ts'

const [target = 'decoders', minutes = '10', seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2)
console.log(`${target}, ${minutes} minutes, seed ${seed}`)
const result = await fuzz({ target, seed: Number(seed), duration: Number(minutes) * 60_000 })
for (const problem of result.problems) console.log(problem)
console.log(
  `${target}: ${result.requests} requests, ${JSON.stringify(result.statuses)}, slowest ${result.slowest.toFixed(0)} ms, ${result.problems.length} problems`,
)
process.exitCode = result.problems.length === 0 ? 0 : 1
