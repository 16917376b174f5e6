// A small database for the sample app: SQL over TCP, one JSON object a line. The first line of a connection is the password.
//   DATABASE_PASSWORD=… node database.ts ADDRESS PORT FILE
import { timingSafeEqual, createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'

const [address = '127.0.0.1', port = '5432', file = ':memory:'] = process.argv.slice(2)
const password = process.env['DATABASE_PASSWORD']
if (!password) throw new Error('DATABASE_PASSWORD is not set')

const database = new DatabaseSync(file)
const digest = (text: string) => createHash('sha256').update(text).digest()

interface Query {
  sql: string
  parameters?: (string | number | null)[]
}

const server = createServer((socket) => {
  let admitted = false
  socket.on('error', () => socket.destroy())
  createInterface({ input: socket }).on('line', (line) => {
    const answer = (value: object) => socket.write(`${JSON.stringify(value)}\n`)
    try {
      if (!admitted) {
        const given = (JSON.parse(line) as { password?: string }).password ?? ''
        if (!timingSafeEqual(digest(given), digest(password))) return void socket.end(`${JSON.stringify({ error: 'wrong password' })}\n`)
        admitted = true
        return void answer({ rows: [] })
      }
      const { sql, parameters = [] } = JSON.parse(line) as Query
      answer({ rows: database.prepare(sql).all(...parameters) })
    } catch (error) {
      answer({ error: (error as Error).message })
    }
  })
})
server.listen(Number(port), address, () => console.log(`database on ${address}:${port}`))
process.on('SIGTERM', () => process.exit(0))
