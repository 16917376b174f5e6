import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Clock } from '#base'
import { CommandError, realClock } from '#base'
import type { BaseImages } from './base-images.ts'
import { resolveBases } from './base-images.ts'
import { buildah, endOnAbort, inspectImage } from './buildah.ts'
import type { BuildArguments, Dockerfile } from './dockerfile.ts'
import { DockerfileError, heredocContext, imagesUsed, parseDockerfile, prepareDockerfile, undeclaredArguments } from './dockerfile.ts'
import type { Report, StepReader } from './events.ts'
import { stepReader } from './events.ts'
import { checkReference, fullName } from './reference.ts'

export interface BuildOptions {
  /** NAME:TAG, one or several names for the image. */
  tag: string | readonly string[]
  /** The build context. */
  directory: string
  /** The Dockerfile; `Dockerfile` in the context when absent. */
  file?: string
  /** `NAME=VALUE`; `NAME` alone takes the value of the environment. */
  buildArgs?: readonly string[]
  /** Every step runs again. */
  noCache?: boolean
  /** The stage to build; the last when absent. */
  target?: string
  /** `NAME=VALUE` labels for the image. */
  labels?: readonly string[]
  /** Secrets for `RUN --mount=type=secret`, as buildah takes them: `id=…,src=…`. */
  secrets?: readonly string[]
  /** Where base images come from that the store does not have; in order. */
  bases?: readonly BaseImages[]
  /** Mounts for the time of RUN, `HOST:PATH:ro`, given the labels of the base images; disposed after the build. */
  mounts?: (labels: Record<string, string>[]) => Promise<{ mounts: string[] } & AsyncDisposable>
  report?: Report
  signal?: AbortSignal
  clock?: Clock
}

/** A build that did not work, for reasons that its author can mend: the message has place, output and what to do. */
export class BuildError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BuildError'
  }
}

export interface BuiltImage {
  /** Full names. */
  names: string[]
  /** The image's ID: `sha256:…` without the prefix. */
  id: string
}

/**
 * Builds an image from a Dockerfile with buildah, which needs no daemon, into the store of this machine (or pod). Steps whose instruction, files and arguments
 * are those of an earlier build come from its layers. Throws BuildError for what is wrong with Dockerfile or context.
 */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const { report = () => {}, clock = realClock, target, noCache = false, signal } = options
  const names = [options.tag].flat().map((tag) => {
    checkReference(tag)
    return fullName(tag)
  })
  if (names.length === 0) throw new Error('an image needs a name: NAME:TAG')
  const args = argumentValues(options.buildArgs ?? [])
  const { path, shown, text } = await readDockerfile(options)
  const at = <T>(read: () => T): T => {
    try {
      return read()
    } catch (error) {
      if (error instanceof DockerfileError) throw new BuildError(`${shown}:${error.line}: ${error.message}`, { cause: error })
      throw error
    }
  }
  const file: Dockerfile = at(() => parseDockerfile(text))
  const used = at(() => imagesUsed(file, args, target))
  const unused = undeclaredArguments(file, args)
  if (unused.length > 0) report({ type: 'note', text: `${shown}: no ARG takes ${unused.join(', ')}` })
  const labels = await resolveBases(used, shown, options.bases ?? [], report)
  const prepared = at(() => prepareDockerfile(file, args, target))
  const work = await mkdtemp(join(tmpdir(), 'k8ts-build-'))
  const reader = stepReader(prepared.steps, report, () => clock.monotonic())
  let release = () => {}
  try {
    const dockerfile = join(work, basename(path))
    await writeFile(dockerfile, prepared.text)
    const iid = join(work, 'iid')
    for (const [name, content] of Object.entries(prepared.files)) {
      await mkdir(join(work, heredocContext, dirname(name)), { recursive: true })
      await writeFile(join(work, heredocContext, name), content)
    }
    await using mounted = options.mounts ? await options.mounts(labels) : undefined
    await buildah(
      [
        'build',
        // works also where no further container may be made
        '--isolation=chroot',
        '--format=docker',
        '--pull=never',
        '--layers',
        '--force-rm',
        `--iidfile=${iid}`,
        `--file=${dockerfile}`,
        ...(noCache ? ['--no-cache'] : []),
        ...(existsSync(`${path}.dockerignore`) ? ['--ignorefile', `${path}.dockerignore`] : []),
        ...names.flatMap((name) => ['--tag', name]),
        ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        ...(options.labels ?? []).flatMap((label) => ['--label', label]),
        ...(options.secrets ?? []).flatMap((secret) => ['--secret', secret]),
        ...(mounted?.mounts ?? []).flatMap((mount) => ['--volume', mount]),
        ...(target ? ['--target', target] : []),
        ...(Object.keys(prepared.files).length > 0 ? ['--build-context', `${heredocContext}=${join(work, heredocContext)}`] : []),
        '--',
        options.directory,
      ],
      { onLine: (line) => reader.line(line), detached: true, onStart: (pid) => signal && (release = endOnAbort(pid, clock, signal)) },
    )
    reader.end()
    return { names, id: (await readFile(iid, 'utf8')).trim().replace(/^sha256:/, '') }
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof CommandError ? buildError(error, reader, shown, options.directory) : error
  } finally {
    release()
    await rm(work, { recursive: true, force: true })
  }
}

function argumentValues(list: readonly string[]): BuildArguments {
  const values: Record<string, string> = {}
  for (const each of list) {
    const [, name, value] = /^([A-Za-z_]\w*)(?:=([\s\S]*))?$/.exec(each) ?? []
    if (!name) throw new Error(`invalid build argument ${JSON.stringify(each)}: use NAME=VALUE`)
    const known = value ?? process.env[name]
    if (known !== undefined) values[name] = known
  }
  return values
}

async function readDockerfile({ directory, file }: BuildOptions): Promise<{ path: string; shown: string; text: string }> {
  if (!existsSync(directory) || !(await stat(directory)).isDirectory()) throw new BuildError(`${directory}: no such directory`)
  const candidates = file ? [file, join(directory, file)] : ['Dockerfile', 'Containerfile'].map((name) => join(directory, name))
  const path = candidates.find((candidate) => existsSync(candidate))
  if (!path) throw new BuildError(file ? `${file}: no such Dockerfile` : `${directory} has no Dockerfile: write one, or name another with -f FILE`)
  if (!(await stat(path)).isFile()) throw new BuildError(`${path}: not a file`)
  const near = relative(process.cwd(), resolve(path))
  return { path, shown: near.startsWith('..') ? path : near, text: await readFile(path, 'utf8') }
}

/** Says which line failed, what it printed, and what buildah says of it. */
function buildError(error: CommandError, reader: StepReader, file: string, directory: string): BuildError {
  const { step, output } = reader.current()
  const last = error.stderr.lastIndexOf('\nError: ') + 1
  const said = error.stderr
    .slice(last)
    .replace(/^Error: /, '')
    .trim()
  if (!step) return new BuildError(`${file}: ${said || error.message}`, { cause: error })
  const place = `${file}:${step.line}: ${step.text.replaceAll(/\s+/g, ' ')}`
  const missing = /stat: "([^"]*)": no such file or directory/.exec(said) ?? /no items matching glob "([^"]*)" copied/.exec(said)
  if (missing && /^(COPY|ADD)\b/.test(step.text)) {
    const name = missing[1]!.startsWith(resolve(directory)) ? relative(resolve(directory), missing[1]!) : missing[1]!.replace(/^\//, '')
    const from = /--from=(\S+)/.exec(step.text)?.[1]
    const where = from ?? `the build context ${directory} (or .dockerignore leaves it out)`
    return new BuildError(`${place}\n${name} is not in ${where}`, { cause: error })
  }
  const code = /exit status (\d+)$/.exec(said)
  const printed = output.map((line) => `  ${line}\n`).join('')
  const why = /^RUN\b/.test(step.text) && code ? `the command ended with code ${code[1]}` : said.replace(/^building at STEP "[\s\S]*?": /, '')
  return new BuildError(`${place}\n${printed}${why}`, { cause: error })
}

/** Whether the store of this machine (or pod) has an image of this name. */
export const hasImage = async (name: string): Promise<boolean> => (await inspectImage(fullName(name))) !== undefined
