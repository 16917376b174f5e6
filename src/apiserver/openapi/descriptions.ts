import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface TypeDescription {
  description?: string
  fields: ReadonlyMap<string, string>
}

/** What a type and its fields are for, by the definition's name; undefined for types that nobody describes. */
export type Describe = (definition: string) => TypeDescription | undefined

/**
 * Descriptions out of the declarations of `@kubernetes/client-node`, where that package is installed; undefined where it
 * is not. A type's file is read when it is asked for, and not kept: documents are made once.
 */
export function clientNodeDescriptions(): Describe | undefined {
  const directory = modelsDirectory()
  return directory === undefined ? undefined : (definition) => describe(directory, definition)
}

function modelsDirectory(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@kubernetes/client-node')
    const models = join(dirname(entry), 'gen/models')
    return existsSync(models) ? models : undefined
  } catch {
    return undefined
  }
}

function describe(directory: string, definition: string): TypeDescription | undefined {
  for (const name of modelNames(definition)) {
    const file = join(directory, `${name}.d.ts`)
    if (existsSync(file)) return parseDeclaration(readFileSync(file, 'utf8'))
  }
  return undefined
}

// `V1Pod`; with the group in front where two groups have a type of that name; the GA type stands in for older versions.
function modelNames(definition: string): string[] {
  const [type = '', version = '', group = ''] = definition.split('.').toReversed()
  const upper = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
  return [`${upper(version)}${type}`, `${upper(group)}${upper(version)}${type}`, `V1${type}`, `${upper(group)}V1${type}`]
}

/** The comments of a generated model class: of the class, and of each property. */
export function parseDeclaration(text: string): TypeDescription {
  const fields = new Map<string, string>()
  let description: string | undefined
  for (const [, comment = '', property, isClass] of text.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\s*(?:'([^']+)'\??:|(export declare class))/gs)) {
    const prose = proseOf(comment)
    if (prose === '') continue
    if (isClass) description = prose
    else if (property) fields.set(property, prose)
  }
  return { ...(description ? { description } : {}), fields }
}

function proseOf(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
    .replace(/\\(['"`\\])/g, '$1')
}
