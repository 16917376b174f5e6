/** One instruction of a Dockerfile; continuation lines belong to it. */
export interface Instruction {
  /** In upper case: `RUN`. */
  keyword: string
  /** What follows the keyword, in one line, comments and continuations taken out. */
  value: string
  /** 1-based, where it starts and ends. */
  line: number
  end: number
  /** Text that stands below it: `RUN <<EOF`. */
  heredocs?: Heredoc[]
}

export interface Heredoc {
  /** The word that ends it. */
  name: string
  /** Variables in it are text. */
  quoted: boolean
  /** With a line end after each line. */
  text: string
}

/** What is wrong with a Dockerfile, with its line. */
export class DockerfileError extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.name = 'DockerfileError'
    this.line = line
  }
}

/** Joins continued lines, leaves comments out, and takes text from below into the instruction that it belongs to. */
export function instructionsOf(lines: readonly string[]): Instruction[] {
  const escape = escapeOf(lines)
  const found: Instruction[] = []
  let open: { text: string; line: number } | undefined
  for (let index = 0; index < lines.length; index++) {
    const raw = lines[index]!
    if (/^\s*(#|$)/.test(raw)) continue
    const text = raw.trimEnd()
    const continues = text.endsWith(escape)
    const part = continues ? text.slice(0, -1) : text
    open = open ? { ...open, text: open.text + part } : { text: part.trimStart(), line: index + 1 }
    if (continues) continue
    const instruction = toInstruction(open.text, open.line, index + 1)
    open = undefined
    if (['RUN', 'COPY', 'ADD'].includes(instruction.keyword)) index = readHeredocs(instruction, lines, index)
    found.push(instruction)
  }
  if (open) found.push(toInstruction(open.text, open.line, lines.length))
  return found
}

/** As in a shell: `<<EOF`, `<<-EOF`, `<<'EOF'`; a word of its own, or at the start of one. */
export const heredocMark = /(^|[\s;&|])(\d*<<(-?)(["']?)([A-Za-z_]\w*)\4)/g

/** Takes the lines of `<<EOF` into the instruction; answers the index of the last of them. */
function readHeredocs(instruction: Instruction, lines: readonly string[], index: number): number {
  for (const [, , , dash, quote, name] of instruction.value.matchAll(heredocMark)) {
    const strip = (line: string) => (dash ? line.replace(/^\t+/, '') : line)
    const end = lines.findIndex((line, at) => at > index && strip(line) === name)
    if (end < 0) throw new DockerfileError(instruction.line, `no line ${name} ends the text of <<${name}`)
    const body = lines.slice(index + 1, end).map((line) => `${strip(line)}\n`)
    ;(instruction.heredocs ??= []).push({ name: name!, quoted: quote !== '', text: body.join('') })
    index = end
  }
  instruction.end = index + 1
  return index
}

function toInstruction(text: string, line: number, end: number): Instruction {
  const [, keyword = '', value = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? []
  return { keyword: keyword.toUpperCase(), value: value.trim(), line, end }
}

/** Parser directives stand in the first lines, before any other comment. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^\s*#\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line)
    if (!directive) break
    if (directive[1]!.toLowerCase() === 'escape') return directive[2]!
  }
  return '\\'
}
