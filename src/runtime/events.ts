import type { DeepReadonly, KubeObject } from '#api'

/** Writes core/v1 Events, merging repeats by count as client-go's recorder does. Never throws and never blocks. */
export interface EventRecorder {
  event(about: DeepReadonly<KubeObject>, type: 'Normal' | 'Warning', reason: string, message: string, options?: { fieldPath?: string }): void
}
