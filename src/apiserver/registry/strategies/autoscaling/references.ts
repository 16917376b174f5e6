import type { DeepReadonly, autoscaling } from '#api'
import { pathSegmentName } from '#api'
import { type Causes, invalid, invalidEach, required } from '../../validation/causes.ts'

export type Reference = DeepReadonly<autoscaling.CrossVersionObjectReference>

/** What a reference may leave out: the group of its apiVersion, or a valid apiVersion altogether. */
export type Leniency = 'group required' | 'group optional' | 'any'

/** What is wrong with the apiVersion of a reference; undefined when nothing is. */
export function apiVersionProblem({ apiVersion = '' }: Reference, leniency: Leniency): string | undefined {
  if (leniency === 'any') return undefined
  const slashes = apiVersion === '/' ? 0 : apiVersion.split('/').length - 1
  if (slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`
  const group = slashes === 1 ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return leniency === 'group required' && group === '' ? 'apiVersion must specify API group' : undefined
}

export function validateReference(causes: Causes, path: string, ref: Reference | undefined, leniency: Leniency): void {
  for (const field of ['kind', 'name'] as const) {
    const value = ref?.[field]
    if (!value) causes.push(required(`${path}.${field}`))
    else invalidEach(causes, `${path}.${field}`, value, pathSegmentName(value))
  }
  const problem = apiVersionProblem(ref ?? ({} as Reference), leniency)
  if (problem) causes.push(invalid(`${path}.apiVersion`, ref?.apiVersion ?? '', problem))
}
