import type { core } from '#api'
import type { WriteContext } from '../../strategy.ts'
import { validateObjectMeta } from '../../validation/object-meta.ts'
import { podStrategy } from './strategy.ts'

/** What defaulting, preparing and validating a small pod costs, microseconds; run with `tools/run`. */
const context = { now: '', dryRun: false } as WriteContext
const text = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod-1', namespace: 'default', uid: 'u', labels: { app: 'bench', 'pod-template-hash': '5d8c7b9f6' } },
  spec: {
    containers: [
      {
        name: 'app',
        image: 'registry:5000/app:v1',
        ports: [{ containerPort: 3000, name: 'http' }],
        env: [
          { name: 'A', value: 'x' },
          { name: 'B', valueFrom: { secretKeyRef: { name: 'secret', key: 'key' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '128Mi' } },
        readinessProbe: { httpGet: { port: 3000, path: '/healthz' } },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    ],
    volumes: [{ name: 'v', secret: { secretName: 's' } }],
  },
})

const rounds = 200_000
const pods = Array.from({ length: 1000 }, () => JSON.parse(text) as core.Pod)
let causes = 0
for (let warm = 0; warm < 2; warm++) {
  const started = performance.now()
  for (let i = 0; i < rounds; i++) {
    const pod = pods[i % pods.length]!
    podStrategy.default!(pod)
    podStrategy.prepareForCreate!(pod, context)
    causes += validateObjectMeta(pod.metadata, { namespaced: true }).length + podStrategy.validate!(pod).length
  }
  console.log(`${(((performance.now() - started) * 1000) / rounds).toFixed(2)} µs per pod, ${causes} causes`)
}
