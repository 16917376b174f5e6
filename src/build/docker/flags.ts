/** What a flag of `docker` is to this front end. */
export type Flag =
  /** Takes a value. `list`: may be given several times. */
  | { kind: 'value' | 'list' | 'switch'; name: string }
  /** Means nothing here and changes nothing in the result. */
  | { kind: 'ignored'; value: boolean }
  | { kind: 'refused'; why: string }

export type Flags = Record<string, Flag>

const value = (name: string): Flag => ({ kind: 'value', name })
const list = (name: string): Flag => ({ kind: 'list', name })
const toggle = (name: string): Flag => ({ kind: 'switch', name })
const ignored = (takesValue = false): Flag => ({ kind: 'ignored', value: takesValue })
const refused = (why: string): Flag => ({ kind: 'refused', why })

const daemon = 'there is no docker daemon here'
const oneProcess = 'containers here are a process in the file system of their image, without namespaces and limits of their own'

const build: Flags = {
  '-t': list('tag'),
  '--tag': list('tag'),
  '-f': value('file'),
  '--file': value('file'),
  '--build-arg': list('buildArg'),
  '--label': list('label'),
  '--secret': list('secret'),
  '--target': value('target'),
  '--no-cache': toggle('noCache'),
  '-q': toggle('quiet'),
  '--quiet': toggle('quiet'),
  '--iidfile': value('iidfile'),
  '--push': toggle('push'),
  '--load': ignored(),
  '--pull': ignored(),
  '--rm': ignored(),
  '--force-rm': ignored(),
  '--progress': ignored(true),
  '--network': ignored(true),
  '--cache-from': ignored(true),
  '--cache-to': ignored(true),
  '--provenance': ignored(true),
  '--sbom': ignored(true),
  '--compress': ignored(),
  '--memory': ignored(true),
  '-m': ignored(true),
  '--platform': refused('images are built for the platform of the node'),
  '--squash': refused('layers are kept, for the next build'),
  '--ssh': refused('give what the build needs with --secret'),
  '--output': refused('images stay in the store: `docker save` writes one to a file'),
  '-o': refused('images stay in the store: `docker save` writes one to a file'),
}

const run: Flags = {
  '--rm': ignored(),
  '-i': ignored(),
  '--interactive': ignored(),
  '-t': ignored(),
  '--tty': ignored(),
  '--pull': ignored(true),
  '--init': ignored(),
  '-q': ignored(),
  '--name': ignored(true),
  '--network': { kind: 'value', name: 'network' },
  '--net': { kind: 'value', name: 'network' },
  '-e': list('env'),
  '--env': list('env'),
  '--env-file': list('envFile'),
  '-w': value('workdir'),
  '--workdir': value('workdir'),
  '-u': value('user'),
  '--user': value('user'),
  '-v': list('volume'),
  '--volume': list('volume'),
  '--entrypoint': value('entrypoint'),
  '-d': refused('a container ends with its command; what is to go on is a pod (kubectl run) or a service container of the job'),
  '--detach': refused('a container ends with its command; what is to go on is a pod (kubectl run) or a service container of the job'),
  '-p': refused('a container uses the network of its pod: its ports are at localhost'),
  '--publish': refused('a container uses the network of its pod: its ports are at localhost'),
  '-P': refused('a container uses the network of its pod: its ports are at localhost'),
  '--privileged': refused(oneProcess),
  '--cap-add': refused(oneProcess),
  '--memory': refused(oneProcess),
  '-m': refused(oneProcess),
  '--cpus': refused(oneProcess),
  '--restart': refused(oneProcess),
  '--link': refused(oneProcess),
  '--mount': refused('use -v SOURCE:TARGET[:ro]'),
  '--gpus': refused(oneProcess),
}

const quiet: Flags = { '-q': toggle('quiet'), '--quiet': toggle('quiet') }
const login: Flags = {
  '-u': value('username'),
  '--username': value('username'),
  '-p': value('password'),
  '--password': value('password'),
  '--password-stdin': toggle('passwordStdin'),
}

/** The commands that are there, with their flags. */
export const commands: Record<string, Flags> = {
  build,
  push: { ...quiet, '-a': refused('name each tag'), '--all-tags': refused('name each tag'), '--disable-content-trust': ignored() },
  pull: { ...quiet, '--platform': refused('images are for the platform of the node'), '--disable-content-trust': ignored() },
  tag: {},
  login,
  logout: {},
  images: { ...quiet, '-a': ignored(), '--all': ignored(), '--no-trunc': ignored(), '--format': value('format') },
  rmi: { '-f': toggle('force'), '--force': toggle('force') },
  save: { '-o': value('output'), '--output': value('output') },
  load: { '-i': value('input'), '--input': value('input'), ...quiet },
  inspect: { '-f': refused('read the JSON with jq'), '--format': refused('read the JSON with jq'), '--type': ignored(true) },
  history: {},
  prune: {
    '-f': ignored(),
    '--force': ignored(),
    '-a': toggle('all'),
    '--all': toggle('all'),
    '--filter': refused('everything that is unused goes'),
  },
  run,
  version: { '--format': ignored(true), '-f': ignored(true) },
  info: { '--format': ignored(true), '-f': ignored(true) },
}

/** Commands under another name. */
const longNames: Record<string, string> = {
  'image build': 'build',
  'image push': 'push',
  'image pull': 'pull',
  'image tag': 'tag',
  'image ls': 'images',
  'image list': 'images',
  'image rm': 'rmi',
  'image save': 'save',
  'image load': 'load',
  'image inspect': 'inspect',
  'image history': 'history',
  'image prune': 'prune',
  'system prune': 'prune',
  'builder prune': 'prune',
  'buildx build': 'build',
  'builder build': 'build',
  'container run': 'run',
}

/** What docker has and this does not, with what to do instead. */
const refusedCommands: Record<string, string> = {
  ...Object.fromEntries(
    [
      'ps',
      'exec',
      'stop',
      'start',
      'kill',
      'rm',
      'logs',
      'attach',
      'create',
      'restart',
      'wait',
      'port',
      'top',
      'stats',
      'cp',
      'commit',
      'container',
    ].map((name) => [name, `${daemon}, and no containers that go on: run them as pods, with kubectl`]),
  ),
  compose: 'run the other parts as service containers of the job, or as pods',
  network: 'the network is the pod’s',
  volume: 'volumes are the pod’s: -v takes directories',
  swarm: daemon,
  service: daemon,
  stack: daemon,
  context: daemon,
  system: daemon,
  events: daemon,
  buildx: 'of buildx there is `docker buildx build`',
  search: 'search the registry’s own catalogue',
  manifest: 'use skopeo',
  import: 'use `docker load` for archives of images, or ADD in a Dockerfile',
  export: 'use `docker save`',
}

export interface DockerCommand {
  name: string
  values: Record<string, string>
  lists: Record<string, string[]>
  switches: Set<string>
  /** What is no flag. For `run`, everything after the image belongs to the command. */
  args: string[]
}

/** A command line that is not understood, or asks for what is not there; the message says what to do. */
export class DockerUsageError extends Error {}

/** Reads a command line of docker's. Throws DockerUsageError for commands and flags that cannot be followed: none is passed over in silence. */
export function parseDocker(argv: readonly string[]): DockerCommand {
  const rest = [...argv]
  const first = rest.shift() ?? 'help'
  const long = `${first} ${rest[0] ?? ''}`
  const name = longNames[long] ?? first
  if (name !== first) rest.shift()
  const flags = Object.hasOwn(commands, name) ? commands[name]! : undefined
  if (!flags) {
    const known = `there are: ${Object.keys(commands).join(', ')}`
    if (first.startsWith('-')) throw new DockerUsageError(`docker: ${first} before a command is not supported here; ${known}`)
    throw new DockerUsageError(`docker ${first} is not supported here: ${refusedCommands[first] ?? known}`)
  }
  const command: DockerCommand = { name, values: {}, lists: {}, switches: new Set(), args: [] }
  while (rest.length > 0) {
    const word = rest.shift()!
    if (word === '--') {
      command.args.push(...rest.splice(0))
    } else if (word.startsWith('-') && word !== '-') {
      readFlag(command, flags, word, rest)
    } else {
      command.args.push(word)
      if (name === 'run') command.args.push(...rest.splice(0))
    }
  }
  return command
}

function readFlag(command: DockerCommand, flags: Flags, word: string, rest: string[]): void {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1
  const name = equals < 0 ? word : word.slice(0, equals)
  const flag = Object.hasOwn(flags, name) ? flags[name]! : undefined
  if (!flag && /^-[A-Za-z]./.test(word)) {
    // `-it`, `-tNAME`
    const head = flags[word.slice(0, 2)]
    if (head && (head.kind === 'value' || head.kind === 'list' || (head.kind === 'ignored' && head.value))) rest.unshift(word.slice(2))
    else rest.unshift(`-${word.slice(2)}`)
    return readFlag(command, flags, word.slice(0, 2), rest)
  }
  if (!flag) throw new DockerUsageError(`docker ${command.name}: ${name} is not supported here`)
  if (flag.kind === 'refused') throw new DockerUsageError(`docker ${command.name}: ${name} is not supported here: ${flag.why}`)
  if (flag.kind === 'switch') {
    if (equals < 0 || word.slice(equals + 1) !== 'false') command.switches.add(flag.name)
    return
  }
  if (flag.kind === 'ignored' && !flag.value) return
  const value = equals < 0 ? rest.shift() : word.slice(equals + 1)
  if (value === undefined) throw new DockerUsageError(`docker ${command.name}: ${name} needs a value`)
  if (flag.kind === 'value') command.values[flag.name] = value
  if (flag.kind === 'list') (command.lists[flag.name] ??= []).push(value)
}
