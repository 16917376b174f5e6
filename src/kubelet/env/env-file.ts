/** A file that is no env file; the message says in which line. */
export class EnvFileError extends Error {
  constructor(line: number, what: string) {
    super(`invalid environment variable format at line ${line}: ${what}`)
    this.name = 'EnvFileError'
  }
}

/**
 * Reads an env file (KEP-3721), a small part of what a shell reads: `NAME='value'`. Values stand in single quotes, are taken literally and may span lines;
 * space around the name and after the value, blank lines and lines that begin with `#` do not count. Of a name that is there twice the first counts.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/
 */
export function parseEnvFile(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  let at = 0
  for (let line = 1; at < text.length; line++) {
    const end = endOfLine(text, at)
    const begin = text.slice(at, end).trim()
    if (begin === '' || begin.startsWith('#')) {
      at = end + 1
      continue
    }
    const equals = text.indexOf('=', at)
    const name = equals < 0 || equals > end ? '' : text.slice(at, equals).trim()
    if (name === '') throw new EnvFileError(line, "expected NAME='value'")
    const open = equals + 1 + (/^[ \t]*/.exec(text.slice(equals + 1, end))?.[0].length ?? 0)
    if (text[open] !== "'") throw new EnvFileError(line, 'the value has to stand in single quotes')
    const close = text.indexOf("'", open + 1)
    if (close < 0) throw new EnvFileError(line, 'the value has no closing quote')
    const value = text.slice(open + 1, close)
    const rest = endOfLine(text, close)
    line += value.split('\n').length - 1
    if (text.slice(close + 1, rest).trim() !== '') throw new EnvFileError(line, 'there is something after the value')
    if (!variables.has(name)) variables.set(name, value)
    at = rest + 1
  }
  return variables
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}
