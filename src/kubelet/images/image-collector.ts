import { statfs } from 'node:fs/promises'
import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { ContainerRuntime, cri } from '../cri/index.ts'

export interface ImageCollectorOptions {
  runtime: Pick<ContainerRuntime, 'listImages' | 'listContainers' | 'removeImage' | 'imageFsInfo' | 'status'>
  clock: Clock
  log: Logger
  /** Share of the disk in percent from which unused images are removed; 100 is never. 85 when absent. */
  highPercent?: number
  /** Share of the disk in percent down to which they are removed; 80 when absent. */
  lowPercent?: number
  /** Images that were used or seen first within this time stay, milliseconds; 2 min when absent. */
  minAge?: number
  /** Milliseconds between looks; 5 min when absent. */
  every?: number
  diskSpace?: (dir: string) => Promise<{ available: number; capacity: number }>
}

export interface ImageCollector {
  /** Removes images if the disk is fuller than the high mark. */
  collect(): Promise<void>
  /** Removes every image that nothing uses; resolves with whether there was one. */
  removeUnused(): Promise<boolean>
  run(signal: AbortSignal): Promise<void>
}

export interface ImageUse {
  image: Pick<cri.Image, 'id' | 'size' | 'pinned'>
  inUse: boolean
  firstSeen: number
  lastUsed: number
}

/** The images to remove so that `bytes` are freed: unused ones, the longest unused first. Pure. */
export function planCollection(uses: readonly ImageUse[], bytes: number, now: number, minAge: number): string[] {
  let freed = 0
  const chosen: string[] = []
  for (const { image } of uses
    .filter((u) => !u.inUse && !u.image.pinned && now - u.firstSeen >= minAge && now - u.lastUsed >= minAge)
    .toSorted((a, b) => a.lastUsed - b.lastUsed || a.firstSeen - b.firstSeen)) {
    if (freed >= bytes) break
    chosen.push(image.id)
    freed += image.size
  }
  return chosen
}

export function createImageCollector(options: ImageCollectorOptions): ImageCollector {
  const { runtime, clock, log, highPercent = 85, lowPercent = 80, minAge = 120_000, every = 300_000, diskSpace = spaceOf } = options
  const seen = new Map<string, { firstSeen: number; lastUsed: number }>()

  let sandboxImage: string | undefined

  /** The image of every sandbox appears in no list of containers; containerd tells its name among its settings. */
  async function findSandboxImage(): Promise<string> {
    const { info } = await runtime.status({ verbose: true })
    return info.config ? ((JSON.parse(info.config) as { sandboxImage?: string }).sandboxImage ?? '') : ''
  }

  async function uses(): Promise<ImageUse[]> {
    const [{ images }, { containers }] = await Promise.all([runtime.listImages(), runtime.listContainers()])
    const now = clock.now()
    sandboxImage ??= await findSandboxImage()
    const used = new Set([sandboxImage, ...containers.flatMap((c) => [c.imageRef, c.image?.image ?? ''])])
    for (const id of seen.keys()) if (!images.some((i) => i.id === id)) seen.delete(id)
    return images.map((image) => {
      const inUse = [image.id, ...image.repoTags, ...image.repoDigests].some((name) => used.has(name))
      const known = seen.get(image.id) ?? { firstSeen: now, lastUsed: 0 }
      if (inUse) known.lastUsed = now
      seen.set(image.id, known)
      return { image, inUse, ...known }
    })
  }

  async function remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      log.info('removing an unused image', { image: id })
      await runtime.removeImage({ image: { image: id } })
    }
  }

  async function collect(): Promise<void> {
    const all = await uses()
    if (highPercent >= 100) return
    const dir = (await runtime.imageFsInfo()).imageFilesystems[0]?.fsId?.mountpoint
    if (!dir) return
    const { available, capacity } = await diskSpace(dir)
    const usedPercent = 100 - (available * 100) / capacity
    if (usedPercent < highPercent) return
    const bytes = (capacity * (100 - lowPercent)) / 100 - available
    await remove(planCollection(all, bytes, clock.now(), minAge))
  }

  return {
    collect,
    async removeUnused() {
      const ids = planCollection(await uses(), Number.POSITIVE_INFINITY, clock.now(), 0)
      await remove(ids)
      return ids.length > 0
    },
    async run(signal) {
      while (!signal.aborted) {
        await collect().catch((error: unknown) => log.warn('cannot collect images', { error: describeError(error) }))
        await clock.sleep(every, signal).catch(() => {})
      }
    },
  }
}

async function spaceOf(dir: string): Promise<{ available: number; capacity: number }> {
  const fs = await statfs(dir)
  return { available: fs.bavail * fs.bsize, capacity: fs.blocks * fs.bsize }
}
