/** A name, or a regular expression between slashes that must match the whole name, as in branch filters of the configuration. A broken one matches nothing. */
export function namesBranch(pattern: string, branch: string): boolean {
  const [, expression] = /^\/(.*)\/$/s.exec(pattern) ?? []
  if (expression === undefined) return pattern === branch
  try {
    return new RegExp(`^(?:${expression})$`).test(branch)
  } catch {
    return false
  }
}
