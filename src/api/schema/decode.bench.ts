// How long one pod of about 1 KB takes to decode, beside JSON.parse of the same bytes: `tools/run src/api/schema/decode.bench.ts`.
import { decodeObject } from './decode.ts'
import { schemaOf } from './schema.ts'

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-7d4b9c6f5d-x2k8p',
    generateName: 'web-7d4b9c6f5d-',
    namespace: 'default',
    labels: { app: 'web', 'pod-template-hash': '7d4b9c6f5d' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web-7d4b9c6f5d',
        uid: '3f0e9f1c-8a33-4b39-9d3e-1b1f5f1b1c11',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'registry.example.com/web:1.2.3',
        ports: [{ containerPort: 8080, protocol: 'TCP' }],
        env: [
          { name: 'A', value: '1' },
          { name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } },
        ],
        resources: { limits: { cpu: '500m', memory: '128Mi' }, requests: { cpu: '250m', memory: '64Mi' } },
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  },
  status: { phase: 'Pending' },
}
const text = JSON.stringify(pod)
const schema = schemaOf('v1', 'Pod')!

function measure(name: string, run: () => unknown): void {
  for (let i = 0; i < 20_000; i++) run()
  const rounds = 100_000
  const start = process.hrtime.bigint()
  for (let i = 0; i < rounds; i++) run()
  console.log(`${name}: ${(Number(process.hrtime.bigint() - start) / rounds / 1000).toFixed(2)} µs`)
}

console.log(`${text.length} bytes`)
const parsed: unknown = JSON.parse(text)
measure('JSON.parse', () => JSON.parse(text))
measure('decodeObject', () => decodeObject(parsed, schema))
measure('JSON.parse + decodeObject', () => decodeObject(JSON.parse(text), schema))
