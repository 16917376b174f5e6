/** What a document may grow to by its aliases, in characters of its JSON: as much as a body may have. */
const maxExpanded = 3 * 1024 * 1024
/** Upstream's rule (go-yaml): beyond these counts, at most so much of the decoded nodes may come of aliases. */
const someAliases = 100
const someNodes = 1000
const small = 400_000
const large = 4_000_000

interface Size {
  nodes: number
  characters: number
}

/**
 * What is wrong with the aliases in a value that was read from YAML, where nodes that share an anchor are the same object: it contains
 * itself, or so much of it is repetition that its expansion would be too large (a "billion laughs" document).
 */
export function checkAliases(value: unknown): string | undefined {
  const sizes = new Map<object, Size>()
  const open = new Set<object>()
  let own = 0
  let cyclic = false

  function sizeOf(node: unknown): Size {
    if (typeof node === 'string') return { nodes: 1, characters: node.length + 2 }
    if (typeof node !== 'object' || node === null) return { nodes: 1, characters: 4 }
    if (open.has(node)) {
      cyclic = true
      return { nodes: 0, characters: 0 }
    }
    const known = sizes.get(node)
    if (known) return known
    open.add(node)
    const size: Size = { nodes: 1, characters: 2 }
    const add = (child: unknown) => {
      const { nodes, characters } = sizeOf(child)
      size.nodes += nodes
      size.characters += characters + 1
      if (typeof child !== 'object' || child === null) own++
    }
    if (Array.isArray(node)) for (const child of node) add(child)
    else
      for (const key in node) {
        size.characters += key.length + 3
        size.nodes++
        own++
        add((node as Record<string, unknown>)[key])
      }
    own++
    open.delete(node)
    sizes.set(node, size)
    return size
  }

  const { nodes, characters } = sizeOf(value)
  if (cyclic) return "an anchor's value contains itself"
  const repeated = nodes - own
  if (repeated > someAliases && nodes > someNodes && repeated / nodes > allowedRatio(nodes)) return 'document contains excessive aliasing'
  return characters > maxExpanded ? 'document contains excessive aliasing' : undefined
}

function allowedRatio(nodes: number): number {
  if (nodes <= small) return 0.99
  return nodes >= large ? 0.1 : 0.99 - 0.89 * ((nodes - small) / (large - small))
}
