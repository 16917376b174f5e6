import { createHash } from 'node:crypto'

const longest = 63

/** A name of an object from a parent's and what it is called in the configuration: `blog-x7k2p` and `build & test` → `blog-x7k2p-build-test`. */
export function childName(parent: string, called: string): string {
  const slug = called
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  const plain = slug === called
  const name = `${parent}-${slug || 'x'}`
  if (plain && name.length <= longest) return name
  // what lost something on the way is told apart by a hash of the whole
  const hash = createHash('sha256').update(`${parent}\0${called}`).digest('hex').slice(0, 6)
  return `${name.slice(0, longest - 7).replace(/-+$/, '')}-${hash}`
}
