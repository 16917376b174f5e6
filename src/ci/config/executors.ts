import type { CompiledExecutor, CompiledImage } from './compiled.ts'
import { defaultsIn, findDefinition, namesOf, unknownName } from './definitions.ts'
import type { Compilation, Scope } from './definitions.ts'
import { bindParameters } from './parameters.ts'
import { didYouMean } from './problems.ts'
import { listing, readingOf, readEnvironment, readFlag, readMap, readText } from './read.ts'
import type { Reading } from './read.ts'
import { shellWords } from './shell-words.ts'
import { substitute } from './substitute.ts'
import { describe, entryOf, isNull, quoted } from './tree.ts'
import type { ConfigNode, MapEntry, MapNode } from './tree.ts'

/** The keys of an executor that is called by name, or by a map of its name and parameters; `unknown` when that is reported, or only a sample. */
export function resolveExecutor(node: ConfigNode, scope: Scope, live: boolean, context: Compilation): MapNode | 'unknown' {
  const { problems } = context
  const nameNode = node.kind === 'map' ? entryOf(node, 'name')?.value : node
  if (nameNode?.kind !== 'scalar' || typeof nameNode.value !== 'string') {
    if (!(isNull(node) && node.derived))
      problems.value(node, live, `"executor" must be the name of an executor, or a map with its "name" and parameters, not ${describe(node)}`)
    return 'unknown'
  }
  const within = (node.closure ?? nameNode.closure)?.scope ?? scope
  const definition = findDefinition('executor', nameNode.value, within)
  if (definition === 'refused') return 'unknown'
  if (!definition) {
    problems.value(nameNode, live, unknownName('executor', nameNode.value, within))
    return 'unknown'
  }
  definition.reached = true
  const given = node.kind === 'map' ? node.entries.filter((entry) => entry.key !== 'name') : []
  context.budget.spend(given.length + definition.parameters.size, nameNode.at)
  const call = {
    what: `the executor "${nameNode.value}"`,
    at: nameNode.at,
    closure: undefined,
    ownClosure: undefined,
    substituteDefault: defaultsIn(definition.scope, context),
  }
  const parameters = bindParameters(definition.parameters, given, call, readingOf(context, live))
  return substitute(definition.body, namesOf(definition, parameters, context), context) as MapNode
}

/** A job's own keys win over those of its executor; variables are added to those of the executor. */
export function withExecutor(job: MapNode, executor: MapNode | undefined): Map<string, MapEntry> {
  const fields = new Map<string, MapEntry>()
  const ownPlace = ['docker', 'machine'].some((key) => entryOf(job, key))
  for (const entry of executor?.entries ?? []) if (!(ownPlace && (entry.key === 'docker' || entry.key === 'machine'))) fields.set(entry.key, entry)
  for (const entry of job.entries) fields.set(entry.key, entry)
  return fields
}

export function readPlace(fields: Map<string, MapEntry>, job: { what: string; node: ConfigNode }, reading: Reading): CompiledExecutor | undefined {
  const docker = fields.get('docker')
  const machine = fields.get('machine')
  if (docker && machine) {
    reading.problems.report(machine.keyAt, `${job.what} has both "docker" and "machine"; it runs in one of them`)
    return undefined
  }
  const resourceClass = readResourceClass(fields.get('resource_class')?.value, docker ? dockerClasses : machineClasses, reading)
  if (docker) {
    const images = readImages(docker.value, reading)
    return images && { type: 'docker', images, resourceClass }
  }
  if (machine) {
    const read = readMachine(machine.value, reading)
    return read && { type: 'machine', ...read, resourceClass }
  }
  reading.problems.report(job.node.at, `${job.what} does not say where it runs; it needs "docker", "machine" or "executor"`)
  return undefined
}

const dockerClasses = ['small', 'medium', 'medium+', 'large', 'xlarge', '2xlarge', '2xlarge+']
const machineClasses = ['medium', 'large', 'xlarge', '2xlarge', '2xlarge+']

function readResourceClass(node: ConfigNode | undefined, classes: readonly string[], reading: Reading): string {
  const name = readText(node, '"resource_class"', reading)
  if (name === undefined || classes.includes(name)) return name ?? 'medium'
  const reason = name.startsWith('arm.')
    ? 'there is no choice of Arm machines: jobs run on the nodes of the cluster'
    : name.startsWith('gpu.')
      ? 'jobs get no graphics processors'
      : /^(macos|m\d+pro|m\d+)\b/.test(name) || name.startsWith('windows.')
        ? 'there are no macOS or Windows machines in a cluster'
        : name.includes('/')
          ? 'it names a self-hosted runner of CircleCI; here every job runs in the cluster'
          : `there is ${listing(classes)}${didYouMean(name, classes)}`
  reading.problems.value(node!, reading.live, `the resource class ${quoted(name)} is not supported: ${reason}`)
  return 'medium'
}

function readImages(node: ConfigNode, reading: Reading): CompiledImage[] | undefined {
  if (node.kind !== 'list' || node.items.length === 0) {
    reading.problems.value(
      node,
      reading.live,
      `"docker" must be a list of images, the first of which runs the steps, not ${node.kind === 'list' ? 'an empty list' : describe(node)}`,
    )
    return undefined
  }
  const names = new Map<string, number>()
  return node.items.flatMap((item, index) => {
    const image = readImage(item, reading)
    if (image?.name !== undefined && index > 0) {
      const first = names.get(image.name)
      if (first !== undefined)
        reading.problems.value(item, reading.live, `the service name "${image.name}" is taken by image ${first + 1} of this list`)
      names.set(image.name, index)
    }
    return image ?? []
  })
}

function readImage(node: ConfigNode, reading: Reading): CompiledImage | undefined {
  const refused = { aws_auth: 'use "auth" with a user name and a password' }
  const fields = readMap(
    node,
    {
      what: 'an image under "docker"',
      known: ['image', 'name', 'entrypoint', 'command', 'user', 'environment', 'auth'],
      required: ['image'],
      refused,
    },
    reading,
  )
  const image = readText(fields?.get('image')?.value, '"image"', reading)
  if (!fields || image === undefined) return undefined
  const imageNode = fields.get('image')!.value
  if (!/^[A-Za-z0-9][\w.:/@-]*$/.test(image)) reading.problems.value(imageNode, reading.live, `${quoted(image)} is no name of an image`)
  const name = readText(fields.get('name')?.value, '"name"', reading)
  if (name !== undefined && !/^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*$/.test(name))
    reading.problems.value(fields.get('name')!.value, reading.live, `${quoted(name)} is no host name for a service`)
  const user = readText(fields.get('user')?.value, '"user"', reading)
  if (user !== undefined && reading.live && !/^(root|\d+(:\d+)?)$/.test(user))
    reading.problems.warn(
      fields.get('user')!.keyAt,
      `the user ${quoted(user)} has no effect: what a name stands for only the image knows; give its number, such as 1000 or 1000:1000`,
    )
  const entrypoint = readCommandLine(fields.get('entrypoint'), reading)
  const command = readCommandLine(fields.get('command'), reading)
  const auth = readAuth(fields.get('auth')?.value, reading)
  return {
    image,
    ...(name !== undefined && { name }),
    ...(entrypoint && { entrypoint }),
    ...(command && { command }),
    ...(user !== undefined && { user }),
    environment: readEnvironment(fields.get('environment')?.value, reading),
    ...(auth && { auth }),
  }
}

/** A list of words, or a line that is split as a shell does. */
function readCommandLine(entry: MapEntry | undefined, reading: Reading): string[] | undefined {
  if (!entry || isNull(entry.value)) return undefined
  const { key, value } = entry
  if (value.kind === 'list') {
    return value.items.flatMap((item) => {
      if (item.kind === 'scalar' && item.value !== null) return item.text
      reading.problems.value(item, reading.live, `each word of "${key}" must be a text, not ${describe(item)}`)
      return []
    })
  }
  const line = readText(value, `"${key}"`, reading)
  const words = line === undefined ? undefined : shellWords(line)
  if (line !== undefined && !words) reading.problems.value(value, reading.live, `"${key}" has a quote without end`)
  return words
}

function readAuth(node: ConfigNode | undefined, reading: Reading): { username: string; password: string } | undefined {
  if (!node) return undefined
  const fields = readMap(node, { what: '"auth"', known: ['username', 'password'], required: ['username', 'password'] }, reading)
  const username = readText(fields?.get('username')?.value, '"username"', reading)
  const password = readText(fields?.get('password')?.value, '"password"', reading)
  if (password !== undefined && reading.live && !password.includes('$'))
    reading.problems.warn(
      fields!.get('password')!.keyAt,
      'a password is written out here, for all who may read the file; put it into a context and write $NAME',
    )
  return username !== undefined && password !== undefined ? { username, password } : undefined
}

const refusedImages: [RegExp, string][] = [
  [/^windows/, 'there are no Windows machines in a cluster'],
  [/cuda/, 'jobs get no graphics processors'],
  [/^android/, 'there is no Android emulator in a cluster'],
]

function readMachine(node: ConfigNode, reading: Reading): { image: string; dockerLayerCaching: boolean } | undefined {
  if (node.kind === 'scalar' && node.value === true) return { image: 'default', dockerLayerCaching: false }
  if (node.kind !== 'map') {
    reading.problems.value(node, reading.live, `"machine" must be true or a map with an image, not ${describe(node)}`)
    return undefined
  }
  const refused = { shell: 'only Windows machines have a shell of their own; use "shell" of the job' }
  const fields = readMap(node, { what: '"machine"', known: ['image', 'docker_layer_caching', 'enabled'], refused }, reading)
  if (!fields) return undefined
  const enabled = fields.get('enabled')
  if (enabled && readFlag(enabled.value, '"enabled"', reading) === false)
    reading.problems.value(enabled.value, reading.live, '"machine" is not enabled; leave the key out')
  const imageNode = fields.get('image')?.value
  const image = readText(imageNode, '"image" of "machine"', reading) ?? 'default'
  const reason = refusedImages.find(([pattern]) => pattern.test(image))?.[1]
  if (reason !== undefined) reading.problems.value(imageNode!, reading.live, `the machine image "${image}" is not supported: ${reason}`)
  else if (imageNode && reading.live && image !== 'default')
    reading.problems.warn(imageNode.at, `the machine image ${quoted(image)} has no effect: machines run the tool image; say image: default`)
  return { image, dockerLayerCaching: readFlag(fields.get('docker_layer_caching')?.value, '"docker_layer_caching"', reading) ?? false }
}
