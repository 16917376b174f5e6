import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publication } from './published-ports.ts'

const rules = publication('k8ts_00_registry', 'k8-00', [{ port: 5000, address: '10.65.3.4', targetPort: 5001 }])

test('a published port leads from 127.0.0.1 to the cluster, and answers find their way back', () => {
  assert.match(rules, /type nat hook output [^}]*ip daddr 127\.0\.0\.1 tcp dport 5000 dnat to 10\.65\.3\.4:5001/)
  assert.match(rules, /type nat hook postrouting [^}]*oifname "k8-00" ip saddr 127\.0\.0\.0\/8 masquerade/)
})

test('pods do not get at the host’s loopback addresses by it', () => {
  assert.match(rules, /type filter hook prerouting priority -300;[^}]*iifname "k8-00" ip daddr 127\.0\.0\.0\/8 drop/)
})

test('the rules of before are replaced in one transaction', () => {
  assert.match(rules, /^\s*table ip k8ts_00_registry\s+delete table ip k8ts_00_registry\s+table ip k8ts_00_registry \{/)
})
