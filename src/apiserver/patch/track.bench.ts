// tools/run src/apiserver/patch/track.bench.ts: what tracking the managers of fields costs a write, in microseconds.
import { schemaOf } from '#api'
import type { Tracked } from './track-update.ts'
import { trackUpdate } from './track-update.ts'

const schema = schemaOf('v1', 'Pod')!
const now = '2026-01-01T00:00:00Z'

/** A pod as its replica set creates it and the server defaults it: two containers, probes, environment, a token volume. */
function pod(n: number): any {
  const container = (name: string) => ({
    name,
    image: `registry.example.com/${name}:1`,
    ports: [{ name: 'http', containerPort: 3000, protocol: 'TCP' }],
    env: ['A', 'B', 'C'].map((key) => ({ name: key, value: 'x' })),
    resources: { limits: { cpu: '1', memory: '128Mi' }, requests: { cpu: '100m', memory: '64Mi' } },
    volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    livenessProbe: {
      httpGet: { path: '/', port: 3000, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'app-1-',
      name: `app-1-${n}`,
      namespace: 'default',
      uid: `uid-${n}`,
      creationTimestamp: now,
      labels: { app: 'app', 'pod-template-hash': '1' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app-1', uid: 'owner', controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      volumes: [{ name: 'token', secret: { secretName: 'token', defaultMode: 420 } }],
      containers: [container('app'), container('proxy')],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
      enableServiceLinks: true,
    },
    status: { phase: 'Pending', qosClass: 'Burstable' },
  }
}

/** The best of several rounds: other work on the machine only ever makes a round slower. */
function measure(name: string, run: (i: number) => unknown): void {
  const times = 2000
  let best = Infinity
  for (let round = 0; round < 20; round++) {
    const start = performance.now()
    for (let i = 0; i < times; i++) run(i)
    best = Math.min(best, performance.now() - start)
  }
  console.log(`${name}: ${((best / times) * 1000).toFixed(1)} us`)
}

const fresh = Array.from({ length: 200 }, (_, i) => pod(i))
measure('create of a pod', (i) => trackUpdate({ old: undefined, updated: fresh[i % 200], schema, manager: 'kube-controller-manager', now }))
const stored = fresh.map((p) => ({
  ...p,
  metadata: { ...p.metadata, managedFields: trackUpdate({ old: undefined, updated: p, schema, manager: 'kube-controller-manager', now }) },
}))
const status = stored.map((p) => ({
  ...p,
  status: { phase: 'Running', qosClass: 'Burstable', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }] },
}))
const tracked = (old: Tracked, updated: Tracked, manager: string, subresource = '') =>
  trackUpdate({ old, updated, schema, manager, subresource, now })
measure('status update of a pod, the rest shared', (i) => tracked(stored[i % 200], status[i % 200], 'kubelet', 'status'))
const parsed = stored.map((p) => JSON.parse(JSON.stringify({ ...p, metadata: { ...p.metadata, labels: { ...p.metadata.labels, more: 'x' } } })))
measure('update of a pod, parsed anew', (i) => tracked(stored[i % 200], parsed[i % 200], 'kubectl'))
const twice = status.map((p) => ({
  ...p,
  metadata: { ...p.metadata, managedFields: tracked(p === status[0] ? stored[0] : stored[1], p, 'kubelet', 'status') },
}))
const again = twice.map((p) => ({ ...p, status: { ...p.status, podIP: '10.0.0.2' } }))
measure('second status update of a pod', (i) => tracked(twice[i % 200], again[i % 200], 'kubelet', 'status'))
measure('update that changes nothing', (i) => tracked(twice[i % 200], twice[i % 200], 'kubelet', 'status'))
