import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import type { Rules } from '../plan.ts'
import { staleFlows } from './backend.ts'
import { transaction } from './diff.ts'
import { emptyRuleset, rulesetOf, skeleton } from './ruleset.ts'

const options = { serviceCidr: '10.65.0.0/16', podCidr: '10.64.0.0/16' }
const backend = (id: string, ...ips: string[]) => ({ id, protocol: 'tcp' as const, endpoints: ips.map((ip) => ({ ip, port: 3000 })) })

const rules = (...backends: Rules['backends']): Rules => ({
  backends,
  frontends: [
    ...backends.map((b, i) => ({ ip: `10.65.0.${i + 1}`, protocol: b.protocol, port: 80, to: { backend: b.id }, masquerade: 'unlessPod' as const })),
    { ip: '10.65.0.99', protocol: 'tcp', port: 80, to: 'reject', masquerade: 'unlessPod' },
  ],
  nodePorts: backends.map((b, i) => ({ protocol: b.protocol, port: 30000 + i, to: { backend: b.id }, masquerade: 'always' as const })),
  healthChecks: [],
})

test('equal rules need no transaction', () => {
  const set = rulesetOf(rules(backend('a/b/tcp/80', '10.64.1.2')), options)
  assert.equal(transaction('k8ts', set, rulesetOf(rules(backend('a/b/tcp/80', '10.64.1.2')), options)), '')
})

test('a changed endpoint touches its own chain alone', () => {
  const before = rulesetOf(rules(backend('a/b/tcp/80', '10.64.1.2'), backend('a/c/tcp/80', '10.64.1.9')), options)
  const after = rulesetOf(rules(backend('a/b/tcp/80', '10.64.1.3'), backend('a/c/tcp/80', '10.64.1.9')), options)
  const script = transaction('k8ts', before, after)
  assert.match(script, /flush chain ip k8ts to\/a\/b\/tcp\/80/)
  assert.doesNotMatch(script, /a\/c/)
})

test('a udp flow to an endpoint that is gone is forgotten', () => {
  const udp = (...ips: string[]): Rules => ({
    backends: ips.length > 0 ? [{ ...backend('a/b/udp/53', ...ips), protocol: 'udp' }] : [],
    frontends: [{ ip: '10.65.0.10', protocol: 'udp', port: 53, to: ips.length > 0 ? { backend: 'a/b/udp/53' } : 'reject', masquerade: 'unlessPod' }],
    nodePorts: [],
    healthChecks: [],
  })
  assert.deepEqual(staleFlows(udp('10.64.1.2', '10.64.1.3'), udp('10.64.1.3')), [
    { frontend: '10.65.0.10', endpoint: { ip: '10.64.1.2', port: 3000 } },
  ])
  assert.deepEqual(staleFlows(udp(), udp('10.64.1.3')), [{ frontend: '10.65.0.10' }])
  assert.deepEqual(staleFlows(udp('10.64.1.3'), udp('10.64.1.3')), [])
})

test('traffic from inside takes all endpoints where that from outside has to stay on the node', () => {
  const local = backend('a/b/tcp/80/local', '10.64.1.2')
  const all = backend('a/b/tcp/80', '10.64.1.2', '10.64.2.2')
  const at = { protocol: 'tcp' as const, port: 30080, inside: { backend: all.id }, masquerade: 'never' as const }
  const chain = (to: Rules['nodePorts'][number]['to']) =>
    rulesetOf({ backends: [all, local], frontends: [], nodePorts: [{ ...at, to }], healthChecks: [] }, options).chains.get('at/node/tcp/30080')
  const first = ['ip saddr 10.64.0.0/16 goto to/a/b/tcp/80', 'fib saddr type local meta mark set meta mark | 0x4000 goto to/a/b/tcp/80']
  assert.deepEqual(chain({ backend: local.id }), [...first, 'goto to/a/b/tcp/80/local'])
  assert.deepEqual(chain('drop'), [...first, 'drop'])
})

const canProgram = process.getuid?.() === 0 && existsSync('/usr/sbin/nft') && spawnSync('ip', ['-V']).status === 0

test('nft takes every script, also one that removes everything', { skip: !canProgram && 'needs root, nft and ip' }, () => {
  const namespace = `k8ts-test-${process.pid}`
  execFileSync('ip', ['netns', 'add', namespace])
  try {
    const nft = (input: string) => execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input })
    const states = [
      rules(backend('a/b/tcp/80', '10.64.1.2', '10.64.1.3')),
      rules({ ...backend('a/b/tcp/80', '10.64.1.2', '10.64.1.3'), affinitySeconds: 60 }, backend('a/c.d/tcp/80', '10.64.1.9')),
      rules({ ...backend('a/b/tcp/80', '10.64.1.2'), affinitySeconds: 90 }),
      {
        backends: [backend('a/b/tcp/80', '10.64.1.2')],
        frontends: [
          {
            ip: '10.67.0.1',
            protocol: 'tcp' as const,
            port: 80,
            to: 'drop' as const,
            inside: { backend: 'a/b/tcp/80' },
            masquerade: 'never' as const,
          },
        ],
        nodePorts: [],
        healthChecks: [],
        ranges: ['10.9.0.0/24', '10.8.0.0/28'],
      },
      { backends: [], frontends: [], nodePorts: [], healthChecks: [], ranges: ['10.9.0.0/16'] },
      { backends: [], frontends: [], nodePorts: [], healthChecks: [] },
    ].map((r) => rulesetOf(r, options))
    nft(`${skeleton('k8ts', options)}\n${transaction('k8ts', emptyRuleset(), states[0]!)}`)
    for (const [i, state] of states.entries()) if (i > 0) nft(transaction('k8ts', states[i - 1]!, state))
    const listed = execFileSync('ip', ['netns', 'exec', namespace, 'nft', 'list', 'table', 'ip', 'k8ts'], { encoding: 'utf8' })
    assert.doesNotMatch(listed, /10\.64\.1\./)
  } finally {
    execFileSync('ip', ['netns', 'delete', namespace])
  }
})
