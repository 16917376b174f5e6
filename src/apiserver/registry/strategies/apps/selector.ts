import type { DeepReadonly } from '#api'
import { type Causes, immutable } from '../../validation/causes.ts'

type WithSelector = DeepReadonly<{ spec: { selector?: unknown } }>

export function selectorStays(object: WithSelector, old: WithSelector): Causes {
  const causes: Causes = []
  if (object.spec.selector !== old.spec.selector) immutable(causes, 'spec.selector', object.spec.selector, old.spec.selector)
  return causes
}
