import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { Logger } from '#base'
import { describeError } from '#base'
import type { HealthCheck } from './plan.ts'

/** Tells load balancers which nodes have endpoints of a service with external policy Local. */
export interface HealthCheckServers extends AsyncDisposable {
  /** The complete list; what is no longer in it is no longer answered. */
  apply(checks: readonly HealthCheck[]): void
}

interface Running {
  server: Server
  check: HealthCheck
}

/**
 * Answers on each service's `healthCheckNodePort`: 200 where the node has ready endpoints of the service, 503 where it has none. A port that is taken is tried
 * again with the next change.
 */
export function healthCheckServers({ address, log }: { address: string; log: Logger }): HealthCheckServers {
  const running = new Map<number, Running>()

  function start(check: HealthCheck): void {
    const server = createServer((_, response) => {
      const now = running.get(check.port)?.check ?? check
      const { localEndpoints: n } = now
      response.writeHead(n > 0 ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': String(n),
      })
      const service = { namespace: now.namespace, name: now.name }
      response.end(JSON.stringify({ service, localEndpoints: n, serviceProxyHealthy: true }, undefined, '\t'))
    })
    server.on('error', (error) => {
      log.warn('cannot answer health checks of a service', {
        service: `${check.namespace}/${check.name}`,
        port: check.port,
        error: describeError(error),
      })
      if (running.get(check.port)?.server === server) running.delete(check.port)
    })
    running.set(check.port, { server, check })
    server.listen(check.port, address)
  }

  function stop(port: number): Promise<void> {
    const server = running.get(port)?.server
    running.delete(port)
    if (!server?.listening) return Promise.resolve()
    return new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  return {
    apply(checks) {
      const wanted = new Map(checks.map((check) => [check.port, check]))
      for (const port of running.keys()) if (!wanted.has(port)) void stop(port)
      for (const check of wanted.values()) {
        const known = running.get(check.port)
        if (known) known.check = check
        else start(check)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.keys()].map(stop))
    },
  }
}
