import { readFileSync } from 'node:fs'
import { run } from '#base'

/** Mount points at or below `dir`, the deepest and newest first: the order in which they can be unmounted. */
export function mountsBelow(dir: string): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map((point) => point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
  return points.filter((point) => point === dir || point.startsWith(`${dir}/`)).toReversed()
}

export async function unmountBelow(dir: string): Promise<void> {
  // lazily, because a container that was killed a moment ago may still hold one
  for (let points = mountsBelow(dir), round = 0; points.length > 0 && round < 5; points = mountsBelow(dir), round++)
    for (const point of points) await run('umount', ['--lazy', point]).catch(() => {})
  const left = mountsBelow(dir)
  if (left.length > 0) throw new Error(`cannot unmount ${left.join(', ')}`)
}
