import { parseCacheKey } from './cache-key.ts'
import type { CompiledStep, SourceLocation, StepCondition } from './compiled.ts'
import { findDefinition, defaultsIn, namesOf, unknownName } from './definitions.ts'
import type { Closure, Compilation, Definition, Scope } from './definitions.ts'
import { parseDuration } from './duration.ts'
import { holds } from './logic.ts'
import { bindParameters } from './parameters.ts'
import { readChoice, readEnvironment, readFlag, readMap, readText, readTexts, readingOf } from './read.ts'
import type { Reading } from './read.ts'
import { substitute } from './substitute.ts'
import type { Names } from './substitute.ts'
import { describe, isNull } from './tree.ts'
import type { ConfigNode, MapEntry, Position } from './tree.ts'

/** Where steps are being expanded. */
export interface Frame {
  scope: Scope
  /** Commands that are being expanded, outermost first. */
  stack: readonly string[]
  /** Lists of steps within lists of steps. */
  depth: number
  names: Names
  /** False for steps that are looked at, but do not run. */
  live: boolean
}

const tenMinutes = 600_000
const deepest = 100
const conditions = ['on_success', 'on_fail', 'always'] as const

/** Steps as they run: commands are replaced by their steps, `when` and `unless` by what they let through. */
export function expandSteps(list: ConfigNode, what: string, frame: Frame, context: Compilation): CompiledStep[] {
  if (list.kind !== 'list') {
    context.problems.value(list, frame.live, `${what} must be a list of steps, not ${describe(list)}`)
    return []
  }
  const { closure } = list
  if (frame.depth >= deepest) {
    context.problems.report(list.at, `steps and commands nest more than ${deepest} levels deep here`)
    return []
  }
  const inner = { ...frame, depth: frame.depth + 1, ...(closure && { scope: closure.scope, stack: closure.stack, names: closure.names }) }
  return list.items.flatMap((item) => expandStep(item, inner, context))
}

function expandStep(item: ConfigNode, frame: Frame, context: Compilation): CompiledStep[] {
  const { problems } = context
  context.budget.spend(2, item.at)
  if (item.kind === 'scalar') {
    if (item.broken || (item.derived && !frame.live)) return []
    if (typeof item.value === 'string') return callStep({ name: item.text, at: item.at, value: undefined }, frame, context)
    problems.value(item, frame.live, `a step must be a name or a map with one key, not ${describe(item)}`)
    return []
  }
  const [first, second] = item.kind === 'map' ? item.entries : []
  if (!first || second) {
    if (second)
      problems.report(
        second.keyAt,
        `a step has one key, and this one has "${first!.key}" and "${second.key}"; if "${second.key}" belongs to "${first!.key}", indent it further`,
      )
    else problems.value(item, frame.live, `a step must be a name or a map with one key, not ${describe(item)}`)
    return []
  }
  return callStep({ name: first.key, at: first.keyAt, value: first.value }, frame, context)
}

interface StepCall {
  name: string
  at: Position
  /** Undefined when the step is a name alone. */
  value: ConfigNode | undefined
}

function callStep(call: StepCall, frame: Frame, context: Compilation): CompiledStep[] {
  const { scope, stack, live } = frame
  const what = `the step "${call.name}"`
  if ((call.name === 'when' || call.name === 'unless') && call.value) return conditional(call.name === 'when', call.value, what, frame, context)
  if (call.name === 'steps' && call.value) return isNull(call.value) && call.value.derived ? [] : expandSteps(call.value, '"steps"', frame, context)
  const own = Object.hasOwn(builtins, call.name)
  const command = findDefinition('command', call.name, scope)
  // A command may take the place of a step of CircleCI's, and call that one.
  if (command === 'refused') return []
  if (command && !(own && stack.includes(command.name))) return expandCommand(command, call, frame, context)
  if (own) {
    const step = builtins[call.name]!({ ...call, what }, readingOf(context, live), { file: context.file, line: call.at.line })
    if (!step) return []
    context.budget.spend(Math.floor(JSON.stringify(step).length / 64), call.at)
    return [step]
  }
  const refused = Object.hasOwn(refusedSteps, call.name) ? refusedSteps[call.name] : undefined
  context.problems.report(
    call.at,
    refused === undefined
      ? unknownName('command', call.name, scope, [...Object.keys(builtins), 'when', 'unless', 'steps'])
      : `the step "${call.name}" is not supported: ${refused}`,
  )
  return []
}

const refusedSteps: Record<string, string> = {
  deploy: 'it is deprecated; "run" does the same',
  add_ssh_keys: 'projects keep no SSH keys; put the key into a context and load it with `ssh-add` in a "run" step',
}

function conditional(when: boolean, value: ConfigNode, what: string, frame: Frame, context: Compilation): CompiledStep[] {
  const reading = readingOf(context, frame.live)
  const fields = readMap(value, { what, known: ['condition', 'steps'], required: ['condition', 'steps'] }, reading)
  const condition = fields?.get('condition')?.value
  const steps = fields?.get('steps')?.value
  const runs = condition !== undefined && holds(condition, frame.names, reading) === when
  if (!steps) return []
  // What does not run is looked at all the same: a mistake in it would show on another branch only.
  const expanded = expandSteps(steps, `"steps" of ${what}`, { ...frame, live: frame.live && runs }, context)
  return runs ? expanded : []
}

function expandCommand(command: Definition, call: StepCall, frame: Frame, context: Compilation): CompiledStep[] {
  const { stack, depth, live, scope, names } = frame
  const { problems } = context
  command.reached = true
  if (stack.includes(command.name)) {
    const cycle = [...stack.slice(stack.indexOf(command.name)), command.name]
    problems.report(call.at, `the command "${command.name}" calls itself: ${cycle.join(' → ')}`)
    return []
  }
  const what = `the command "${call.name}"`
  let given: MapEntry[] = []
  if (call.value?.kind === 'map') given = call.value.entries
  else if (call.value && !isNull(call.value)) problems.value(call.value, live, `${what} takes a map of parameters, not ${describe(call.value)}`)
  context.budget.spend(given.length + command.parameters.size, call.at)
  const closure: Closure = { scope, stack, names }
  const ownClosure: Closure = { ...closure, scope: command.scope }
  const parameters = bindParameters(
    command.parameters,
    given,
    { what, at: call.at, closure, ownClosure, substituteDefault: defaultsIn(command.scope, context) },
    readingOf(context, live),
  )
  return expandBody(command, parameters, { stack, depth, live }, context)
}

/** The steps of a command or a job, with its parameters. */
export function expandBody(
  definition: Definition,
  parameters: Map<string, ConfigNode>,
  frame: { stack: readonly string[]; depth: number; live: boolean },
  context: Compilation,
): CompiledStep[] {
  const steps = definition.body.entries.find((entry) => entry.key === 'steps')
  if (!steps) return []
  const names = namesOf(definition, parameters, context)
  const stack = definition.kind === 'command' ? [...frame.stack, definition.name] : frame.stack
  const inner: Frame = { scope: definition.scope, stack, depth: frame.depth, names, live: frame.live }
  return expandSteps(substitute(steps.value, names, context), `"steps" of the ${definition.kind} "${definition.name}"`, inner, context)
}

type Builtin = (call: StepCall & { what: string }, reading: Reading, source: SourceLocation) => CompiledStep | undefined

const attributes = ['name', 'when'] as const

interface Fields {
  entries: Map<string, MapEntry>
  base: { name: string; when: StepCondition; source: SourceLocation }
  text(key: string): string | undefined
}

function fieldsOf(
  call: StepCall & { what: string },
  shape: { known: readonly string[]; required?: readonly string[]; refused?: Record<string, string>; title: string; when?: StepCondition },
  reading: Reading,
  source: SourceLocation,
): Fields | undefined {
  const { value, what, at } = call
  const none = !value || isNull(value)
  if (none && shape.required) {
    reading.problems.report(at, `${what} needs ${shape.required.map((key) => `"${key}"`).join(' and ')}`)
    return undefined
  }
  const shapeOfMap = { what, known: [...shape.known, ...attributes], required: shape.required, refused: shape.refused }
  const entries = none ? new Map<string, MapEntry>() : readMap(value, shapeOfMap, reading)
  if (!entries) return undefined
  const text = (key: string) => readText(entries.get(key)?.value, `"${key}" of ${what}`, reading)
  const when = readChoice(entries.get('when')?.value, `"when" of ${what}`, conditions, reading)
  return { entries, text, base: { name: text('name') ?? shape.title, when: when ?? shape.when ?? 'on_success', source } }
}

/** A command's first line, as the name of its step. */
function titleOf(command: string): string {
  const line = command.split('\n').find((each) => each.trim() !== '') ?? command
  const more = command.trim().includes('\n') || line.length > 100
  return `${line.trim().slice(0, 100)}${more ? ' …' : ''}`
}

const builtins: Record<string, Builtin> = {
  run(call, reading, source) {
    const { value, what } = call
    if (value?.kind === 'scalar' && !isNull(value)) {
      const command = readText(value, 'the command of "run"', reading)
      if (command === undefined) return undefined
      return {
        type: 'run',
        name: titleOf(command),
        when: 'on_success',
        source,
        command,
        environment: {},
        background: false,
        noOutputTimeout: tenMinutes,
      }
    }
    const fields = fieldsOf(
      call,
      {
        title: '',
        known: ['command', 'shell', 'environment', 'background', 'working_directory', 'no_output_timeout', 'max_time'],
        required: ['command'],
        refused: { max_auto_reruns: 'a step runs once; repeat it in the command', auto_rerun_delay: 'a step runs once; repeat it in the command' },
      },
      reading,
      source,
    )
    const command = fields?.text('command')
    if (!fields || command === undefined) return undefined
    const shell = fields.text('shell')
    const workingDirectory = fields.text('working_directory')
    const duration = (key: string) => {
      const text = fields.text(key)
      if (text === undefined) return undefined
      const parsed = parseDuration(text)
      if (parsed === undefined)
        reading.problems.value(
          fields.entries.get(key)!.value,
          reading.live,
          `"${key}" of ${what} must be a time such as 30s, 20m or 1.5h, not "${text}"`,
        )
      return parsed
    }
    const maxTime = duration('max_time')
    return {
      type: 'run',
      ...fields.base,
      name: fields.base.name || titleOf(command),
      command,
      ...(shell !== undefined && { shell }),
      environment: readEnvironment(fields.entries.get('environment')?.value, reading),
      ...(workingDirectory !== undefined && { workingDirectory }),
      background: readFlag(fields.entries.get('background')?.value, '"background"', reading) ?? false,
      noOutputTimeout: duration('no_output_timeout') ?? tenMinutes,
      ...(maxTime !== undefined && { maxTime }),
    }
  },

  checkout(call, reading, source) {
    const fields = fieldsOf(call, { title: 'Checkout code', known: ['path', 'method'] }, reading, source)
    if (!fields) return undefined
    const path = fields.text('path')
    const method = readChoice(fields.entries.get('method')?.value, '"method" of "checkout"', ['blobless', 'full'] as const, reading)
    return { type: 'checkout', ...fields.base, ...(path !== undefined && { path }), ...(method && { method }) }
  },

  setup_remote_docker(call, reading, source) {
    const fields = fieldsOf(call, { title: 'Set up a remote Docker engine', known: ['docker_layer_caching', 'version'] }, reading, source)
    if (!fields) return undefined
    const version = fields.text('version')
    if (version !== undefined && version !== 'default' && reading.live)
      reading.problems.warn(fields.entries.get('version')!.keyAt, '"version" has no effect: the docker of the tool image builds the images')
    const dockerLayerCaching = readFlag(fields.entries.get('docker_layer_caching')?.value, '"docker_layer_caching"', reading) ?? false
    return { type: 'setup_remote_docker', ...fields.base, dockerLayerCaching, ...(version !== undefined && { version }) }
  },

  save_cache(call, reading, source) {
    const fields = fieldsOf(call, { title: 'Saving Cache', known: ['key', 'paths'], required: ['key', 'paths'] }, reading, source)
    const key = fields && cacheKey(fields.entries.get('key')?.value, reading)
    const paths = fields && pathsOf(fields, call.what, reading)
    return fields && key !== undefined && paths ? { type: 'save_cache', ...fields.base, key, paths } : undefined
  },

  restore_cache(call, reading, source) {
    const fields = fieldsOf(call, { title: 'Restoring Cache', known: ['key', 'keys'] }, reading, source)
    if (!fields) return undefined
    const single = fields.entries.get('key')?.value
    const list = fields.entries.get('keys')?.value
    if (!single && !list) {
      reading.problems.report(call.at, '"restore_cache" needs "key" or "keys"')
      return undefined
    }
    if (list && list.kind !== 'list') readTexts(list, '"keys" of "restore_cache"', reading)
    const nodes = [...(single ? [single] : []), ...(list?.kind === 'list' ? list.items : [])]
    const keys = nodes.flatMap((node) => cacheKey(node, reading) ?? [])
    if (nodes.length === 0) reading.problems.value(list!, reading.live, '"keys" of "restore_cache" has no keys')
    return { type: 'restore_cache', ...fields.base, keys }
  },

  persist_to_workspace(call, reading, source) {
    const fields = fieldsOf(call, { title: 'Persisting to Workspace', known: ['root', 'paths'], required: ['root', 'paths'] }, reading, source)
    const root = fields?.text('root')
    const paths = fields && pathsOf(fields, call.what, reading)
    for (const item of paths ? listItems(fields!.entries.get('paths')!.value) : []) {
      if (item.kind === 'scalar' && (item.text.startsWith('/') || item.text.startsWith('~') || item.text.split('/').includes('..')))
        reading.problems.value(item, reading.live, `"${item.text}" must be a path below the workspace's root, relative to it`)
    }
    return fields && root !== undefined && paths ? { type: 'persist_to_workspace', ...fields.base, root, paths } : undefined
  },

  attach_workspace(call, reading, source) {
    const fields = fieldsOf(call, { title: 'Attaching Workspace', known: ['at'], required: ['at'] }, reading, source)
    const at = fields?.text('at')
    return fields && at !== undefined ? { type: 'attach_workspace', ...fields.base, at } : undefined
  },

  store_artifacts(call, reading, source) {
    const fields = fieldsOf(
      call,
      { title: 'Uploading artifacts', when: 'always', known: ['path', 'destination'], required: ['path'] },
      reading,
      source,
    )
    const path = fields?.text('path')
    const destination = fields?.text('destination')
    return fields && path !== undefined
      ? { type: 'store_artifacts', ...fields.base, path, ...(destination !== undefined && { destination }) }
      : undefined
  },

  store_test_results(call, reading, source) {
    const fields = fieldsOf(call, { title: 'Uploading test results', when: 'always', known: ['path'], required: ['path'] }, reading, source)
    const path = fields?.text('path')
    return fields && path !== undefined ? { type: 'store_test_results', ...fields.base, path } : undefined
  },
}

const listItems = (node: ConfigNode): ConfigNode[] => (node.kind === 'list' ? node.items : [])

function pathsOf(fields: Fields, what: string, reading: Reading): string[] | undefined {
  const node = fields.entries.get('paths')?.value
  const paths = readTexts(node, `"paths" of ${what}`, reading)
  if (paths?.length === 0 && node?.kind === 'list' && node.items.length === 0)
    reading.problems.value(node, reading.live, `"paths" of ${what} has no paths`)
  return paths
}

function cacheKey(node: ConfigNode | undefined, reading: Reading): string | undefined {
  const template = readText(node, 'the key of a cache', reading)
  if (template === undefined) return undefined
  const parts = parseCacheKey(template)
  if (!parts.ok) reading.problems.value(node!, reading.live, parts.message)
  return template
}
