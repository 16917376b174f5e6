import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs `run` while no other process of this machine runs anything under the same name; waits for its turn. The lock is a socket in the kernel's
 * abstract namespace: it goes with the process that holds it, however that ends, and leaves no file.
 */
export async function exclusively<T>(name: string, run: () => Promise<T>): Promise<T> {
  await using _lock = await acquire(name)
  return await run()
}

async function acquire(name: string): Promise<AsyncDisposable> {
  for (;;) {
    const server = createServer()
    try {
      server.listen(`\0k8ts/${name}`)
      await once(server, 'listening')
      return server
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      await sleep(10)
    }
  }
}
