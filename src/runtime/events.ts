import type { DeepReadonly, KubeObject } from '#api'

export interface EventOptions {
  fieldPath?: string
  /** Who says so, where it is not the recorder's own component. */
  component?: string
}

/** Writes core/v1 Events, merging repeats by count as client-go's recorder does. Never throws and never blocks. */
export interface EventRecorder {
  event(about: DeepReadonly<KubeObject>, type: 'Normal' | 'Warning', reason: string, message: string, options?: EventOptions): void
}
