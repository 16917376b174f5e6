import type { TypeMeta } from '#api'
import type { WatchFrame } from '#client'
import type { CacheEntry } from './cache-entry.ts'
import type { View } from './watcher.ts'

export type ListHead = TypeMeta & { metadata: object }

/** A form of objects other than JSON, with what is kept of it for each object. */
export interface BinaryForm {
  mediaType: string
  /** The media type of a watch's events. */
  watchType: string
  /** One stored object as a body. */
  object(entry: CacheEntry, view: View): Buffer
  /** The items of a list to the end of its body: the same for every list of the same objects. */
  items(entries: readonly CacheEntry[], view: View): Buffer
  /** The body of a list of `count` objects before those items. */
  listHead(list: ListHead, items: Buffer, count: number): Buffer
  /** An event of a watch around a body. */
  frame(type: WatchFrame['type'], object: Uint8Array): Buffer
  /** What has no form that is kept: statuses, metadata alone, bookmarks. Throws TypeError for what has none at all. */
  value(value: object): Buffer
}
