import type { DeepReadonly, KubeObject } from '#api'
import type { WriteContext } from '../registry/strategy.ts'

export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  context: WriteContext
  kind: { group: string; version: string; kind: string }
  /** The new object, which `mutate` may change; undefined for DELETE. */
  object?: KubeObject
  old?: DeepReadonly<KubeObject>
  /** The object's name is made of its generateName: upstream's plugins that change it do not know it yet. */
  nameIsGenerated?: boolean
  /**
   * A plugin whose change others may have to answer sets it to `wanted`: then all plugins' `mutate` run once more, while it is `running` (upstream's
   * reinvocation).
   */
  reinvocation?: 'wanted' | 'running'
}

/**
 * Looks at a write between authorization and the store (upstream's admission plugins). Rejects by throwing a StatusError (usually Forbidden).
 * All plugins' `mutate` run in order, then defaults and validation, then all plugins' `validate`.
 */
export interface AdmissionPlugin {
  name: string
  /** The resources whose writes, and those of their subresources, it may look at, as `group/resource`; all when absent. Plugins are not asked about others. */
  resources?: readonly string[]
  /** Whether the plugin looks at this request at all; asked first, so that most writes cost nothing. */
  handles(request: AdmissionRequest): boolean
  mutate?(request: AdmissionRequest): Promise<void> | void
  validate?(request: AdmissionRequest): Promise<void> | void
}
