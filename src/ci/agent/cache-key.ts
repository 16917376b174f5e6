export interface CacheKeyContext {
  /** `Branch`, `Revision`, `BuildNum` and the like. */
  values: Record<string, string>
  environment: Record<string, string>
  checksum(file: string): Promise<string>
  now?: () => number
}

/** Expands a cache key's template, with the functions of CircleCI's. A value that is not there is `<no value>`, as there. */
export async function expandCacheKey(template: string, { values, environment, checksum, now = Date.now }: CacheKeyContext): Promise<string> {
  let key = ''
  let from = 0
  for (const match of template.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/g)) {
    key += template.slice(from, match.index)
    from = match.index + match[0].length
    const expression = match[1]!
    const file = /^checksum\s+"(.+)"$/.exec(expression)?.[1]
    const variable = /^\.Environment\.(\w+)$/.exec(expression)?.[1]
    const value = /^\.(\w+)$/.exec(expression)?.[1]
    if (file) key += await checksum(file)
    else if (variable) key += environment[variable] ?? '<no value>'
    else if (value) key += values[value] ?? '<no value>'
    else if (expression === 'epoch') key += String(Math.floor(now() / 1000))
    else if (expression === 'arch') key += `linux-${process.arch === 'x64' ? 'amd64' : process.arch}-unknown`
    else throw new Error(`cache key ${JSON.stringify(template)}: {{ ${expression} }} is not known`)
  }
  return key + template.slice(from)
}
