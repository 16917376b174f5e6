import type { ElementSet, Ruleset } from './ruleset.ts'

/**
 * The commands that turn a table from `have` into `want`, as one transaction for `nft -f`; empty when they are equal. Chains are made before the
 * elements and rules that jump to them, and deleted after.
 */
export function transaction(table: string, have: Ruleset, want: Ruleset): string {
  const lines: string[] = []
  const at = `ip ${table}`
  for (const [set, definition] of want.sets)
    if (have.sets.get(set) !== definition)
      lines.push(...(have.sets.has(set) ? [`delete set ${at} ${set}`] : []), `add set ${at} ${set} { ${definition} }`)
  const changed = [...want.chains].filter(([chain, rules]) => !sameRules(have.chains.get(chain), rules))
  for (const [chain] of changed) lines.push(`add chain ${at} ${chain}`)
  for (const [chain] of changed) if (have.chains.has(chain)) lines.push(`flush chain ${at} ${chain}`)
  for (const [chain, rules] of changed) for (const rule of rules) lines.push(`add rule ${at} ${chain} ${rule}`)
  for (const set of Object.keys(want.elements) as ElementSet[]) {
    const gone = [...have.elements[set]].filter(([key, value]) => !want.elements[set].has(key) || want.elements[set].get(key) !== value)
    const added = [...want.elements[set]].filter(([key, value]) => !have.elements[set].has(key) || have.elements[set].get(key) !== value)
    if (gone.length > 0) lines.push(`delete element ${at} ${set} { ${gone.map(([key]) => key).join(', ')} }`)
    if (added.length > 0)
      lines.push(`add element ${at} ${set} { ${added.map(([key, value]) => (value === undefined ? key : `${key} : ${value}`)).join(', ')} }`)
  }
  const removed = [...have.chains.keys()].filter((chain) => !want.chains.has(chain))
  for (const chain of removed) lines.push(`flush chain ${at} ${chain}`)
  for (const chain of removed) lines.push(`delete chain ${at} ${chain}`)
  for (const set of have.sets.keys()) if (!want.sets.has(set)) lines.push(`delete set ${at} ${set}`)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

const sameRules = (a: readonly string[] | undefined, b: readonly string[]) =>
  a !== undefined && a.length === b.length && a.every((rule, i) => rule === b[i])
