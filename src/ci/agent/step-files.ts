import { spawn } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Writable } from 'node:stream'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { cacheKeyFiles, expandCacheKey } from '../config/cache-key.ts'
import { quoted } from './exchange.ts'
import { testReport } from './junit.ts'
import { paths } from './plan.ts'
import { RefusedError } from './service-client.ts'
import { globbed, resolvePath, StepError, type StepContext, type StepOf } from './steps.ts'

/** What the packing script ends with when none of the files is there. */
const nothing = 64

const compressed = () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } })

/** Clones with the agent's own git and credentials, and hands over the files: neither git nor a token is needed where the steps run. */
export async function checkout(step: StepOf<'checkout'>, context: StepContext): Promise<void> {
  const { git, service } = context.plan
  const directory = resolvePath(step.path ?? '.', context)
  const work = await mkdtemp(join(paths.work, 'checkout-'))
  try {
    const ca = join(work, 'ca.crt')
    await pipeline([service.ca], createWriteStream(ca))
    const env = {
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: work,
      // an environment is not to be seen in a list of processes, and nothing of it stands in the clone
      GIT_CONFIG_COUNT: '3',
      GIT_CONFIG_KEY_0: `http.${git.url}.extraHeader`,
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`ci:${service.token}`).toString('base64')}`,
      GIT_CONFIG_KEY_1: 'http.sslCAInfo',
      GIT_CONFIG_VALUE_1: ca,
      GIT_CONFIG_KEY_2: 'advice.detachedHead',
      GIT_CONFIG_VALUE_2: 'false',
    }
    const clone = join(work, 'clone')
    context.print(`Cloning ${git.url}\n`)
    const at = (...args: string[]) => context.local('git', ['-C', clone, ...args], { env })
    await context.local('git', ['init', '-q', clone], { env })
    await at('remote', 'add', 'origin', git.url)
    await at('fetch', '-q', '--force', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*')
    const known = await at('cat-file', '-e', `${git.revision}^{commit}`).then(
      () => true,
      () => false,
    )
    // a commit that no branch leads to any more, or that stands beside them
    if (!known) await at('fetch', '-q', 'origin', git.revision)
    const what = git.branch ? `branch ${git.branch}` : git.tag ? `tag ${git.tag}` : 'commit'
    context.print(`Checking out ${what} at ${git.revision}\n`)
    if (git.branch) await at('checkout', '-q', '--force', '-B', git.branch, git.revision)
    else await at('checkout', '-q', '--force', '--detach', git.revision)
    await context.local('git', ['-C', clone, '--no-pager', 'log', '-1', '--format=HEAD is now at %h %s'], { env })
    await unpack(context, directory, (into) => pipeProgram('tar', ['-C', clone, '-cf', '-', '.'], into))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

export async function saveCache(step: StepOf<'save_cache'>, context: StepContext): Promise<void> {
  const key = await expandKey(step.key, context)
  const there = await context.client.send('GET', `/agent/v1/caches?exact=${encodeURIComponent(key)}`)
  there.body.resume()
  if (there.code === 200) {
    context.print(`Skipping cache generation, cache already exists for key: ${key}\n`)
    return
  }
  context.print(`Creating cache archive for key ${key}\n`)
  try {
    const size = await upload(
      `/agent/v1/caches?key=${encodeURIComponent(key)}`,
      step.paths.map((path) => resolvePath(path, context)),
      '/',
      context,
    )
    context.print(`Stored cache to ${key} (${bytes(size)})\n`)
  } catch (error) {
    // a cache makes things faster; without it they still are right
    if (!(error instanceof RefusedError || error instanceof StepError)) throw error
    context.print(`The cache was not stored: ${error.message}\n`)
  }
}

export async function restoreCache(step: StepOf<'restore_cache'>, context: StepContext): Promise<void> {
  for (const template of step.keys) {
    const key = await expandKey(template, context)
    const answer = await context.client.send('GET', `/agent/v1/caches?prefix=${encodeURIComponent(key)}`)
    if (answer.code === 404) {
      answer.body.resume()
      context.print(`No cache is found for key: ${key}\n`)
      continue
    }
    const found = decodeURIComponent(String(answer.headers['x-cache-key']))
    context.print(`Found a cache for key ${key}: ${found} (${bytes(Number(answer.headers['content-length']))})\n`)
    await unpack(context, '/', (into) => pipeline(answer.body, createZstdDecompress(), into))
    return
  }
}

export async function persistToWorkspace(step: StepOf<'persist_to_workspace'>, context: StepContext): Promise<void> {
  const root = resolvePath(step.root, context)
  const size = await upload('/agent/v1/workspace', step.paths, root, context, true)
  context.print(`Workspace layer uploaded (${bytes(size)})\n`)
}

export async function attachWorkspace(step: StepOf<'attach_workspace'>, context: StepContext): Promise<void> {
  const at = resolvePath(step.at, context)
  const answer = await context.client.send('GET', '/agent/v1/workspaces')
  const { layers } = JSON.parse(await answer.text()) as { layers: { id: string; size: number }[] }
  if (layers.length === 0) context.print('No layer of the workspace comes from the jobs that this one requires.\n')
  for (const { id, size } of layers) {
    context.print(`Applying the layer ${id} (${bytes(size)})\n`)
    const layer = await context.client.send('GET', `/agent/v1/workspaces/${id.split('/').map(encodeURIComponent).join('/')}`)
    if (layer.code !== 200) throw new StepError(`The layer ${id} of the workspace is gone`)
    await unpack(context, at, (into) => pipeline(layer.body, createZstdDecompress(), into))
  }
}

export async function storeArtifacts(step: StepOf<'store_artifacts'>, context: StepContext): Promise<void> {
  const path = resolvePath(step.path, context)
  await using taken = await take(path, context)
  const prefix = (step.destination ?? (step.path.startsWith('/') || step.path.startsWith('~') ? path.slice(1) : step.path))
    .replace(/^\.?\/+/, '')
    .replace(/\/+$/, '')
  let count = 0
  for (const file of taken.files) {
    const name = (file.relative === '' ? prefix : [prefix, file.relative].filter((p) => p && p !== '.').join('/')) || 'artifact'
    context.print(`Uploading ${name}\n`)
    try {
      const url = `/agent/v1/artifacts/${name.split('/').map(encodeURIComponent).join('/')}`
      const answer = await context.client.send('PUT', url, { body: () => createReadStream(file.path), spaceMs: 5000 })
      answer.body.resume()
    } catch (error) {
      if (error instanceof RefusedError) throw new StepError(`${name} was not stored: ${error.message}`)
      throw error
    }
    count++
  }
  if (count === 0) context.print(`There is no file in ${path}\n`)
  context.addArtifacts(count)
}

export async function storeTestResults(step: StepOf<'store_test_results'>, context: StepContext): Promise<void> {
  await using taken = await take(resolvePath(step.path, context), context)
  const texts: string[] = []
  for (const file of taken.files) if (file.path.endsWith('.xml') || taken.files.length === 1) texts.push(await readFile(file.path, 'utf8'))
  const report = testReport(texts)
  context.addTests(report)
  context.print(
    `${report.total} tests in ${texts.length} ${texts.length === 1 ? 'file' : 'files'}: ${report.failed} failed, ${report.skipped} skipped\n`,
  )
  for (const { name, className, message } of report.failures)
    context.print(`  failed: ${className ? `${className} ` : ''}${name}${message ? `: ${message.split('\n')[0]}` : ''}\n`)
}

async function expandKey(template: string, context: StepContext): Promise<string> {
  const checksums = new Map<string, string>()
  for (const file of cacheKeyFiles(template)) {
    let text = ''
    const at = resolvePath(file, context)
    const code = await context.run({ script: `$B sha256sum ${quoted(at)}`, onOutput: (chunk) => (text += chunk) }).ended
    if (code !== 0) throw new StepError(`the key of the cache cannot be computed: ${at}: no such file`)
    checksums.set(file, Buffer.from(text.slice(0, 64), 'hex').toString('base64'))
  }
  const { branch, revision } = context.plan.git
  return expandCacheKey(template, {
    ...(branch ? { branch } : {}),
    revision,
    buildNum: context.plan.number,
    environment: context.environment,
    checksum: (file) => checksums.get(file)!,
    epoch: Date.now() / 1000,
    arch: `linux-${process.arch === 'x64' ? 'amd64' : process.arch}`,
  })
}

/** Packs files of the container of the steps; what is not there is said and left out. Answers the size of what was sent. */
async function upload(url: string, files: string[], root: string, context: StepContext, globs = false): Promise<number> {
  const words = files.map((file) => (globs ? globbed(file.replace(/^\/+/, '')) : quoted(file.replace(/^\/+/, '')))).join(' ')
  const work = await mkdtemp(join(paths.work, 'upload-'))
  const packed = join(work, 'files.tar.zst')
  try {
    const { ended } = context.run({
      script: `cd ${quoted(root)} || exit 1
set --${globs ? ` ${words}` : ''}
${globs ? 'for f; do shift; if [ -e "$f" ] || [ -L "$f" ]; then set -- "$@" "$f"; else echo "$f: no such file"; fi; done' : files.map((file) => present(file.replace(/^\/+/, ''))).join('\n')}
[ $# -gt 0 ] || exit ${nothing}
exec $B tar -cf - "$@" >$X/data`,
      data: (from) => pipeline(from, compressed(), createWriteStream(packed)),
      onOutput: context.print,
    })
    const code = await ended
    if (code === nothing) throw new StepError('there is nothing to store')
    if (code !== 0) throw new StepError(`the files cannot be packed (tar ended with ${code})`, code)
    const { size } = await lstat(packed)
    const answer = await context.client.send('PUT', url, {
      body: () => createReadStream(packed),
      headers: { 'content-length': String(size) },
      spaceMs: 5000,
    })
    answer.body.resume()
    return size
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const present = (file: string) => `if [ -e ${quoted(file)} ]; then set -- "$@" ${quoted(file)}; else echo ${quoted(`/${file}: no such file`)}; fi`

/** Unpacks what `produce` writes into a directory of the container of the steps. */
async function unpack(context: StepContext, directory: string, produce: (into: Writable) => Promise<void>): Promise<void> {
  let said = ''
  const { ended } = context.run({
    script: `$B mkdir -p ${quoted(directory)} && cd ${quoted(directory)} || exit 1\nexec $B tar -xf - <$X/in`,
    input: produce,
    onOutput: (text) => (said += text),
  })
  const code = await ended
  if (code !== 0) throw new StepError(`the files cannot be unpacked into ${directory}: ${said.trim() || `tar ended with ${code}`}`, code)
}

interface Taken extends AsyncDisposable {
  files: { path: string; /** Below what was asked for; empty for itself. */ relative: string }[]
}

/** Copies a file or directory of the container of the steps to the agent's disk; links are followed there, and what is none of a file is left out. */
async function take(path: string, context: StepContext): Promise<Taken> {
  const work = await mkdtemp(join(paths.work, 'take-'))
  let said = ''
  const { ended } = context.run({
    script: `if [ -d ${quoted(path)} ]; then cd ${quoted(path)} && exec $B tar -chf - . >$X/data
elif [ -e ${quoted(path)} ]; then cd "$($B dirname ${quoted(path)})" && exec $B tar -chf - "$($B basename ${quoted(path)})" >$X/data
else echo ${quoted(`${path}: no such file or directory`)}; exit 1; fi`,
    data: (from) => pipeInto('tar', ['-C', work, '-xf', '-', '--no-same-owner', '--no-same-permissions'], from),
    onOutput: (text) => (said += text),
  })
  const code = await ended
  const dispose = () => rm(work, { recursive: true, force: true })
  if (code !== 0) {
    await dispose()
    context.print(`${said.trim() || `${path} cannot be read`}\n`)
    return { files: [], [Symbol.asyncDispose]: async () => {} }
  }
  const files: Taken['files'] = []
  for (const entry of await readdir(work, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) files.push({ path: join(entry.parentPath, entry.name), relative: join(entry.parentPath, entry.name).slice(work.length + 1) })
  files.sort((a, b) => (a.relative < b.relative ? -1 : 1))
  if (files.length === 1 && files[0]!.relative === path.split('/').at(-1)) files[0]!.relative = ''
  return { files, [Symbol.asyncDispose]: dispose }
}

async function pipeProgram(program: string, args: string[], into: Writable): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  await pipeline(child.stdout, into)
}

async function pipeInto(program: string, args: string[], from: NodeJS.ReadableStream): Promise<void> {
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await pipeline(from, child.stdin)
  if ((await ended) !== 0) throw new Error(`${program} failed`)
}

function bytes(size: number): string {
  if (size < 1024) return `${size} B`
  return size < 1024 * 1024 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / 1024 / 1024).toFixed(1)} MiB`
}
