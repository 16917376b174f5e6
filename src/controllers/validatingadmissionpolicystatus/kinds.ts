import { type DeepReadonly, type Kind, type admissionregistration, kindOfResource } from '#api'

/** No more kinds of one rule are looked at. */
const mostOfRule = 10

const isStar = (text: string) => text.includes('*')

/** The kinds that a policy's rules name without stars, in order: with these its expressions are checked. */
export function kindsToCheck({ spec }: DeepReadonly<admissionregistration.ValidatingAdmissionPolicy>): Kind[] {
  const found = new Set<Kind>()
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec.matchConstraints?.resourceRules ?? []) {
    if (apiGroups.some(isStar) || apiVersions.some(isStar)) continue
    let count = 0
    for (const group of apiGroups.toSorted())
      for (const version of apiVersions.toSorted())
        for (const resource of resources.toSorted()) {
          const kind = /[*/]/.test(resource) ? undefined : kindOfResource(group, version, resource)
          if (!kind) continue
          found.add(kind)
          if (++count === mostOfRule) return inOrder(found)
        }
  }
  return inOrder(found)
}

const order = ({ group, version, kind }: Kind) => `${group}\0${version}\0${kind}`

const inOrder = (found: ReadonlySet<Kind>) => [...found].sort((a, b) => (order(a) < order(b) ? -1 : 1))
