import type { Answer } from './step.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json } | undefined

/** What is not alike, one line each: `body.spec.replicas: ours 1, theirs 2`. */
export function differences(ours: Answer, theirs: Answer): string[] {
  return [...compare(ours as unknown as Json, theirs as unknown as Json, '')]
}

function* compare(ours: Json, theirs: Json, path: string): Generator<string> {
  if (isResourceList(ours) && isResourceList(theirs)) return yield* compare(byName(ours), byName(theirs), path)
  if (isTable(ours) && isTable(theirs)) return yield* compare(byColumn(ours, theirs), byColumn(theirs, ours), path)
  if (isObject(ours) && isObject(theirs)) {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) yield* compare(ours[key], theirs[key], path ? `${path}.${key}` : key)
  } else if (Array.isArray(ours) && Array.isArray(theirs)) {
    if (path.endsWith('.causes')) yield* causes(ours, theirs, path)
    else if (ours.length === theirs.length) for (const [i, item] of ours.entries()) yield* compare(item, theirs[i], `${path}[${i}]`)
    else yield line(path, ours, theirs)
  } else if (JSON.stringify(ours) !== JSON.stringify(theirs)) yield line(path, ours, theirs)
}

interface ResourceList {
  [key: string]: Json
  resources: { [key: string]: Json; name: string }[]
}

const isResourceList = (value: Json): value is ResourceList & Json =>
  isObject(value) && value['kind'] === 'APIResourceList' && Array.isArray(value['resources'])

/** A list of resources by their names: another resource is one difference. */
const byName = ({ resources, ...rest }: ResourceList): Json => ({
  ...rest,
  resources: Object.fromEntries(resources.map((one) => [one.name, one as Json])),
})

interface Table {
  [key: string]: Json
  columnDefinitions: { name: string }[]
  rows: { [key: string]: Json; cells: Json[] }[]
}

const isTable = (value: Json): value is Table & Json => isObject(value) && value['kind'] === 'Table' && Array.isArray(value['columnDefinitions'])

/** A table by its columns' names: another column is one difference, not one in each row; `order` is that of the columns that both have. */
function byColumn(table: Table, other: Table): Json {
  const names = table.columnDefinitions.map(({ name }) => name)
  const { columnDefinitions, rows, ...rest } = table
  return {
    ...rest,
    columns: Object.fromEntries(columnDefinitions.map((column) => [column.name, column as Json])),
    order: names.filter((name) => other.columnDefinitions.some((column) => column.name === name)),
    rows: (rows ?? []).map(({ cells, ...row }) => ({ ...row, cells: Object.fromEntries(names.map((name, i) => [name, cells[i]])) })),
  }
}

/** Causes are a set: each is there or is not. */
function* causes(ours: Json[], theirs: Json[], path: string): Generator<string> {
  const key = (cause: Json) => (isObject(cause) ? `${cause['field'] as string} | ${cause['reason'] as string} | ${cause['message'] as string}` : '')
  const a = ours.map(key)
  const b = theirs.map(key)
  for (const one of a) if (!b.some((other) => sameCause(one, other))) yield `${path}: ours alone ${one}`
  for (const one of b) if (!a.some((other) => sameCause(other, one))) yield `${path}: theirs alone ${one}`
}

/** Old releases print the values of Go's types in Go's syntax, new ones as JSON. */
const goValue = /value: (map\[|\[\]|&?[a-zA-Z0-9]+\.[A-Z]|\(\*|0x0)/

function sameCause(ours: string, theirs: string): boolean {
  if (ours === theirs) return true
  if (!goValue.test(theirs)) return false
  const [field, reason, message = ''] = theirs.split(' | ')
  const end = Math.max(message.lastIndexOf('}: '), message.lastIndexOf('nil): '))
  const detail = end < 0 ? '' : message.slice(end + 1).replace(/^(il\))?: /, '')
  return ours.startsWith(`${field} | ${reason} | `) && ours.endsWith(detail)
}

const line = (path: string, ours: Json, theirs: Json) => `${path}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`

const isObject = (value: Json): value is { [key: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value)
