import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { compileConfig } from '../config/index.ts'
import type { CompileResult, ConfigProblem } from '../config/index.ts'
import { UsageError } from './session.ts'

export interface ValidateOptions {
  directory: string
  file: string
  /** What the pipeline would be for: filters and pipeline values depend on it. */
  branch?: string
  tag?: string
  parameters?: Record<string, string | number | boolean>
}

/** Compiles a configuration as a pipeline of it would be. */
export async function validateConfig({ directory, file, branch, tag, parameters = {} }: ValidateOptions): Promise<CompileResult> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      code === 'ENOENT' ? `there is no ${file}: \`k8ts ci init\` writes a first one` : `${file} cannot be read: ${(error as Error).message}`,
    )
  }
  return compileConfig({
    file: isBelow(directory, file) ? relative(directory, file) : file,
    text,
    parameters,
    pipeline: {
      id: '00000000-0000-0000-0000-000000000000',
      number: 1,
      triggerSource: 'api',
      project: { name: 'project', gitUrl: 'https://example.com/project.git' },
      git: { ...(tag === undefined ? { branch: branch ?? 'main' } : { tag }), revision: '0'.repeat(40) },
      actor: 'nobody',
    },
  })
}

const isBelow = (directory: string, file: string): boolean => !relative(directory, file).startsWith('..')

export const describeProblem = ({ file, line, column, message }: ConfigProblem): string => `${file}:${line}:${column}: ${message}`

/** `name=value` of `--parameter`: true, false and numbers are what they look like, as in a configuration; in quotes they are text. */
export function parseParameters(given: readonly string[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new UsageError(`--parameter ${text}: write it as NAME=VALUE`)
      return [text.slice(0, at), scalar(text.slice(at + 1))]
    }),
  )
}

function scalar(text: string): string | number | boolean {
  if (/^(["']).*\1$/s.test(text)) return text.slice(1, -1)
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text
}
