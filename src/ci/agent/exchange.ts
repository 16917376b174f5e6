import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { paths } from './plan.ts'

/**
 * How the agent runs programs in the container of the steps, of which it needs nothing but that it can start `/bin/sh` once: both share a directory. The agent puts a
 * static busybox there; the container's first process reads requests from a pipe and starts what they name, each in a session of its own; output comes back through
 * pipes. So programs run as the image's user, in its control group, with its files, and the agent's files and credentials stay out of their sight.
 */
export interface Exchange {
  /** Resolves when the container listens: who it runs as. */
  ready(signal: AbortSignal): Promise<ContainerUser>
  run(options: RunOptions): Execution
  /** Ends the container's first process, and everything in it. */
  quit(): void
}

export interface ContainerUser {
  home: string
  uid: number
  path: string
  /** What runs a step that names no shell, as words: bash where the image has one, else sh; either ends at the first failure, also within a pipe where it can. */
  shell: string
}

export interface RunOptions {
  /** A script of busybox' shell; its end is the execution's. */
  script: string
  /** Files beside it, by name: `$X/NAME` in the script. */
  files?: Record<string, string>
  /** What the script reads from `$X/in`. */
  input?: (into: Writable) => Promise<void>
  /** What the script writes to `$X/data`, until it closes it. */
  data?: (from: Readable) => Promise<void>
  onOutput?: (text: string) => void
}

export interface Execution {
  /** The script's exit code; 137 when it was killed. */
  ended: Promise<number>
  /** Ends its session: asks first, and makes it after `graceMs`. */
  kill(graceMs?: number): void
}

/** The first command of the container: waits until the agent is there. */
export const bootCommand = [
  '/bin/sh',
  '-c',
  `until [ -p ${paths.exchange}/requests ]; do sleep 0.02 2>/dev/null || sleep 1; done; exec ${paths.exchange}/busybox sh ${paths.exchange}/loop`,
]

// `3<>`: a pipe that is open for writing, too, has no end. What is started leads a session of its own, whose number it writes down; the mark at the end is
// written by who started it, so that it comes whatever became of the session.
const loop = `
D=${paths.exchange}; B=$D/busybox
exec 3<>$D/requests
if [ -x /bin/bash ]; then shell='/bin/bash -eo pipefail'
elif (exec /bin/sh -c 'set -o pipefail') 2>/dev/null; then shell='/bin/sh -eo pipefail'
else shell='/bin/sh -e'; fi
printf '%s\\n' "ready $($B id -u) \${HOME:-/}" "$PATH" "$shell" > $D/hello
: > $D/listening
while read -r verb id <&3; do
  case $verb in
    run)
      (
        X=$D/x/$id; export X B
        $B setsid $B sh $X/run </dev/null >$X/out 2>&1
        code=$?
        read -r mark <$X/end
        printf '%s%s\\n' "$mark" $code >$X/out
      ) 3<&- & ;;
    TERM | KILL)
      session=
      read -r session <$D/x/$id/session
      [ -z "$session" ] || kill -$verb -- -$session ;;
    quit) exit 0 ;;
  esac
done 2>/dev/null
`

export function openExchange({ directory = paths.exchange, busybox = '/bin/busybox' }: { directory?: string; busybox?: string } = {}): Exchange {
  mkdirSync(join(directory, 'x'), { recursive: true })
  copyFileSync(busybox, join(directory, 'busybox'))
  chmodSync(join(directory, 'busybox'), 0o755)
  writeFileSync(join(directory, 'loop'), loop.replaceAll(paths.exchange, directory))
  writeFileSync(join(directory, 'hello'), '', { mode: 0o666 })
  chmodSync(join(directory, 'hello'), 0o666)
  chmodSync(directory, 0o777)
  makePipes([join(directory, 'requests.new')])
  // the container waits for this name: everything else is in place
  renameSync(join(directory, 'requests.new'), join(directory, 'requests'))
  const requests = openSync(join(directory, 'requests'), constants.O_RDWR)
  const send = (line: string) => void writeSync(requests, `${line}\n`)
  let sequence = 0
  const pool = pipePool(join(directory, 'spare'))

  return {
    async ready(signal) {
      while (!existsSync(join(directory, 'listening'))) {
        signal.throwIfAborted()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      const [first = '', path = '', shell = '/bin/sh -e'] = readFileSync(join(directory, 'hello'), 'utf8').split('\n')
      const [, uid, ...home] = first.split(' ')
      return { uid: Number(uid), home: home.join(' ') || '/', path, shell }
    },
    run: (options) => execute(options, { directory, id: ++sequence, send, pipe: pool }),
    quit() {
      send('quit')
      closeSync(requests)
    },
  }
}

interface Place {
  directory: string
  id: number
  send: (line: string) => void
  pipe: (path: string) => void
}

function execute({ script, files = {}, input, data, onOutput }: RunOptions, { directory, id, send, pipe }: Place): Execution {
  const at = join(directory, 'x', String(id))
  // who runs the script may be another user
  mkdirSync(at, { mode: 0o777 })
  chmodSync(at, 0o777)
  const end = `k8ts-end-${randomBytes(12).toString('hex')}:`
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(at, name), content, { mode: 0o755 })
    chmodSync(join(at, name), 0o755)
  }
  writeFileSync(join(at, 'end'), `${end}\n`)
  writeFileSync(join(at, 'run'), `echo $$ >$X/session\n${script}\n`)
  for (const name of ['out', ...(input ? ['in'] : []), ...(data ? ['data'] : [])]) pipe(join(at, name))
  // open for both: no end before the first writer comes, nor when one leaves another behind
  const output = new Socket({ fd: openSync(join(at, 'out'), constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false })
  const transfers: { child: ChildProcess; done: Promise<void> }[] = []
  if (input) {
    const child = spawn('/bin/sh', ['-c', 'exec cat > "$0"', join(at, 'in')], { stdio: ['pipe', 'ignore', 'ignore'] })
    child.stdin.on('error', () => {})
    transfers.push({ child, done: input(child.stdin).finally(() => child.stdin.end()) })
  }
  if (data) {
    const child = spawn('cat', [join(at, 'data')], { stdio: ['ignore', 'pipe', 'ignore'] })
    transfers.push({ child, done: data(child.stdout) })
  }
  const code = new Promise<number>((resolve, reject) => {
    let ended = false
    let tail = ''
    output.setEncoding('utf8')
    output.on('data', (text: string) => {
      // after the end, what stays behind in the background may still speak
      if (ended) return onOutput?.(text)
      tail += text
      const found = tail.indexOf(end)
      if (found < 0) {
        // an end that is cut in two is found with the next chunk
        const keep = partial(tail, end)
        if (tail.length > keep) onOutput?.(tail.slice(0, tail.length - keep))
        tail = tail.slice(tail.length - keep)
        return
      }
      const line = tail.indexOf('\n', found)
      if (line < 0) return
      ended = true
      const result = Number(tail.slice(found + end.length, line))
      if (found > 0) onOutput?.(tail.slice(0, found))
      if (line + 1 < tail.length) onOutput?.(tail.slice(line + 1))
      output.unref()
      resolve(result)
    })
    output.on('error', reject)
  })
  send(`run ${id}`)
  const ended = code.then(async (result) => {
    // a script that failed may never have opened its pipe
    if (result !== 0) for (const { child } of transfers) child.kill()
    await Promise.all(transfers.map((t) => t.done)).catch((error: unknown) => {
      if (result === 0) throw error
    })
    return result
  })
  // a transfer that fails must not leave the script waiting
  for (const { done } of transfers) done.catch(() => send(`KILL ${id}`))
  return {
    ended,
    kill(graceMs = 5000) {
      send(`TERM ${id}`)
      const timer = setTimeout(() => send(`KILL ${id}`), graceMs)
      void ended.finally(() => clearTimeout(timer)).catch(() => {})
    },
  }
}

/** How much of the end of `text` may be the beginning of `mark`. */
function partial(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length--) if (mark.startsWith(text.slice(-length))) return length
  return 0
}

/** Pipes that are there before they are needed: a program has to be run to make one, which a step would wait for. */
function pipePool(directory: string): (path: string) => void {
  mkdirSync(directory)
  let made = 0
  const spare: string[] = []
  const names = (count: number) => Array.from({ length: count }, () => join(directory, String(++made)))
  let filling = false
  const fill = () => {
    if (filling || spare.length > 4) return
    filling = true
    const batch = names(8)
    execFile('mkfifo', ['-m', '666', ...batch], (error) => {
      filling = false
      if (!error) spare.push(...batch)
    })
  }
  const first = names(8)
  makePipes(first)
  spare.push(...first)
  return (path) => {
    const one = spare.shift() ?? names(1)[0]!
    if (!existsSync(one)) makePipes([one])
    chmodSync(one, 0o666)
    renameSync(one, path)
    fill()
  }
}

function makePipes(files: string[]): void {
  execFileSync('mkfifo', ['-m', '666', ...files])
  for (const file of files) chmodSync(file, 0o666)
}

/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
