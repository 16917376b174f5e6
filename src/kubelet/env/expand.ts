/**
 * Replaces `$(NAME)` by what `lookup` knows; an unknown reference stays as it is written, `$$` is a `$` that starts no reference. Used for
 * env values, command, args and subPathExpr.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) => (name === undefined ? '$' : (lookup(name) ?? whole)))
}

/** Names referenced as `$(NAME)` that `lookup` does not know. */
export function unknownReferences(text: string, lookup: (name: string) => string | undefined): string[] {
  const unknown: string[] = []
  expand(text, (name) => {
    if (lookup(name) === undefined) unknown.push(name)
    return ''
  })
  return unknown
}
