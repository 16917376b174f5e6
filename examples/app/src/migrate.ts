import { setTimeout as sleep } from 'node:timers/promises'
import { query } from './database.ts'

const migrations = [
  'CREATE TABLE IF NOT EXISTS articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS visits (pod TEXT PRIMARY KEY, count INTEGER NOT NULL)',
  `INSERT INTO articles (id, title, description) VALUES (1, 'Hello', 'The first article, written by the migration') ON CONFLICT DO NOTHING`,
]

// the proxy beside this container may still be starting
for (let attempt = 1; ; attempt++) {
  try {
    await query('SELECT 1')
    break
  } catch (error) {
    if (attempt === 20) throw error
    await sleep(250)
  }
}
for (const migration of migrations) {
  await query(migration)
  console.log(`done: ${migration.slice(0, 60)}…`)
}
