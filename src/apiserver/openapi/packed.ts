import { clientNodeDescriptions } from './descriptions.ts'
import type { PackedDescriptions } from './descriptions.ts'
import { documentV2 } from './document.ts'

/** The descriptions of every type that is served, for a package that goes without the dependency they come from. */
export function servedDescriptions(): PackedDescriptions {
  const describe = clientNodeDescriptions()
  const found: PackedDescriptions = {}
  documentV2([], {
    gitVersion: '',
    describe: (definition) => {
      const described = describe?.(definition)
      if (described) found[definition] = { ...described, fields: Object.fromEntries(described.fields) }
      return described
    },
  })
  return found
}
