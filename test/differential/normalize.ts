import type { Answer, Topic } from './step.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Texts that differ every time, wherever they stand. */
const texts: [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>'],
  [/\b20[23]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/\b0xc[0-9a-f]{6,}\b/g, '<pointer>'],
  [/\b127\.0\.0\.1:\d+\b/g, '<server>'],
  [/, current: \d+/g, ', current: <revision>'],
  [/\bin record \(\d+\)/g, 'in record (<revision>)'],
  [/\b10\.97\.\d+\.\d+\b/g, '<service address>'],
]

/** Fields whose values the server chooses. */
const chosen: Record<string, string> = { resourceVersion: '<revision>', continue: '<token>', nodePort: '<port>', healthCheckNodePort: '<port>' }

/** Takes out of an answer what differs from one run to the next. What the request itself says (`sent`) stays as it is. */
export function normalize(answer: Answer, topic: Topic, sent: string): Answer {
  const seen = answer.body === undefined ? undefined : walk(answer.body as Json, '', { topic, sent })
  return {
    status: answer.status,
    headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, text(value, sent)])),
    ...(seen === undefined ? {} : { body: messageOfCauses(seen) }),
  }
}

interface Scope {
  topic: Topic
  sent: string
}

function walk(value: Json, key: string, scope: Scope): Json {
  if (typeof value === 'string' || typeof value === 'number') {
    if (key in chosen && !scope.sent.includes(JSON.stringify(value)) && value !== '') return chosen[key]!
    return typeof value === 'string' ? text(value, scope.sent) : value
  }
  if (Array.isArray(value)) return value.map((item) => (key === 'cells' ? cell(item, scope) : walk(item, key, scope)))
  if (typeof value !== 'object' || value === null) return value
  const generated = typeof value['generateName'] === 'string' ? value['generateName'] : undefined
  const entries = Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
    if (name === 'managedFields' && !scope.topic.managedFields) return []
    if (name === 'managedFields' && Array.isArray(inner)) return [[name, walk(byManager(inner), name, scope)]]
    // prose
    if (name === 'description' && key === 'columnDefinitions') return []
    if (name === 'name' && generated !== undefined && typeof inner === 'string') return [[name, inner.replace(/[a-z0-9]{5}$/, '<suffix>')]]
    return [[name, walk(inner, name, scope)]]
  })
  return Object.fromEntries(entries)
}

/** Entries come in the order of their times, of which most are alike and some have just gone on: those with a time are put as if all were alike. */
function byManager(entries: Json[]): Json[] {
  const key = (entry: Json) =>
    isObject(entry)
      ? [entry['operation'], entry['time'] ? 1 : 0, entry['manager'], entry['apiVersion'], entry['subresource']].map(String).join(' ')
      : ''
  return entries.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

/** Ages count the seconds since the object was made; node ports are those that were free. */
function cell(value: Json, scope: Scope): Json {
  if (typeof value !== 'string') return walk(value, '', scope)
  return /^\d+s$/.test(value) ? '<age>' : text(value.replace(/:3[0-2]\d{3}\//g, ':<port>/'), scope.sent)
}

function text(value: string, sent: string): string {
  return texts.reduce((now, [pattern, replacement]) => now.replace(pattern, (found) => (sent.includes(found) ? found : replacement)), value)
}

/** The message of an Invalid status repeats its causes: they are compared one by one, so that the message says only that it does. */
function messageOfCauses(body: Json): Json {
  if (!isObject(body) || body['kind'] !== 'Status' || body['reason'] !== 'Invalid' || !isObject(body['details']!)) return body
  const causes = body['details']['causes']
  if (!Array.isArray(causes) || typeof body['message'] !== 'string') return body
  const lines = [...new Set(causes.map((cause) => (isObject(cause) ? `${cause['field'] as string}: ${cause['message'] as string}` : '')))]
  const whole = lines.length === 1 ? lines[0]! : `[${lines.join(', ')}]`
  const sorted = causes.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const message = body['message'].endsWith(whole) ? `${body['message'].slice(0, -whole.length)}<causes>` : body['message']
  return { ...body, message, details: { ...body['details'], causes: sorted } }
}

const isObject = (value: Json): value is { [key: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value)
