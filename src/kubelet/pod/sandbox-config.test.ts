import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { hasPlainNetwork } from './sandbox-config.ts'

const pod = (spec: Partial<core.PodSpec>, annotations: Record<string, string> = {}) =>
  ({ metadata: { name: 'p', annotations }, spec: { containers: [{ name: 'c' }], ...spec } }) as core.Pod
const hostPort: Partial<core.PodSpec> = { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 8080 }] }] }

const rows: [string, core.Pod, boolean][] = [
  ['a pod that asks for nothing', pod({}), true],
  ['a pod with ports of its own only', pod({ containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] }), true],
  ['a pod with a host port', pod(hostPort), false],
  ['a host port of a pod on the host network, where nothing is mapped', pod({ ...hostPort, hostNetwork: true }), true],
  ['a pod whose incoming traffic is limited', pod({}, { 'kubernetes.io/ingress-bandwidth': '1M' }), false],
  ['a pod whose outgoing traffic is limited', pod({}, { 'kubernetes.io/egress-bandwidth': '1M' }), false],
]

for (const [name, of, plain] of rows)
  test(`${name}: ${plain ? 'the plain network will do' : 'all of the network is needed'}`, () => assert.equal(hasPlainNetwork(of), plain))
