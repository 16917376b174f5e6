import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ci } from '#api'
import { type RefChange, decideTrigger } from './plan.ts'

const change = (part: Partial<RefChange>): RefChange => ({ revision: 'a'.repeat(40), message: 'work', actor: 'ann', ...part })
const cases: [string, ci.ProjectSpec, Partial<RefChange>, string | undefined][] = [
  ['a branch runs', {}, { branch: 'main' }, undefined],
  ['a tag runs', {}, { tag: 'v1' }, undefined],
  ['a suspended project runs nothing', { suspend: true }, { branch: 'main' }, 'suspended'],
  ['pushes may be turned off', { triggers: { push: false } }, { branch: 'main' }, 'pushes'],
  ['tags may be turned off', { triggers: { tags: false } }, { tag: 'v1' }, 'tags'],
  ['a branch that is listed runs', { triggers: { branches: ['main'] } }, { branch: 'main' }, undefined],
  ['a branch that is not listed does not', { triggers: { branches: ['main'] } }, { branch: 'other' }, 'other'],
  ['an expression must match the whole name', { triggers: { branches: ['/rel/'] } }, { branch: 'release' }, 'release'],
  ['an expression that does runs', { triggers: { branches: ['/rel.*/'] } }, { branch: 'release/1' }, undefined],
  ['an ignored branch does not run', { triggers: { ignoreBranches: ['/wip-.*/'] } }, { branch: 'wip-a' }, 'ignores'],
  ['a listed branch beats an ignored one', { triggers: { branches: ['a'], ignoreBranches: ['a'] } }, { branch: 'a' }, undefined],
  ['a broken expression matches nothing', { triggers: { ignoreBranches: ['/(/'] } }, { branch: '(' }, undefined],
  ['a message may ask to skip', {}, { branch: 'main', message: 'docs [skip ci]' }, 'skip'],
  ['tags are built whatever the message says', {}, { tag: 'v1', message: 'docs [skip ci]' }, undefined],
]
for (const [name, spec, part, why] of cases)
  test(name, () => {
    const decision = decideTrigger({ apiVersion: 'ci.k8ts.dev/v1', kind: 'Project', metadata: { name: 'blog' }, spec }, change(part))
    assert.equal(decision.run, why === undefined)
    if (!decision.run) assert.match(decision.why, new RegExp(why!))
  })
