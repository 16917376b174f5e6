// npm run story [-- --short] [--name NAME] [--keep]: plays docs/tutorial.md on a cluster of its own, command by command, and checks what each part
// promises. The short form leaves out what costs time and is tested elsewhere.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { client, k8tsProgram, output, root } from '../test/e2e/cluster.ts'
import { playChapter } from './story/play.ts'
import { registryInTutorial, scenes } from './story/scenes.ts'
import type { Stage } from './story/stage.ts'
import { k8ts } from './story/stage.ts'
import { openTerminal } from './story/terminal.ts'
import { parseTutorial } from './story/tutorial.ts'

const { values: flags } = parseArgs({
  options: { short: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false }, name: { type: 'string', default: 'story' } },
})
const { name, short, keep } = flags

const write = (text: string) => void process.stdout.write(text)
const directory = mkdtempSync(join(tmpdir(), 'k8ts-story-'))
const stage: Stage = {
  name,
  directory,
  env: environment(),
  registry: registryInTutorial,
  played: [],
  deployed: '',
  tell: (line) => write(`${styleText('green', '✔')} ${line}\n`),
}
const chapters = parseTutorial(readFileSync(join(root, 'docs/tutorial.md'), 'utf8'))
const started = performance.now()

let failed = false
process.on('SIGINT', () => {}) // commands get it from the terminal as well; the story ends in order
try {
  // what a story that was cut off left is not the empty machine that this one begins with
  await k8ts(stage, 'down')
  await play()
} catch (error) {
  failed = true
  write(`\n${styleText('red', '✖')} ${(error as Error).message}\n`)
  await lookAround()
}
try {
  if (keep)
    write(`\nThe cluster ${name} is kept, its files in ${directory}:\n  export KUBECONFIG=${directory}/kubeconfig\n  k8ts down --name ${name}\n`)
  else {
    await k8ts(stage, 'down')
    rmSync(directory, { recursive: true, force: true })
  }
} catch (error) {
  failed = true
  write(`${(error as Error).message}\n`)
}
write(`\nThe story${short ? ' in its short form' : ''} ${failed ? 'failed' : 'held'} after ${((performance.now() - started) / 1000).toFixed(0)} s.\n`)
process.exitCode = failed ? 1 : 0

async function play(): Promise<void> {
  await using terminal = openTerminal({ directory, env: stage.env, onOutput: write })
  for (const chapter of chapters) {
    const scene = scenes[chapter.title]
    if (!scene)
      throw new Error(`docs/tutorial.md: nothing says what must hold after the chapter ${JSON.stringify(chapter.title)}: see tools/story/scenes.ts`)
    if (short && scene.onlyInFull) {
      write(`\n${styleText('bold', `## ${chapter.title}`)}\n(left out of the short form)\n`)
      continue
    }
    await playChapter(chapter, scene, {
      stage,
      terminal,
      write,
      translate: (command) => command.replaceAll(registryInTutorial, stage.registry),
      timeoutMs: 540_000,
    })
  }
}

/** The walk has a home of its own: nothing of the user's is read or changed. */
function environment(): NodeJS.ProcessEnv {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  symlinkSync(k8tsProgram, join(bin, 'k8ts'))
  symlinkSync(client('kubectl'), join(bin, 'kubectl'))
  const gitConfig = join(directory, 'gitconfig')
  writeFileSync(gitConfig, '[user]\n  name = The Team\n  email = team@blog.example.test\n[advice]\n  detachedHead = false\n')
  // git asks the service that `k8ts ci init` tells it about, with its certificate
  const { GIT_SSL_CAINFO: _, ...inherited } = process.env
  return {
    ...inherited,
    PATH: `${bin}:${process.env['PATH']}`,
    K8TS_ROOT: root,
    K8TS_NAME: name,
    KUBECONFIG: join(directory, 'kubeconfig'),
    DOCKER_CONFIG: join(directory, 'docker'),
    GIT_CONFIG_GLOBAL: gitConfig,
  }
}

/** What a person would look at next. */
async function lookAround(): Promise<void> {
  for (const command of [
    'kubectl get pods --all-namespaces --output wide',
    'kubectl get events --sort-by .lastTimestamp | tail -n 25',
    'kubectl get projects,pipelines,workflows,jobs.ci.k8ts.dev',
  ])
    write(`$ ${command}\n${await output('bash', ['-c', command], stage.env).catch((error: Error) => `${error.message}\n`)}`)
}
