import type { Duplex } from 'node:stream'

/**
 * Joins two connections, both ways, until one of them is gone: an end is passed on as an end, an error ends both. `heads` are bytes that were read
 * from each side already. Resolves when both are closed; never rejects.
 */
export function tunnel(a: Duplex, b: Duplex, heads: { fromA?: Uint8Array; fromB?: Uint8Array } = {}): Promise<void> {
  if (heads.fromA && heads.fromA.length > 0) b.write(heads.fromA)
  if (heads.fromB && heads.fromB.length > 0) a.write(heads.fromB)
  a.pipe(b)
  b.pipe(a)
  const closed = (side: Duplex, other: Duplex) =>
    new Promise<void>((resolve) => {
      const done = () => {
        // `pipe` passes on an end, not a loss
        if (!other.destroyed && !side.readableEnded) other.destroy()
        resolve()
      }
      if (side.destroyed) return done()
      side.on('error', () => side.destroy())
      side.once('close', done)
    })
  return Promise.all([closed(a, b), closed(b, a)]).then(() => {})
}
