import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ciDescriptions, isCiType } from './ci-descriptions.ts'

export interface TypeDescription {
  description?: string
  fields: ReadonlyMap<string, string>
}

/** What a type and its fields are for, by the definition's name; undefined for types that nobody describes. */
export type Describe = (definition: string) => TypeDescription | undefined

/** What `npm run pack` writes beside this file: the descriptions of all types that are served, for installations without the dependency. */
export const packedDescriptions = join(import.meta.dirname, 'descriptions.json')

export type PackedDescriptions = Record<string, { description?: string; fields: Record<string, string> }>

/** Descriptions of all types: our own of our own kinds; else packed, or out of the dependency; undefined where there is neither. */
export function installedDescriptions(): Describe {
  const upstream = existsSync(packedDescriptions) ? readPacked() : clientNodeDescriptions()
  return (definition) => (isCiType(definition) ? ciDescriptions(definition) : upstream?.(definition))
}

function readPacked(): Describe {
  const packed = JSON.parse(readFileSync(packedDescriptions, 'utf8')) as PackedDescriptions
  return (definition) => {
    const found = Object.hasOwn(packed, definition) ? packed[definition] : undefined
    return found && { ...found, fields: new Map(Object.entries(found.fields)) }
  }
}

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
  if (definition === 'io.k8s.apimachinery.pkg.apis.meta.v1.ListOptions') return requestParameters(directory)
  for (const name of modelNames(definition)) {
    const file = join(directory, `${name}.d.ts`)
    if (existsSync(file)) return parseDeclaration(readFileSync(file, 'utf8'))
  }
  return undefined
}

// With the group in front where two groups have a type of that name, else `V1Pod`; the GA type stands in for older versions.
function modelNames(definition: string): string[] {
  const [type = '', version = '', group = ''] = definition.split('.').toReversed()
  const upper = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
  return [`${upper(group)}${upper(version)}${type}`, `${upper(version)}${type}`, `${upper(group)}V1${type}`, `V1${type}`]
}

// Options of reads and writes have no model: any API's methods say what their parameters are for.
function requestParameters(directory: string): TypeDescription | undefined {
  const file = join(directory, '../apis/CoordinationV1Api.d.ts')
  return existsSync(file) ? parseParameters(readFileSync(file, 'utf8')) : undefined
}

/** The `@param` comments of generated methods. */
export function parseParameters(text: string): TypeDescription {
  const fields = new Map<string, string>()
  for (const [, name = '', comment = ''] of text.matchAll(/^ *\* @param _?(\w+) (\S.*)$/gm))
    if (!fields.has(name)) fields.set(name, unescaped(comment))
  return { fields }
}

const entities: Record<string, string> = { '&#39;': "'", '&quot;': '"', '&#x60;': '`', '&#x3D;': '=', '&lt;': '<', '&gt;': '>', '&amp;': '&' }

function unescaped(text: string): string {
  return text.replace(/&(?:#\w+|\w+);/g, (entity) => entities[entity] ?? entity).replace(/\\(['"`\\])/g, '$1')
}

/** The comments of a generated model class: of the class, and of each property. */
export function parseDeclaration(text: string): TypeDescription {
  const fields = new Map<string, string>()
  let description: string | undefined
  for (const [, comment = '', property, isClass] of text.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\s*(?:'([^']+)'\??:|(export declare class))/gs)) {
    const prose = proseOf(comment)
    if (prose === '') continue
    if (isClass) description = prose
    // Names that mean something to TypeScript carry an underscore.
    else if (property) fields.set(property.replace(/^_/, ''), prose)
  }
  return { ...(description ? { description } : {}), fields }
}

function proseOf(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
    .replace(/.+/s, unescaped)
}
