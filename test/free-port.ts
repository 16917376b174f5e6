import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port of 127.0.0.1 that nobody has, below those that systems give to whoever asks for any: nobody gets it before it is used, or while its
 * user is away for a moment.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(10_000, 20_000), '127.0.0.1')
    try {
      await once(server, 'listening')
      return (server.address() as { port: number }).port
    } catch {
      // taken
    } finally {
      server.close()
    }
  }
}
