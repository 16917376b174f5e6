const relaxedEnvName = /^[ -<>-~]+$/
const none: readonly string[] = []

/** Names of environment variables as they are accepted since 1.34: any printable ASCII but `=`. */
export function relaxedEnvVarName(name: string): readonly string[] {
  return relaxedEnvName.test(name) ? none : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}
