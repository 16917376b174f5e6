import { createServer } from 'node:http'
import { hostname } from 'node:os'
import { query } from './database.ts'

const pod = process.env['POD_NAME'] ?? hostname()
const release = process.env['RELEASE'] ?? '1'
if (!process.env['SECRET_KEY_BASE']) throw new Error('SECRET_KEY_BASE is not set')

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app')
  try {
    if (pathname === '/healthz') return void response.end('ok\n')
    if (pathname === '/readyz') {
      await query('SELECT 1')
      return void response.end('ok\n')
    }
    if (pathname === '/work') {
      // something to do for the processor, so that the autoscaler has something to see
      const end = performance.now() + Math.min(Number(searchParams.get('ms') ?? 20), 1000)
      while (performance.now() < end);
      return void response.end('done\n')
    }
    if (pathname !== '/') return void response.writeHead(404).end('not found\n')
    await query('INSERT INTO visits VALUES (?, 1) ON CONFLICT (pod) DO UPDATE SET count = count + 1', pod)
    const [articles, visits] = await Promise.all([
      query('SELECT title, description FROM articles'),
      query('SELECT count(*) AS pods, sum(count) AS total FROM visits'),
    ])
    response.setHeader('content-type', 'application/json')
    response.end(`${JSON.stringify({ pod, release, database: process.env['DATABASE_NAME'], articles, visits: visits[0] })}\n`)
  } catch (error) {
    response.writeHead(500).end(`${(error as Error).message}\n`)
  }
})
server.listen(3000, () => console.log(`listening on :3000 as ${pod}`))

// connections that are open when the pod ends are served to their end
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
