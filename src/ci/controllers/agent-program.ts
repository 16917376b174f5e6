import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { AgentProgram } from './context.ts'

const root = join(import.meta.dirname, '..')

/**
 * The agent's program: its first file and what that imports, which Node of the tool image runs as it is. It comes with the service, not with the image, so that both
 * always speak alike; types are erased, so that of other folders only what runs is taken along.
 */
export async function agentProgram(): Promise<AgentProgram> {
  const files: Record<string, string> = { 'package.json': '{"type":"module"}\n' }
  const open = [join(root, 'agent/main.ts')]
  for (let file = open.pop(); file; file = open.pop()) {
    const path = relative(root, file)
    if (path in files) continue
    const text = await readFile(file, 'utf8')
    files[path] = text
    for (const [, specifier] of text.matchAll(/^(?:import|export)\s+(?!type\b)[^'";]*?from\s+'(\.[^']+)'/gm))
      open.push(join(dirname(file), specifier!))
  }
  const hash = createHash('sha256')
    .update(JSON.stringify(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
  return { name: `k8ts-ci-agent-${hash.slice(0, 10)}`, files }
}
