import type * as cri from './types.ts'

export interface HandlerFeatures {
  recursiveReadOnlyMounts: boolean
  userNamespaces: boolean
}

/** What a runtime says of itself beyond the calls that every one has; older runtimes (containerd before 2.0) say nothing. */
export interface RuntimeFeatures {
  /** By the handler's name; the default one's is empty. */
  handlers: ReadonlyMap<string, HandlerFeatures>
  /** Absent where the runtime does not say. */
  supplementalGroupsPolicy?: boolean
}

export const noRuntimeFeatures: RuntimeFeatures = { handlers: new Map() }

export function runtimeFeatures(answer: {
  runtimeHandlers?: readonly cri.RuntimeHandler[]
  features?: cri.RuntimeFeatures | cri.Absent
}): RuntimeFeatures {
  const handlers = (answer.runtimeHandlers ?? []).map(({ name, features }): [string, HandlerFeatures] => [
    name,
    { recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts ?? false, userNamespaces: features?.userNamespaces ?? false },
  ])
  return { handlers: new Map(handlers), ...(answer.features ? { supplementalGroupsPolicy: answer.features.supplementalGroupsPolicy } : {}) }
}
