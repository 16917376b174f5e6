// npm run differential -- [--release 1.20|1.36] [--record] [TOPIC…]: records what the reference answers, or prints where our answers differ from it.
// npm run differential -- cel …: expressions, see cel/main.ts.
import { play } from './play.ts'
import { judge } from './judge.ts'
import type { Release } from './recorded.ts'
import { readRecorded, writeRecorded } from './recorded.ts'
import { topics } from './requests/index.ts'
import { reset } from './reset.ts'
import { ours, reference } from './target.ts'

/** Where the status differs the rest follows from it. */
const shown = (differences: string[]) =>
  differences.some((one) => one.startsWith('status:')) ? differences.filter((one) => /^(status|body\.(message|details))\b/.test(one)) : differences

const asked = process.argv.slice(2)
if (asked[0] === 'cel') {
  const { main } = await import('./cel/main.ts')
  await main(asked.slice(1))
  process.exit()
}
const record = asked.includes('--record')
const at = asked.indexOf('--release')
const release = (at < 0 ? '1.20' : asked.splice(at, 2)[1]) as Release
if (!(release in topics)) throw new Error(`no release ${release}: there are ${Object.keys(topics).join(', ')}`)
const names = asked.filter((name) => !name.startsWith('--'))
for (const name of names) if (!(name in topics[release])) throw new Error(`no topic ${name}: there are ${Object.keys(topics[release]).join(', ')}`)
const chosen = Object.entries(topics[release]).filter(([name]) => names.length === 0 || names.includes(name))

if (record) {
  const asking = reference(release)
  for (const [name, topic] of chosen) {
    await reset(asking)
    const answers = await play(asking, topic)
    await reset(asking)
    writeRecorded(name, release, answers)
    console.log(`${name}: ${answers.size} answers recorded`)
  }
} else {
  await using target = await ours(release)
  let alike = 0
  let explained = 0
  let count = 0
  for (const [name, topic] of chosen) {
    const recorded = readRecorded(name, release)
    for (const [request, answer] of await play(target, topic)) {
      const theirs = recorded[request]
      if (!theirs) throw new Error(`${name}: ${request}: not recorded`)
      const { unexplained, needed } = judge(release, name, request, answer, theirs)
      count++
      if (unexplained.length === 0 && needed.length === 0) alike++
      else if (unexplained.length === 0) explained++
      else
        console.log(
          `${name}: ${request}\n${shown(unexplained)
            .map((one) => `    ${one.slice(0, 600)}`)
            .join('\n')}`,
        )
    }
  }
  console.log(`${count} requests: ${alike} alike, ${explained} apart from listed deviations, ${count - alike - explained} different`)
  if (count > alike + explained) process.exitCode = 1
}
process.exit()
