// The sidecar: holds the database's address and password (a mounted file of a Secret), so that the app needs neither. It
// listens on the pod's own 127.0.0.1 and signs in for every connection.
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const file = process.env['CREDENTIALS_FILE'] ?? '/secrets/credentials.json'

interface Credentials {
  host: string
  port: number
  password: string
}

const server = createServer((client) => {
  // read for each connection: a changed Secret counts without a restart
  const { host, port, password } = JSON.parse(readFileSync(file, 'utf8')) as Credentials
  const database = connect(port, host, () => database.write(`${JSON.stringify({ password })}\n`))
  // the answer to the password is the proxy's, everything after it the app's
  let signedIn = false
  database.on('data', (chunk: Buffer) => {
    if (signedIn) return void client.write(chunk)
    signedIn = true
    const rest = chunk.subarray(chunk.indexOf(10) + 1)
    if (chunk.includes('"error"')) return void client.destroy()
    client.pipe(database)
    if (rest.length > 0) client.write(rest)
  })
  const end = () => {
    client.destroy()
    database.destroy()
  }
  for (const socket of [client, database]) socket.on('error', end).on('close', end)
})
server.listen(5432, '127.0.0.1', () => console.log('database proxy on 127.0.0.1:5432'))
process.on('SIGTERM', () => process.exit(0))
