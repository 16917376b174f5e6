// npm run linearizability -- [kills] [seed]: writers, readers and watchers on an API server that is killed again and again.
import { run } from '../test/linearizability/run.ts'

const kills = Number(process.argv[2] ?? 1000)
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31))
console.log(`seed ${seed}`)
const started = performance.now()
const result = await run({
  kills,
  seed,
  onProgress: (done, operations) =>
    done % 50 === 0 && console.log(`${done} kills, ${operations} requests, ${((performance.now() - started) / 1000).toFixed(0)} s`),
})
const { violations, ...numbers } = result
console.log(JSON.stringify(numbers))
for (const violation of violations) console.log(violation)
console.log(`${result.kills} kills, ${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1
