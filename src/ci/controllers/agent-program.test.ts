import assert from 'node:assert/strict'
import { builtinModules } from 'node:module'
import { test } from 'node:test'
import { agentProgram } from './agent-program.ts'

test('the agent’s program is whole and needs nothing but Node', async () => {
  const { files, name } = await agentProgram()
  assert.match(name, /^k8ts-ci-agent-[0-9a-f]{10}$/)
  assert.ok(files['agent/main.ts'] && files['config/cache-key.ts'])
  for (const [path, text] of Object.entries(files))
    for (const [, specifier] of text.matchAll(/^(?:import|export)\s+(?!type\b)[^'";]*?from\s+'([^']+)'/gm)) {
      const known = specifier!.startsWith('.')
        ? new URL(specifier!, `file:///${path}`).pathname.slice(1) in files
        : builtinModules.includes(specifier!.replace(/^node:/, ''))
      assert.ok(known, `${path} imports ${specifier}`)
    }
  assert.ok(Object.values(files).join('').length < 900_000, 'fits into a ConfigMap')
})
