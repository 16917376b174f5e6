import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'

const src = join(import.meta.dirname, '../src')

/** Which folders a folder may import, each by its door. Components meet through the API and never import one another. */
const component = ['base', 'api', 'client', 'runtime']
const allowed: Record<string, readonly string[]> = {
  base: [],
  api: ['base'],
  cel: ['base', 'api'],
  store: ['base'],
  client: ['base', 'api'],
  runtime: ['base', 'api', 'client'],
  apiserver: ['base', 'api', 'cel', 'client', 'store', 'runtime'],
  scheduler: component,
  controllers: [...component, 'cel'],
  kubelet: component,
  proxy: component,
  dns: component,
  autoscaling: component,
  ingress: component,
  registry: component,
  build: ['base', 'api', 'client'],
  ci: component,
  cluster: [
    ...component,
    'store',
    'apiserver',
    'scheduler',
    'controllers',
    'kubelet',
    'proxy',
    'dns',
    'autoscaling',
    'ingress',
    'registry',
    'build',
    'ci',
  ],
  bin: [...component, 'cluster', 'registry', 'build', 'ci'],
}

interface Import {
  file: string
  specifier: string
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const isTest = (file: string) => /\.(test|bench)\.ts$/.test(file)

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8')
  const statements = text.matchAll(/^\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm)
  return [...statements].map((m) => ({ file, specifier: (m[1] ?? m[2] ?? m[3])! }))
}

const imports = files.flatMap(importsOf)
const folderOf = (file: string) => file.split('/')[0]!

test('every folder of src stands in the table of allowed edges', () => {
  const folders = readdirSync(src, { withFileTypes: true })
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
  assert.deepEqual(
    folders.filter((folder) => !(folder in allowed)),
    [],
  )
})

test('folders import one another by the allowed edges only', () => {
  const wrong = imports
    .filter((i) => i.specifier.startsWith('#') && !isTest(i.file))
    .filter((i) => !allowed[folderOf(i.file)]?.includes(i.specifier.slice(1).split('/')[0]!))
    .map((i) => `${i.file} imports ${i.specifier}`)
  assert.deepEqual(wrong, [])
})

test('no relative import leaves its folder', () => {
  const wrong = imports
    .filter((i) => i.specifier.startsWith('.'))
    .filter((i) => folderOf(relative(src, resolve(src, dirname(i.file), i.specifier))) !== folderOf(i.file))
    .filter((i) => !isTest(i.file))
    .map((i) => `${i.file} imports ${i.specifier}`)
  assert.deepEqual(wrong, [])
})

test('every door leads to a file', () => {
  const doors = (JSON.parse(readFileSync(join(src, '../package.json'), 'utf8')) as { imports: Record<string, string> }).imports
  const broken = Object.entries(doors).filter(([, path]) => !existsSync(join(src, '..', path)))
  assert.deepEqual(broken, [])
})

test('the API’s and the store’s seams do no input or output', () => {
  const io = /^node:(fs|net|http|http2|https|tls|dgram|child_process|worker_threads)/
  const wrong = imports.filter((i) => folderOf(i.file) === 'api' && io.test(i.specifier) && !isTest(i.file) && !/facts|load/.test(i.file))
  assert.deepEqual(wrong, [])
})

test('code stays erasable: no enums, namespaces or parameter properties', () => {
  const wrong = files.filter((file) => /^\s*(export )?(const )?(enum|namespace) \w+/m.test(readFileSync(join(src, file), 'utf8')))
  assert.deepEqual(wrong, [])
})
