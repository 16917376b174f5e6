import { spawn } from 'node:child_process'
import type { RuleBackend } from '../rule-backend.ts'
import type { Endpoint, Rules } from '../plan.ts'
import { transaction } from './diff.ts'
import type { Ruleset, RulesetOptions } from './ruleset.ts'
import { emptyRuleset, rulesetOf, skeleton } from './ruleset.ts'

export interface NftablesOptions extends RulesetOptions {
  /** Name of the table in this network namespace; `k8ts` when absent. */
  table?: string
}

/** Programs rules into a table of its own, each change in one transaction: packets see the old rules or the new ones. */
export function nftablesBackend(options: NftablesOptions): RuleBackend {
  const table = options.table ?? 'k8ts'
  let programmed: Ruleset | undefined
  let before: Rules | undefined
  return {
    async apply(rules) {
      const want = rulesetOf(rules, options)
      // what an earlier process left is not known: the first change replaces the table as a whole
      const script = programmed ? transaction(table, programmed, want) : skeleton(table, options) + '\n' + transaction(table, emptyRuleset(), want)
      if (script) {
        try {
          await pipe('nft', ['-f', '-'], script)
        } catch (error) {
          programmed = undefined
          throw error
        }
      }
      programmed = want
      if (before) for (const flow of staleFlows(before, rules)) await forget(flow)
      before = rules
    },
    async cleanUp() {
      programmed = undefined
      await pipe('nft', ['-f', '-'], `table ip ${table}\ndelete table ip ${table}\n`)
    },
  }
}

/** UDP has no connection that ends: flows to an endpoint that is gone, or made before there was one, would go on to nowhere. */
export function staleFlows(before: Rules, after: Rules): { frontend: string; endpoint?: Endpoint }[] {
  const backends = new Map(after.backends.map((b) => [b.id, b]))
  const old = new Map(before.backends.map((b) => [b.id, b]))
  const stale: { frontend: string; endpoint?: Endpoint }[] = []
  for (const frontend of before.frontends) {
    if (frontend.protocol !== 'udp') continue
    const now = after.frontends.find((f) => f.ip === frontend.ip && f.port === frontend.port && f.protocol === 'udp')
    if (typeof frontend.to === 'string') {
      if (now && typeof now.to !== 'string') stale.push({ frontend: frontend.ip })
      continue
    }
    const kept = now && typeof now.to !== 'string' ? (backends.get(now.to.backend)?.endpoints ?? []) : []
    for (const endpoint of old.get(frontend.to.backend)?.endpoints ?? [])
      if (!kept.some((e) => e.ip === endpoint.ip && e.port === endpoint.port)) stale.push({ frontend: frontend.ip, endpoint })
  }
  return stale
}

async function forget(flow: { frontend: string; endpoint?: Endpoint }): Promise<void> {
  const nat = flow.endpoint ? ['--dst-nat', flow.endpoint.ip] : []
  // conntrack answers 1 when there was no such flow
  await pipe('conntrack', ['-D', '-p', 'udp', '--orig-dst', flow.frontend, ...nat]).catch(() => {})
}

function pipe(program: string, args: string[], input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${program}: ${stderr.trim().slice(0, 2000)}`))))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
