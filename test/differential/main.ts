// npm run differential -- [--record] [TOPIC…]: records what the reference answers, or prints where our answers differ from it.
import { play } from './play.ts'
import { judge } from './judge.ts'
import { readRecorded, writeRecorded } from './recorded.ts'
import { topics } from './requests/index.ts'
import { reset } from './reset.ts'
import { ours, reference } from './target.ts'

/** Where the status differs the rest follows from it. */
const shown = (differences: string[]) =>
  differences.some((one) => one.startsWith('status:')) ? differences.filter((one) => /^(status|body\.(message|details))\b/.test(one)) : differences

const asked = process.argv.slice(2)
const record = asked.includes('--record')
const names = asked.filter((name) => !name.startsWith('--'))
for (const name of names) if (!(name in topics)) throw new Error(`no topic ${name}: there are ${Object.keys(topics).join(', ')}`)
const chosen = Object.entries(topics).filter(([name]) => names.length === 0 || names.includes(name))

if (record) {
  for (const [name, topic] of chosen) {
    await reset(reference)
    const answers = await play(reference, topic)
    await reset(reference)
    writeRecorded(name, answers)
    console.log(`${name}: ${answers.size} answers recorded`)
  }
} else {
  await using target = await ours()
  let alike = 0
  let explained = 0
  let count = 0
  for (const [name, topic] of chosen) {
    const recorded = readRecorded(name)
    for (const [request, answer] of await play(target, topic)) {
      const theirs = recorded[request]
      if (!theirs) throw new Error(`${name}: ${request}: not recorded`)
      const { unexplained, needed } = judge(name, request, answer, theirs)
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
