import type { Duplex } from 'node:stream'

/**
 * Joins two connections, both ways, until one of them is closed: then the other gets what is still on its way to it and is closed too. An end is passed
 * on as an end, so that the other direction of a connection that allows it goes on. `heads` are bytes that were read from each side already. Resolves when both
 * are closed; never rejects.
 */
export function tunnel(a: Duplex, b: Duplex, heads: { fromA?: Uint8Array; fromB?: Uint8Array } = {}): Promise<void> {
  if (heads.fromA && heads.fromA.length > 0) b.write(heads.fromA)
  if (heads.fromB && heads.fromB.length > 0) a.write(heads.fromB)
  a.pipe(b)
  b.pipe(a)
  const closed = (side: Duplex, other: Duplex) =>
    new Promise<void>((resolve) => {
      const done = () => {
        // nothing more can be delivered to this side; a peer that does not answer an end with an end would keep the other open for ever
        if (!side.readableEnded) other.destroy()
        else other.end(() => other.destroy())
        resolve()
      }
      if (side.destroyed) return done()
      side.on('error', () => side.destroy())
      side.once('close', done)
    })
  return Promise.all([closed(a, b), closed(b, a)]).then(() => {})
}
