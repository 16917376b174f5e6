import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aggregateRules } from './role-aggregation.ts'
import type { rbac } from './types/index.ts'

const role = (name: string, rules: rbac.PolicyRule[], labels: Record<string, string> = {}): rbac.ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name, labels },
  rules,
})
const pods: rbac.PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
const jobs: rbac.PolicyRule = { verbs: ['get'], apiGroups: ['batch'], resources: ['jobs'] }

test('a role without an aggregation rule gathers nothing', () => assert.deepEqual(aggregateRules(role('a', [pods]), [role('b', [jobs])]), []))

test('rules come from the selected roles in order of name, each once, and never from the role itself', () => {
  const view = { ...role('view', [jobs], { view: 'true' }), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { view: 'true' } }] } }
  const all = [view, role('z', [pods, jobs], { view: 'true' }), role('a', [pods], { view: 'true' }), role('other', [jobs])]
  assert.deepEqual(aggregateRules(view, all), [pods, jobs])
})
