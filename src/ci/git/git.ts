import { run } from '#base'

export interface GitOptions {
  /** Settings for this command alone; they win over those of files. */
  config?: Record<string, string>
  env?: Record<string, string>
  input?: string | Uint8Array
  signal?: AbortSignal
}

/**
 * The environment that git gets from us, all of it: no configuration, hooks, prompts or credentials of whoever started this process. Settings travel in
 * the environment and not on the command line, where everybody could read them.
 */
export function gitEnvironment({ config = {}, env = {} }: Pick<GitOptions, 'config' | 'env'> = {}): Record<string, string> {
  const settings = Object.entries({ 'safe.directory': '*', 'core.hooksPath': '/dev/null', 'gc.auto': '0', ...config })
  return {
    PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    ...env,
  }
}

/** Runs git on a bare repository of ours and answers its standard output. */
export function git(repository: string, args: readonly string[], { config, env, ...rest }: GitOptions = {}): Promise<string> {
  // what the parent's environment says about git (GIT_DIR of a hook) must not reach it
  const cleared = Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => name.startsWith('GIT_'))
      .map((name) => [name, undefined as unknown as string]),
  )
  return run('git', args, { ...rest, env: { ...cleared, ...gitEnvironment({ config, env }), GIT_DIR: repository } })
}

/** A full object id, sha1 or sha256. */
export const isObjectId = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)

/** Whether git would take the name as a branch or tag (git-check-ref-format), told without running it. */
export function isRefName(name: string): boolean {
  if (name === '' || name === '@' || name.startsWith('-') || name.startsWith('/') || name.endsWith('/') || name.endsWith('.')) return false
  // oxlint-disable-next-line no-control-regex -- control characters are what git refuses
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
}
