import { createHash } from 'node:crypto'
import { shellOf, withoutHeredocs } from './heredocs.ts'
import type { Instruction } from './instructions.ts'
import { DockerfileError, instructionsOf } from './instructions.ts'
import { fullName } from './reference.ts'

export type { Instruction }
export { DockerfileError }
export { heredocContext } from './heredocs.ts'

export interface Stage {
  /** The FROM. */
  from: Instruction
  /** As written, with variables. */
  base: string
  /** Of `FROM … AS name`, in lower case. */
  name?: string
  instructions: Instruction[]
}

export interface Dockerfile {
  lines: readonly string[]
  /** The ARGs before the first FROM: they serve FROM lines. */
  globals: Instruction[]
  stages: Stage[]
}

const keywords = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
)

/** Reads the instructions of a Dockerfile (docs.docker.com/reference/dockerfile); throws DockerfileError. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  const instructions = instructionsOf(lines)
  const globals: Instruction[] = []
  const stages: Stage[] = []
  for (const instruction of instructions) {
    const { keyword, line } = instruction
    if (!keywords.has(keyword)) throw new DockerfileError(line, `unknown instruction ${keyword}`)
    const stage = stages.at(-1)
    if (keyword === 'FROM') stages.push(stageOf(instruction))
    else if (stage) stage.instructions.push(instruction)
    else if (keyword === 'ARG') globals.push(instruction)
    else throw new DockerfileError(line, `${keyword} before the first FROM`)
  }
  if (stages.length === 0) throw new DockerfileError(1, 'there is no FROM')
  return { lines, globals, stages }
}

function stageOf(from: Instruction): Stage {
  const words = from.value.split(/\s+/).filter((word) => word && !word.startsWith('--'))
  const [base, as, name] = words
  if (!base || !(words.length === 1 || (words.length === 3 && as!.toLowerCase() === 'as')))
    throw new DockerfileError(from.line, 'FROM takes an image, or `IMAGE AS NAME`')
  return { from, base, ...(name ? { name: name.toLowerCase() } : {}), instructions: [] }
}

/** `NAME` and the default of each argument of an ARG. */
function argumentsOf(arg: Instruction): { name: string; fallback?: string }[] {
  const words = arg.value.match(/(?:"[^"]*"|'[^']*'|\S)+/g) ?? []
  return words.map((word) => {
    const at = word.indexOf('=')
    return at < 0 ? { name: word } : { name: word.slice(0, at), fallback: word.slice(at + 1).replace(/^(["'])(.*)\1$/, '$2') }
  })
}

/** Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; what has no value is empty. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:(\w+)|\{(\w+)(?:(:[-+])([^}]*))?\})/g, (_, bare: string, name: string, operator: string, word: string) => {
    const value = values[bare ?? name] ?? ''
    if (operator === ':-') return value || expand(word, values)
    if (operator === ':+') return value && expand(word, values)
    return value
  })
}

export type BuildArguments = Readonly<Record<string, string>>

/** The values that FROM lines see. */
function globalValues(file: Dockerfile, args: BuildArguments): Record<string, string> {
  const values: Record<string, string> = {}
  for (const global of file.globals)
    for (const { name, fallback } of argumentsOf(global)) values[name] = args[name] ?? expand(fallback ?? '', { ...values })
  return values
}

/** Of the given arguments those that no ARG declares, and that are not known without one, as proxies are. */
export function undeclaredArguments(file: Dockerfile, args: BuildArguments): string[] {
  const declared = new Set(
    [...file.globals, ...file.stages.flatMap((stage) => stage.instructions.filter((i) => i.keyword === 'ARG'))]
      .flatMap(argumentsOf)
      .map((arg) => arg.name),
  )
  return Object.keys(args).filter((name) => !declared.has(name) && !/^(https?|ftp|all|no)_proxy$/i.test(name))
}

/** The stages that are built: up to the wanted one, or all. */
export function wantedStages(file: Dockerfile, target?: string): Stage[] {
  if (target === undefined) return file.stages
  const index = file.stages.findIndex((stage, at) => stage.name === target.toLowerCase() || String(at) === target)
  if (index >= 0) return file.stages.slice(0, index + 1)
  const names = file.stages.flatMap((stage) => stage.name ?? [])
  throw new Error(`there is no stage ${target}${names.length > 0 ? `: there are ${names.join(', ')}` : '; no FROM has a name (AS NAME)'}`)
}

export interface ImageUse {
  /** Full name. */
  image: string
  line: number
}

/** The images that a build starts from or copies from: not `scratch`, not other stages. */
export function imagesUsed(file: Dockerfile, args: BuildArguments = {}, target?: string): ImageUse[] {
  const values = globalValues(file, args)
  const found: ImageUse[] = []
  const names = new Set<string>()
  const use = (name: string, line: number) => {
    if (name === 'scratch' || names.has(name.toLowerCase())) return
    found.push({ image: fullName(name), line })
  }
  wantedStages(file, target).forEach((stage) => {
    const base = expand(stage.base, values)
    if (!base) throw new DockerfileError(stage.from.line, `FROM ${stage.base} names no image: give its argument with --build-arg, or a default`)
    use(base, stage.from.line)
    for (const { keyword, value, line } of stage.instructions) {
      const from = keyword === 'RUN' ? /--mount=\S*\bfrom=([^,\s]+)/.exec(value) : /^(?:--\S+\s+)*--from=(\S+)/.exec(value)
      if (from && (keyword === 'RUN' || keyword === 'COPY' || keyword === 'ADD') && !/^\d+$/.test(from[1]!)) use(expand(from[1]!, values), line)
    }
    if (stage.name) names.add(stage.name)
  })
  return found
}

/** What buildah is given, and what its steps are. */
export interface PreparedDockerfile {
  text: string
  /** By stage, then by step; `hidden` ones are not the user's. */
  steps: { text: string; line: number; hidden: boolean }[][]
  /** Texts of COPY, by the paths that the prepared Dockerfile has for them in the build context `heredocContext`. */
  files: Record<string, string>
}

/** The label that holds what the arguments were: see `prepareDockerfile`. */
export const argumentLabel = 'dev.k8ts.build-arg'

/**
 * The Dockerfile for buildah, with full names of base images, so that no search list decides what `debian` is, and with the value of each ARG (its hash) in
 * a LABEL that follows it: buildah 1.28 (Debian 12) looks in its cache for the text of instructions, and `ENV V=$NEXT` has the same text whatever NEXT is.
 */
export function prepareDockerfile(file: Dockerfile, args: BuildArguments = {}, target?: string): PreparedDockerfile {
  const globals = globalValues(file, args)
  const lines = [...file.lines]
  const files: Record<string, string> = {}
  const steps = wantedStages(file, target).map((stage, index, stages) => {
    const base = expand(stage.base, globals)
    const earlier = stages.slice(0, index).some((other) => other.name === base.toLowerCase())
    if (base !== 'scratch' && !earlier) {
      const flags = stage.from.value.match(/^(?:--\S+\s+)*/)![0]
      replace(lines, stage.from, `FROM ${flags}${fullName(base)}${stage.name ? ` AS ${stage.name}` : ''}`)
    }
    const found = [{ text: `FROM ${stage.from.value}`, line: stage.from.line, hidden: false }]
    let shell = ['/bin/sh', '-c']
    for (const instruction of stage.instructions) {
      if (instruction.keyword === 'SHELL') shell = shellOf(instruction)
      if (instruction.heredocs) replace(lines, instruction, withoutHeredocs(instruction, shell, files))
      found.push({ text: `${instruction.keyword} ${instruction.value}`, line: instruction.line, hidden: false })
      if (instruction.keyword !== 'ARG') continue
      const known = argumentsOf(instruction).map(({ name, fallback }) => `${name}=${args[name] ?? fallback ?? globals[name] ?? ''}`)
      const hash = createHash('sha256').update(known.join('\0')).digest('hex').slice(0, 16)
      const label = `LABEL ${argumentLabel}=${hash}`
      lines[instruction.end - 1] += `\n${label}`
      found.push({ text: label, line: instruction.line, hidden: true })
    }
    return found
  })
  return { text: `${lines.join('\n')}\n`, steps, files }
}

/** Puts one line in the place of an instruction; the others keep their numbers. */
function replace(lines: string[], { line, end }: Instruction, text: string): void {
  lines.fill('', line - 1, end)
  lines[line - 1] = text
}
