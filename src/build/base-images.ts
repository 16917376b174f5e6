import { inspectImage, storedImages } from './buildah.ts'
import type { ImageUse } from './dockerfile.ts'
import type { Report } from './events.ts'

/** A source of images for FROM. */
export interface BaseImages {
  /** For people: what can be had from it, e.g. `debian:bookworm, debian:stable-slim`; in the error for an image that cannot be had. */
  offers: string
  /** Puts the image (full name) into the store; false when it is none of this source's. */
  provide(reference: string, report: Report): Promise<boolean>
}

/** Sees to it that every image is in the store, and answers their labels; an error names the first that cannot be had, and what can. */
export async function resolveBases(
  used: readonly ImageUse[],
  file: string,
  sources: readonly BaseImages[],
  report: Report,
): Promise<Record<string, string>[]> {
  const labels: Record<string, string>[] = []
  for (const { image, line } of used) labels.push(await resolveBase(image, `${file}:${line}: `, sources, report))
  return labels
}

async function resolveBase(image: string, place: string, sources: readonly BaseImages[], report: Report): Promise<Record<string, string>> {
  const known = await inspectImage(image)
  if (known) return known.labels
  for (const source of sources)
    if (await source.provide(image, report)) {
      const made = await inspectImage(image)
      if (made) return made.labels
    }
  const stored = (await storedImages()).filter((name) => !name.startsWith('localhost/k8ts-'))
  const shown = stored.slice(0, 12).map((name) => name.replace(/^docker\.io\/(library\/)?/, ''))
  throw new Error(
    [
      `${place}there is no image ${image.replace(/^docker\.io\/(library\/)?/, '')} here`,
      ...sources.filter((source) => source.offers).map((source) => `  can be had: ${source.offers}`),
      ...(shown.length > 0 ? [`  is here: ${shown.join(', ')}${stored.length > shown.length ? ', …' : ''}`] : []),
    ].join('\n'),
  )
}
