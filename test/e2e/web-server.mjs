// The server in localhost/web: answers "VERSION POD", and /work keeps the processor busy.
import { createServer } from 'node:http'
import { hostname } from 'node:os'

const version = process.env.VERSION
const pod = hostname()
const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`)
  response.end(`${version} ${pod}\n`)
})
server.listen(Number(process.env.PORT ?? 80), () => console.log(`version ${version} listens`))
process.on('SIGTERM', () => {
  console.log('ends')
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
