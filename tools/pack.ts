// npm run pack [DIR]: the npm package, in dist/package (or DIR). Node runs TypeScript everywhere but below node_modules, so the package has the same
// files with their types stripped: line for line the source.
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

import { servedDescriptions } from '../src/apiserver/openapi/packed.ts'
/** What belongs into the package beside `src`. */
const files = ['README.md', 'LICENSE', 'docs', 'examples', 'k8ts', 'tools/run']

export function pack(out: string): void {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  for (const file of files) cpSync(join(root, file), join(out, file), { recursive: true })
  for (const file of globSync('src/**/*.{ts,json}', { cwd: root })) {
    if (/\.(test|bench)\.ts$/.test(file) || file.startsWith('src/api/types/') || /\/reference-[^/]*\.json$/.test(file)) continue
    mkdirSync(dirname(join(out, file)), { recursive: true })
    const text = readFileSync(join(root, file), 'utf8')
    writeFileSync(join(out, file.replace(/\.ts$/, '.js')), file.endsWith('.ts') ? toJavaScript(text) : text)
  }
  writeFileSync(join(out, 'src/apiserver/openapi/descriptions.json'), JSON.stringify(servedDescriptions()))
  for (const script of ['k8ts', 'tools/run']) {
    writeFileSync(join(out, script), readFileSync(join(root, script), 'utf8').replaceAll('.ts', '.js'))
    chmodSync(join(out, script), 0o755)
  }
  const {
    devDependencies: _,
    scripts: __,
    imports,
    ...manifest
  } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown> & { imports: Record<string, string> }
  const doors = Object.fromEntries(Object.entries(imports).map(([door, path]) => [door, path.replace(/\.ts$/, '.js')]))
  writeFileSync(join(out, 'package.json'), `${JSON.stringify({ ...manifest, imports: doors }, undefined, 2)}\n`)
}

/** Types become spaces, so that lines and columns of a stack trace are the source's. */
function toJavaScript(text: string): string {
  return stripTypeScriptTypes(text).replaceAll(/(['"][^'"\n]*\/[^'"\n]*)\.ts(['"])/g, '$1.js$2')
}

if (import.meta.main) pack(process.argv[2] ?? join(root, 'dist/package'))
