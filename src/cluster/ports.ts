import { createServer } from 'node:net'
import { listClusters } from './config.ts'

/**
 * A port of this machine for a cluster: the one that is asked for, or the first free one of a hundred from `first` on. Clusters that are stopped keep theirs.
 * `flag` is how the user chooses one.
 */
export async function choosePort({ first, asked, flag }: { first: number; asked: number | undefined; flag: string }): Promise<number> {
  const taken = new Map(
    (await listClusters()).flatMap((c) =>
      [c.apiPort, ...(c.registry ? [c.registry.port] : []), ...(c.ci ? [c.ci.port] : [])].map((port) => [port, c.name]),
    ),
  )
  if (asked === undefined) {
    for (let port = first; port < first + 100; port++) if (!taken.has(port) && (await isFree(port))) return port
    throw new Error(`no free port between ${first} and ${first + 99}: give one with ${flag}`)
  }
  if (taken.has(asked) || !(await isFree(asked))) {
    const other = taken.get(asked)
    throw new Error(
      `port ${asked} ${other === undefined ? 'is in use' : `belongs to cluster ${other}`}: choose another with ${flag}, or leave it out and a free one is taken`,
    )
  }
  return asked
}

/** Whether nobody listens on the port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
