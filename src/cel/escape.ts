/** Words that CEL keeps for itself: names of fields that are such cannot be variables. */
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

const escapes: Record<string, string> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }
const unescapes = new Map(Object.entries(escapes).map(([text, escape]) => [escape.slice(2, -2), text]))

/**
 * A property's name as expressions write it (`__namespace__`, `x__dash__y`; k8s.io/apiserver/pkg/cel escaping.go); undefined for a property that they
 * cannot name.
 */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined
  return reserved.has(name) ? `__${name}__` : name.replace(/__|[./-]/g, (text) => escapes[text]!)
}

/** The property that an escaped name stands for; undefined for a wrong escape. */
export function unescapeName(escaped: string): string | undefined {
  let wrong = false
  const name = escaped.replace(/__[^_]+__/g, (escape) => {
    const word = escape.slice(2, -2)
    const text = unescapes.get(word)
    if (text !== undefined) return text
    // a reserved word is escaped as a whole
    if (!reserved.has(word) || escape.length !== escaped.length) wrong = true
    return word
  })
  return wrong ? undefined : name
}

export const isReserved = (name: string): boolean => reserved.has(name)
