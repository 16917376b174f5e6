/** A part of the tutorial: what stands below one heading. */
export interface Chapter {
  title: string
  blocks: Block[]
}

/** Commands that a reader types, one after the other. */
export interface Block {
  /** `run`: each succeeds. `fails`: the last one does not. `watch`: they go on while the chapter does, in a terminal of their own. */
  mode: 'run' | 'fails' | 'watch'
  commands: string[]
  /** Where the block begins in the tutorial, from 1. */
  line: number
}

/**
 * The chapters of a tutorial: level-two headings, and below them the code blocks with the language `sh`. A word after the language says how its commands
 * are played (```` ```sh watch ````); blocks of another language show what is printed. Throws for a block that is not closed and for an unknown word.
 */
export function parseTutorial(markdown: string): Chapter[] {
  const chapters: Chapter[] = []
  let fence: { language: string; mode: string; line: number; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, language, mode] = /^```(\w*) *(.*)$/.exec(line) ?? []
    if (language === undefined) {
      if (fence) fence.lines.push(line)
      else if (line.startsWith('## ')) chapters.push({ title: line.slice(3).trim(), blocks: [] })
    } else if (!fence) fence = { language, mode: mode || 'run', line: index + 1, lines: [] }
    else {
      if (fence.language === 'sh') chapters.at(-1)?.blocks.push(block(fence.lines, fence.mode, fence.line))
      fence = undefined
    }
  }
  if (fence) throw new Error(`line ${fence.line}: the code block is not closed`)
  return chapters
}

function block(lines: string[], mode: string, line: number): Block {
  if (mode !== 'run' && mode !== 'fails' && mode !== 'watch') throw new Error(`line ${line}: a block of commands is run, fails or watch, not ${mode}`)
  return { mode, commands: splitCommands(lines.join('\n')), line }
}

/** Commands as they are typed: a line each, or several lines where a quote, a backslash or a here-document goes on. */
export function splitCommands(script: string): string[] {
  const commands: string[] = []
  let command = ''
  let quote: string | undefined
  let heredoc: string | undefined
  for (const line of script.split('\n')) {
    if (command === '' && (line.trim() === '' || line.startsWith('#'))) continue
    command += command === '' ? line : `\n${line}`
    if (heredoc !== undefined) {
      if (line !== heredoc) continue
      heredoc = undefined
    } else {
      quote = openQuote(line, quote)
      if (quote !== undefined) continue
      heredoc = /<<-?\s*(['"]?)(\w+)\1/.exec(line)?.[2]
      if (heredoc !== undefined || line.endsWith('\\')) continue
    }
    commands.push(command)
    command = ''
  }
  if (command !== '') throw new Error(`a command that does not end: ${command}`)
  return commands
}

/** The quote that is open after a line, given the one that is open before it. */
function openQuote(line: string, before: string | undefined): string | undefined {
  let open = before
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    if (char === '\\' && open !== "'") i++
    else if (open === undefined && (char === "'" || char === '"')) open = char
    else if (char === open) open = undefined
  }
  return open
}
