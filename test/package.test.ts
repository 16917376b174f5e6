import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pack } from '../tools/pack.ts'

const root = join(import.meta.dirname, '..')

test('the npm package runs below node_modules, as others install it', () => {
  const project = mkdtempSync(join(tmpdir(), 'k8ts-package-'))
  try {
    const modules = join(project, 'node_modules')
    pack(join(modules, 'k8ts'))
    const { dependencies, optionalDependencies, version } = JSON.parse(readFileSync(join(modules, 'k8ts/package.json'), 'utf8')) as Record<
      string,
      any
    >
    // its dependencies, and theirs, as npm would lay them out beside it
    for (const name of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) {
      if (!readdirSync(join(root, 'node_modules', dirname(name))).includes(name.split('/').at(-1)!)) continue
      mkdirSync(dirname(join(modules, name)), { recursive: true })
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
    }
    const k8ts = (...args: string[]) => execFileSync(join(modules, 'k8ts/k8ts'), args, { encoding: 'utf8', cwd: project })
    assert.equal(k8ts('--version').trim(), version)
    assert.match(k8ts('doctor', '--help'), /what a cluster needs/)
    // every part loads: nothing is left that only a clone has
    assert.throws(() => k8ts('internal', 'control-plane', 'there-is-none'), /there is no cluster there-is-none/)
    assert.throws(() => k8ts('internal', 'agent', 'there-is-none', 'node-1'), /there is no cluster there-is-none/)
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
})
