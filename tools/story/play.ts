import { styleText } from 'node:util'
import type { Stage } from './stage.ts'
import type { Terminal } from './terminal.ts'
import { openTerminal } from './terminal.ts'
import type { Block, Chapter } from './tutorial.ts'

/** What belongs to a chapter of the tutorial beside its commands. */
export interface Scene {
  /** Whether it is left out of the short form. */
  onlyInFull?: boolean
  /** Something that goes on while the chapter is played. It is disposed before the check. */
  during?: (stage: Stage) => Promise<Companion>
  /** Called when a command of the chapter has succeeded, before the next one. */
  after?: (stage: Stage, command: string) => Promise<void>
  /** What must hold when the chapter has been played; throws when it does not. */
  check: (stage: Stage) => Promise<void>
}

/** It is asked for its verdict when the last command has ended, and goes after it. */
export interface Companion extends AsyncDisposable {
  verdict(): Promise<void>
}

export interface PlayOptions {
  stage: Stage
  terminal: Terminal
  write: (text: string) => void
  /** A command as it is played here: names that differ from the tutorial's are replaced. */
  translate: (command: string) => string
  /** For one command. */
  timeoutMs: number
}

/** Plays one chapter: its commands in order, with those that watch beside them; then its check. Rejects at the first thing that is not as it must be. */
export async function playChapter(chapter: Chapter, scene: Scene, options: PlayOptions): Promise<void> {
  const { stage, terminal, write, translate, timeoutMs } = options
  write(`\n${styleText('bold', `## ${chapter.title}`)}\n\n`)
  const started = performance.now()
  await using watching = watchers(stage)
  await using companion = await scene.during?.(stage)
  for (const block of chapter.blocks)
    for (const [index, text] of block.commands.entries()) {
      const command = translate(text)
      write(`${styleText('cyan', `$ ${command}`)}${block.mode === 'watch' ? ' &' : ''}\n`)
      if (block.mode === 'watch') {
        watching.start(command)
        continue
      }
      const played = await terminal.run(command, timeoutMs)
      if (!played.output.endsWith('\n') && played.output !== '') write('\n')
      stage.played.push({ ...played, command: text })
      judge(block, index, played.code, command)
      await scene.after?.(stage, text)
    }
  await companion?.verdict()
  for (const { command, text } of await watching.end()) {
    write(`${styleText('cyan', `$ ${command}`)}   (what it showed meanwhile)\n${text}`)
    stage.played.push({ command, output: text, code: 0 })
  }
  await scene.check(stage)
  write(styleText('dim', `  ${((performance.now() - started) / 1000).toFixed(1)} s\n`))
}

function judge(block: Block, index: number, code: number, command: string): void {
  const last = index === block.commands.length - 1
  if (block.mode === 'fails' && last && code === 0) throw new Error(`it should have failed: ${command}`)
  if (!(block.mode === 'fails' && last) && code !== 0) throw new Error(`it ended with ${code}: ${command}`)
}

/** Commands in terminals of their own. */
function watchers(stage: Stage) {
  const all: { command: string; text: string; terminal: Terminal; ended: Promise<unknown> }[] = []
  return {
    start(command: string) {
      const watcher = { command, text: '' } as (typeof all)[number]
      watcher.terminal = openTerminal({ directory: stage.directory, env: stage.env, onOutput: (text) => (watcher.text += text) })
      // it ends when its terminal is closed
      watcher.ended = watcher.terminal.run(command, 3600_000).catch(() => {})
      all.push(watcher)
    },
    async end() {
      for (const watcher of all) {
        await watcher.terminal[Symbol.asyncDispose]()
        await watcher.ended
      }
      return all.splice(0)
    },
    async [Symbol.asyncDispose]() {
      await this.end()
    },
  }
}
