import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { defaultAuthFile, removeLogins, writeLogin } from './login.ts'

let work: string
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'k8ts-login-'))
  process.env['K8TS_HOME'] = join(work, 'home')
  await mkdir(join(work, 'home/c'), { recursive: true })
})
afterEach(async () => {
  delete process.env['K8TS_HOME']
  await rm(work, { recursive: true })
})

const login = (authFile: string) => ({ host: 'localhost:5000', auth: 'am9lOnB3', authFile, caFile: join(work, 'certs.d/localhost:5000/ca.crt') })
const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as object

test('a login adds to what the file has, and is taken back', async () => {
  const file = join(work, 'config.json')
  const before = { auths: { 'r.io': { auth: 'eHg=' } }, credHelpers: { 'x.io': 'x' } }
  await writeFile(file, JSON.stringify(before))
  await writeLogin('c', login(file), 'CA')
  assert.deepEqual(await read(file), { ...before, auths: { ...before.auths, 'localhost:5000': { auth: 'am9lOnB3' } } })
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal(await readFile(login(file).caFile, 'utf8'), 'CA')
  await removeLogins('c')
  assert.deepEqual(await read(file), before)
  assert.ok(!existsSync(join(work, 'certs.d/localhost:5000')))
})

test('a file that was made for the login goes with it', async () => {
  const file = join(work, 'docker/config.json')
  await writeLogin('c', login(file), 'CA')
  await removeLogins('c')
  assert.ok(!existsSync(file))
})

test('credentials that another program wrote since stay', async () => {
  const file = join(work, 'config.json')
  await writeLogin('c', login(file), 'CA')
  await writeFile(file, JSON.stringify({ auths: { 'localhost:5000': { auth: 'b3RoZXI=' } } }))
  await removeLogins('c')
  assert.deepEqual(await read(file), { auths: { 'localhost:5000': { auth: 'b3RoZXI=' } } })
})

test('a file that is no JSON is left alone, and said', async () => {
  const file = join(work, 'config.json')
  await writeFile(file, 'auths:')
  await assert.rejects(writeLogin('c', login(file), 'CA'), /config\.json is no JSON: repair it, or name another file with --auth-file/)
  assert.equal(await readFile(file, 'utf8'), 'auths:')
})

test('docker’s own file is the default, also where its environment moves it', () => {
  assert.equal(defaultAuthFile({ DOCKER_CONFIG: '/x' }), '/x/config.json')
  assert.match(defaultAuthFile({}), /\/\.docker\/config\.json$/)
})
