import { createServer, type Server } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Logger, describeError } from '#base'
import { matchRoute, type Route, RouteError } from './routes.ts'

export interface ServiceServerOptions {
  addresses: readonly string[]
  /** 0 takes a free one, of one address alone. */
  port: number
  tls: { cert: string; key: string; clientCa: string }
  routes: readonly Route[]
  log: Logger
}

export interface ServiceServer extends AsyncDisposable {
  readonly port: number
}

/** The service's HTTPS server. Whoever shows a certificate of the cluster's authority is known by it; the routes decide what that is good for. */
export async function startServiceServer({ addresses, port, tls, routes, log }: ServiceServerOptions): Promise<ServiceServer> {
  const servers: Server[] = []
  let chosen = port
  for (const address of addresses) {
    const server = createServer({
      cert: tls.cert,
      key: tls.key,
      ca: tls.clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      keepAliveTimeout: 60_000,
      requestTimeout: 0,
    })
    server.on('request', (request, response) => {
      void (async () => {
        const url = new URL(request.url ?? '/', 'https://service')
        try {
          const match = matchRoute(routes, request.method ?? 'GET', url.pathname)
          if (!match) throw new RouteError(404, `there is nothing at ${url.pathname}`)
          if (match === 'method') throw new RouteError(405, `${request.method} is not answered at ${url.pathname}`)
          await match.route.handle({ request, response, url, parameters: match.parameters })
        } catch (error) {
          const known = error instanceof RouteError
          if (!known && !request.destroyed) log.error('a request failed', { path: url.pathname, error: describeError(error) })
          if (response.headersSent) return void response.destroy()
          const body = Buffer.from(`${JSON.stringify({ message: known ? error.message : 'the CI service failed: see its log' })}\n`)
          // what is left of a refused body is not read
          response.writeHead(known ? error.code : 500, {
            'content-type': 'application/json',
            'content-length': body.length,
            ...(request.complete ? {} : { connection: 'close' }),
          })
          response.end(body)
        }
      })()
    })
    server.on('tlsClientError', () => {})
    server.listen(chosen, address)
    try {
      await once(server, 'listening')
    } catch (error) {
      // an address that is taken must not leave the others open
      await Promise.all(servers.map(close))
      throw error
    }
    if (chosen === 0) chosen = (server.address() as AddressInfo).port
    servers.push(server)
  }
  return { port: chosen, [Symbol.asyncDispose]: async () => void (await Promise.all(servers.map(close))) }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
