import { setTimeout } from 'node:timers/promises'
import { normalize } from './normalize.ts'
import type { Target } from './send.ts'
import { send } from './send.ts'
import type { Answer, Step, Topic } from './step.ts'

/** Sends a topic's requests in order; answers what came back, by the requests' names. */
export async function play(target: Target, topic: Topic): Promise<Map<string, Answer>> {
  await prepare(target, topic.namespace)
  const answers = new Map<string, Answer>()
  for (const step of topic.steps) {
    if (answers.has(step.name)) throw new Error(`two requests are named ${step.name}`)
    answers.set(step.name, normalize(await sent(target, step), topic, `${step.path}${JSON.stringify(step.body) ?? ''}${step.edit?.toString() ?? ''}`))
  }
  return answers
}

/** An answer that does not come to be is one as well. */
async function sent(target: Target, step: Step): Promise<Answer> {
  const end = performance.now() + 10_000
  for (;;) {
    const answer = await send(target, step)
    if (step.until === undefined || JSON.stringify(answer.body).includes(step.until) || performance.now() > end) return answer
    await setTimeout(50)
  }
}

async function prepare(target: Target, namespace: string): Promise<void> {
  const made = [
    // the label is kube-apiserver's own to set
    { path: '/api/v1/namespaces', body: { metadata: { name: namespace, labels: { 'kubernetes.io/metadata.name': namespace } } } },
    // pods need an account, and one whose token nobody has to make
    { path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body: { metadata: { name: 'default' }, automountServiceAccountToken: false } },
  ]
  for (const { path, body } of made) {
    const { status, body: answer } = await send(target, { name: 'prepare', method: 'POST', path, body })
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(answer)}`)
  }
}
