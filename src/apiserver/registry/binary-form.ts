import type { TypeMeta } from '#api'
import type { WatchFrame } from '#client'
import type { CacheEntry } from './cache-entry.ts'
import type { View } from './watcher.ts'

/** A form of objects other than JSON, with what is kept of it for each object. */
export interface BinaryForm {
  mediaType: string
  /** The media type of a watch's events. */
  watchType: string
  /** One stored object as a body. */
  object(entry: CacheEntry, view: View): Buffer
  list(entries: readonly CacheEntry[], view: View, list: TypeMeta & { metadata: object }): Buffer
  /** An event of a watch around a body. */
  frame(type: WatchFrame['type'], object: Uint8Array): Buffer
  /** What has no form that is kept: statuses, metadata alone, bookmarks. Throws TypeError for what has none at all. */
  value(value: object): Buffer
}
