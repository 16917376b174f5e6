import { createHash } from 'node:crypto'

const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * A short name for a pod template: equal templates have equal names, whatever the order of their fields. `collisions` tells apart two templates that
 * happen to share one.
 */
export function templateHash(template: unknown, collisions = 0): string {
  const digest = createHash('sha256').update(canonical(template)).update(String(collisions)).digest()
  let hash = ''
  for (let i = 0; i < 10; i++) hash += alphabet[digest[i]! % alphabet.length]
  return hash
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, v]) => v !== undefined)
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`)
    .join()}}`
}
