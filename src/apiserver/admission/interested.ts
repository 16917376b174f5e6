import type { AdmissionPlugin } from './admission.ts'

/** Plugins in their order, by what they do. */
export interface Interested {
  mutate: readonly AdmissionPlugin[]
  validate: readonly AdmissionPlugin[]
}

/** The plugins that may look at writes of a resource. */
export type InterestedIn = (about: { group: string; resource: string } | undefined) => Interested

/**
 * Most plugins look at one resource or two: who is asked about the others is found once for each. `plugins` may grow until it is asked for the first time.
 */
export function interestedIn(plugins: readonly AdmissionPlugin[]): InterestedIn {
  // by the resource's name, then by its group: there is no text to be made for a write
  const known = new Map<string, { group: string; interested: Interested }[]>()
  return ({ group, resource } = noResource) => {
    let groups = known.get(resource)
    if (!groups) known.set(resource, (groups = []))
    for (const each of groups) if (each.group === group) return each.interested
    const asked = plugins.filter(({ resources }) => !resources || resources.includes(`${group}/${resource}`))
    const interested = { mutate: asked.filter((plugin) => plugin.mutate), validate: asked.filter((plugin) => plugin.validate) }
    groups.push({ group, interested })
    return interested
  }
}

const noResource = { group: '', resource: '' }
