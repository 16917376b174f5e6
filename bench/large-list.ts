import { Agent, request } from 'node:https'
import type { core } from '#api'
import { resources } from '#api'
import { inParallel, pod, podsWelcome } from './objects.ts'
import type { Subject } from './subjects/subject.ts'
import { subjectClient } from './subjects/subject.ts'

const count = 10_000
const namespace = 'large'
/** Until memory is weighed, milliseconds. */
const settling = 15_000

export interface LargeList {
  /** Of one LIST of all pods, milliseconds. */
  times: number[]
  /** Bytes of that answer's body, MB (2^20) a second. */
  rates: number[]
  /** Of a LIST in pages of 500, milliseconds. */
  pages: number[]
  /** That 10,000 pods take, MB. */
  memory: number
}

/** 10,000 pods: what they weigh, how long it takes to list them at once, and in pages of 500 as clients do. */
export async function measureLargeList(subject: Subject, runs: number): Promise<LargeList> {
  await using owned = subjectClient(subject)
  const { client } = owned
  await client
    .resource<core.Namespace>(resources.namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } } as core.Namespace)
  await podsWelcome(client, namespace, false)
  await pause(settling)
  const before = subject.memory()
  await inParallel(count, (i) => client.resource<core.Pod>(resources.pods).create(pod(namespace, `pod-${i}`, 'nobody')))
  await pause(settling)
  const memory = subject.memory() - before
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const path = `/api/v1/namespaces/${namespace}/pods`
  const measured: LargeList = { times: [], rates: [], pages: [], memory }
  try {
    for (let run = -1; run < runs; run++) {
      const whole = await timed(() => read(subject, agent, path))
      const pages = await timed(() => readPages(subject, agent, path))
      if (pages.value < count / 500) throw new Error(`${subject.name}: ${count} pods came in ${pages.value} pages`)
      if (run < 0) continue
      measured.times.push(whole.ms)
      measured.rates.push(whole.value.bytes / 2 ** 20 / (whole.ms / 1000))
      measured.pages.push(pages.ms)
    }
  } finally {
    agent.destroy()
  }
  return measured
}

/** Follows the tokens from page to page; answers how many there were. */
async function readPages(subject: Subject, agent: Agent, path: string): Promise<number> {
  let token: string | undefined
  let pages = 0
  do {
    token = (await read(subject, agent, `${path}?limit=500${token ? `&continue=${encodeURIComponent(token)}` : ''}`)).token
    pages++
  } while (token)
  return pages
}

/** Reads an answer to its end and keeps nothing of it but its size and the token of the next page, which stands in its head. */
function read(subject: Subject, agent: Agent, path: string): Promise<{ bytes: number; token: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${subject.token}`, accept: 'application/json' }
    const asked = request(subject.url + path, { agent, headers, rejectUnauthorized: false }, (response) => {
      let bytes = 0
      let head = ''
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (head.length < 1024) head += chunk.toString('latin1', 0, 1024)
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve({ bytes, token: /"continue":"([^"]+)"/.exec(head)?.[1] })
        else reject(new Error(`${subject.name}: ${path} was answered ${response.statusCode}: ${head}`))
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now()
  const value = await work()
  return { ms: performance.now() - start, value }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
