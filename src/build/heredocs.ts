import type { Instruction } from './instructions.ts'
import { DockerfileError, heredocMark } from './instructions.ts'

/** Name of the further build context that has the files of COPY's texts. */
export const heredocContext = 'k8ts-heredocs'

/** The words of a SHELL. */
export function shellOf({ value, line }: Instruction): string[] {
  try {
    return JSON.parse(value) as string[]
  } catch (error) {
    throw new DockerfileError(line, `SHELL takes a JSON array: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The same without text below it, which buildah 1.28 does not know: a script in one argument, or a file of a further context. */
export function withoutHeredocs(
  { keyword, value, line, heredocs = [] }: Instruction,
  shell: readonly string[],
  files: Record<string, string>,
): string {
  const [flags] = /^(?:--\S+\s+)*/.exec(value)!
  const rest = value.slice(flags.length)
  if (keyword === 'RUN') {
    const [{ name, text } = { name: '', text: '' }] = heredocs
    const alone = new RegExp(`^<<-?["']?${name}["']?$`).test(rest)
    const interpreter = alone && /^#!\s*(.+)\n/.exec(text)?.[1]
    const below = heredocs.map((each) => `${each.text}${each.name}\n`).join('')
    const script = interpreter ? `${interpreter} <<'${name}'\n${below}` : alone ? text : `${rest}\n${below}`
    return `RUN ${flags}${JSON.stringify([...shell, script])}`
  }
  const sources = heredocs.map(({ name, quoted, text }) => {
    if (!quoted && /\$[\w{]/.test(text))
      throw new DockerfileError(
        line,
        `variables in the text of ${keyword} are not supported here: write <<'${name}' for text as it is, or RUN cat > FILE <<${name}`,
      )
    const path = `${line}/${name}`
    files[path] = text
    return path
  })
  const others = rest.replaceAll(heredocMark, '$1').trim().split(/\s+/)
  if (others.length !== 1) throw new DockerfileError(line, `${keyword} takes either files or text from below (<<), and one place for them`)
  return `COPY --from=${heredocContext} ${flags}${sources.join(' ')} ${others[0]}`
}
