import { type DeepReadonly, type ci, type core, isStatus, resources } from '#api'
import { contextOf, environmentSecretName, labels } from '../names.ts'
import { type CiSession, UsageError } from './session.ts'

/** A variable without its value: that is never shown again. */
export interface VariableInfo {
  name: string
  /** The last letters of a long value, as CircleCI masks it. */
  masked: string
}

const mask = (value: string): string => `xxxx${value.length >= 8 ? value.slice(-4) : ''}`

function checkName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new UsageError(`${JSON.stringify(name)} is no name of a variable: letters, digits and _, not a digit first`)
  return name
}

/** `NAME=VALUE`, or `NAME` with the value on standard input: what is on a command line others can read. */
export async function parseAssignments(given: readonly string[], readInput: () => Promise<string>): Promise<Record<string, string>> {
  const values: Record<string, string> = {}
  const bare = given.filter((text) => !text.includes('='))
  if (bare.length > 1) throw new UsageError(`standard input has the value of one variable, not of ${bare.join(' and ')}`)
  for (const text of given) {
    const at = text.indexOf('=')
    values[checkName(at < 0 ? text : text.slice(0, at))] = at < 0 ? (await readInput()).replace(/\r?\n$/, '') : text.slice(at + 1)
  }
  return values
}

const encode = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString('base64')]))

function infoOf(secret: DeepReadonly<core.Secret> | undefined): VariableInfo[] {
  return Object.entries(secret?.data ?? {})
    .map(([name, value]) => ({ name, masked: mask(Buffer.from(value as string, 'base64').toString()) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function find(session: CiSession, name: string): Promise<DeepReadonly<core.Secret> | undefined> {
  try {
    return await session.client.resource(resources.secrets).get(name, session.namespace)
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}

export const listEnvironment = async (session: CiSession, project: DeepReadonly<ci.Project>): Promise<VariableInfo[]> =>
  infoOf(await find(session, environmentSecretName(project)))

export async function setEnvironment(session: CiSession, project: DeepReadonly<ci.Project>, values: Record<string, string>): Promise<void> {
  const secrets = session.client.resource(resources.secrets)
  const name = environmentSecretName(project)
  if (await find(session, name)) return void (await secrets.patch(name, session.namespace, 'merge', { data: encode(values) }))
  const { apiVersion, kind, metadata } = project
  await secrets.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace: session.namespace,
      labels: { [labels.project]: metadata.name },
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid! }],
    },
    data: encode(values),
  })
}

export async function unsetEnvironment(session: CiSession, project: DeepReadonly<ci.Project>, names: readonly string[]): Promise<void> {
  await removeKeys(session, environmentSecretName(project), names, `project ${project.metadata.name}`)
}

async function removeKeys(session: CiSession, secret: string, names: readonly string[], of: string): Promise<void> {
  const data = (await find(session, secret))?.data ?? {}
  const missing = names.filter((name) => !Object.hasOwn(data, name))
  if (missing.length > 0) throw new UsageError(`${of} has no variable ${missing.join(', ')}`)
  await session.client
    .resource(resources.secrets)
    .patch(secret, session.namespace, 'merge', { data: Object.fromEntries(names.map((name) => [name, null])) })
}

export interface ContextInfo {
  name: string
  secret: string
  variables: VariableInfo[]
}

export async function listContexts(session: CiSession): Promise<ContextInfo[]> {
  const { items } = await session.client.resource(resources.secrets).list({ namespace: session.namespace, labelSelector: labels.context })
  return items
    .flatMap((secret) => {
      const name = contextOf(secret)
      return name === undefined ? [] : [{ name, secret: secret.metadata.name, variables: infoOf(secret) }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function findContext(session: CiSession, name: string): Promise<ContextInfo | undefined> {
  return (await listContexts(session)).find((each) => each.name === name)
}

async function requireContext(session: CiSession, name: string): Promise<ContextInfo> {
  const found = await findContext(session, name)
  if (!found)
    throw new UsageError(`there is no context ${name} in the namespace ${session.namespace}: \`k8ts ci context create ${JSON.stringify(name)}\``)
  return found
}

/** A context's name is free text; the Secret's is not. */
export async function createContextSecret(session: CiSession, name: string): Promise<ContextInfo> {
  if (name.trim() === '' || name.length > 200) throw new UsageError('a context has a name of at most 200 characters')
  if (await findContext(session, name)) throw new UsageError(`the context ${name} is there already`)
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
  // what a label cannot hold stands in the annotation
  const simple = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(name)
  const made = await session.client.resource(resources.secrets).create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      generateName: `ci-context-${slug || 'x'}-`,
      namespace: session.namespace,
      labels: { [labels.context]: simple ? name : '' },
      ...(simple ? {} : { annotations: { [labels.context]: name } }),
    },
  } as never)
  return { name, secret: made.metadata.name, variables: [] }
}

export async function setContext(session: CiSession, name: string, values: Record<string, string>): Promise<void> {
  const { secret } = await requireContext(session, name)
  await session.client.resource(resources.secrets).patch(secret, session.namespace, 'merge', { data: encode(values) })
}

export async function unsetContext(session: CiSession, name: string, names: readonly string[]): Promise<void> {
  const { secret } = await requireContext(session, name)
  await removeKeys(session, secret, names, `context ${name}`)
}

export async function deleteContext(session: CiSession, name: string): Promise<void> {
  const { secret } = await requireContext(session, name)
  await session.client.resource(resources.secrets).delete(secret, session.namespace)
}
