import type { Schema } from '#api'
import { schemaOf } from '#api'
import { memoryStore } from '#store'
import { admin, startTestServer } from '../../src/apiserver/test-server.ts'
import type { KindObjects } from '../differential/requests/objects.ts'
import { core, groups, workloads } from '../differential/requests/objects.ts'
import { costOf } from './cost.ts'
import { post } from './requests.ts'
import type { ShapeCost } from './shapes.ts'

type Loose = Record<string, unknown>

/** Fields that an item hardly does without, or that others are compared by. */
const telling = new Set(
  'address apiGroup apiVersion cidr containerPort device devicePath driver effect expression host hostname image ip key kind maxSkew mountPath name operator path pool port protocol request resource scopeName status topologyKey type uid value whenUnsatisfiable'.split(
    ' ',
  ),
)
const deepest = 9

/**
 * Makes each list and each map of every kind long, one at a time, with items that are all the same and with items that differ in their names, and says what creating such
 * an object costs. What takes quadratic time stands out: a few thousand items fit into a hundred kilobytes.
 */
export async function costsOfLists(length: number, onCost: (cost: ShapeCost) => void): Promise<void> {
  for (const kind of [...core, ...workloads, ...groups]) {
    await using t = await startTestServer({ store: memoryStore() })
    const transport = t.server.transport(admin)
    const [group, version] = kind.apiVersion.includes('/') ? kind.apiVersion.split('/') : ['', kind.apiVersion]
    const url = `${group ? `/apis/${group}` : '/api'}/${version}${kind.cluster ? '' : '/namespaces/default'}/${kind.plural}`
    let count = 0
    for (const [name, object] of longObjects(kind, length)) {
      Object.assign((object['metadata'] ??= {}) as Loose, { name: `x${count++}` })
      const body = JSON.stringify({ apiVersion: kind.apiVersion, kind: kind.kind, ...object })
      const { value, cost } = await costOf(() => transport.send(post(url, {}, 'application/json', body)), false)
      onCost({ name: `${kind.kind} ${name}`, status: value.status, ...cost })
    }
  }
}

function* longObjects(kind: KindObjects, length: number): Generator<[name: string, object: Loose]> {
  const root = schemaOf(kind.apiVersion, kind.kind)
  if (!root) throw new Error(`there is no schema of ${kind.apiVersion} ${kind.kind}`)
  for (const path of pathsOf(root, [], new Set([root])))
    for (const distinct of [false, true])
      for (const base of ['minimal', 'full'] as const) {
        const object = structuredClone(kind[base])
        lengthen(object, root, path, length, distinct)
        yield [`${path.join('.')}: ${length} ${distinct ? 'different' : 'equal'} ones in the ${base} object`, object]
      }
}

/** Where there are lists and maps; a list's first item stands for all of them. Types within themselves are entered once, templates of pods with the pods. */
function* pathsOf(schema: Schema, path: string[], within: ReadonlySet<Schema>): Generator<string[]> {
  if (path.length > deepest) return
  if (schema.type === 'list' || schema.type === 'map') {
    yield path
    const inner = schema.type === 'list' ? schema.items : schema.values
    if (inner.type === 'object' && !within.has(inner))
      yield* pathsOf(inner, [...path, schema.type === 'list' ? '0' : 'k'], new Set([...within, inner]))
  } else if (schema.type === 'object')
    for (const [name, field] of schema.fields) {
      if (name === 'managedFields' || (name === 'spec' && path.at(-1) === 'template')) continue
      if (!within.has(field.schema))
        yield* pathsOf(field.schema, [...path, name], field.schema.type === 'object' ? new Set([...within, field.schema]) : within)
    }
}

/** Puts `length` items where `path` leads, and what is missing on the way. */
function lengthen(object: Loose, root: Schema, path: readonly string[], length: number, distinct: boolean): void {
  let at = object
  let schema = root
  path.forEach((key, i) => {
    const inner =
      schema.type === 'list'
        ? schema.items
        : schema.type === 'map'
          ? schema.values
          : schema.type === 'object'
            ? schema.fields.get(key)!.schema
            : schema
    if (i === path.length - 1) at[key] = long(at[key], inner, length, distinct)
    else at = (at[key] ??= inner.type === 'list' ? [] : sample(inner, 0, false)) as Loose
    schema = inner
  })
}

function long(before: unknown, schema: Schema, length: number, distinct: boolean): unknown {
  const known = Object.values((before ?? {}) as object)[0] as unknown
  const item = (inner: Schema, i: number) => {
    if (known === undefined) return sample(inner, i, distinct)
    return distinct && typeof known === 'object' && known && 'name' in known ? { ...known, name: `n${i}` } : structuredClone(known)
  }
  if (schema.type === 'list') return Array.from({ length }, (_, i) => item(schema.items, i))
  if (schema.type === 'map') return Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, item(schema.values, i)]))
  return before
}

function sample(schema: Schema, i: number, distinct: boolean): unknown {
  switch (schema.type) {
    case 'string':
      return schema.enum?.[0] ?? (distinct ? `n${i}` : 'n')
    case 'integer':
    case 'number':
      return distinct ? i + 1 : 80
    case 'intOrString':
      return 1
    case 'boolean':
      return true
    case 'bytes':
      return 'YQ=='
    case 'quantity':
      return '1'
    case 'duration':
      return '1s'
    case 'time':
    case 'microTime':
      return '2026-01-01T00:00:00Z'
    case 'list':
      return []
    case 'map':
    case 'any':
      return {}
    case 'object': {
      const fields = [...schema.fields].filter(
        ([
          name,
          {
            schema: { type },
          },
        ]) => telling.has(name) && (type === 'string' || type === 'integer'),
      )
      return Object.fromEntries(fields.map(([name, field]) => [name, sample(field.schema, i, distinct)]))
    }
  }
}
