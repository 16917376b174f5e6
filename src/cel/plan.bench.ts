import { kubernetesEnvironment } from './kubernetes.ts'
import { jsonValue } from './json-values.ts'
import { types } from './types.ts'

/** What an expression of a policy costs in time: `tools/run src/cel/plan.bench.ts`. */

const container = (index: number) => ({
  name: `c${index}`,
  image: `registry.example/team/app-${index}:1.2.3`,
  securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false },
  resources: { limits: { memory: '128Mi', cpu: '100m' } },
})

const object = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web', team: 'shop', env: 'production' } },
  spec: { replicas: 3, template: { spec: { containers: Array.from({ length: 5 }, (_, index) => container(index)) } } },
}

const expressions = [
  'object.spec.replicas <= 5',
  'object.spec.template.spec.containers.all(c, c.image.startsWith("registry.example/"))',
  'object.spec.template.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.runAsNonRoot) && c.securityContext.runAsNonRoot == true)',
  'has(object.metadata.labels) && "env" in object.metadata.labels && object.metadata.labels.env in ["production", "staging"]',
  'object.metadata.name.matches("^[a-z]([-a-z0-9]*[a-z0-9])?$")',
  'object.spec.template.spec.containers.map(c, c.image).filter(i, !i.contains(":latest")).size() == 5',
  'quantity(object.spec.template.spec.containers[0].resources.limits.memory).isLessThan(quantity("1Gi"))',
]

const environment = kubernetesEnvironment({ variables: { object: types.dyn } })
const WARM = 5000
const ROUNDS = 5
const TIME = 500

/** Microseconds for each call, the best of some rounds. */
function measure(call: () => void): number {
  for (let index = 0; index < WARM; index++) call()
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    let calls = 0
    while (performance.now() - start < TIME / ROUNDS) {
      for (let index = 0; index < 100; index++) call()
      calls += 100
    }
    best = Math.min(best, ((performance.now() - start) * 1000) / calls)
  }
  return best
}

for (const source of expressions) {
  const program = environment.compile(source)
  const { cost } = program.evaluate({ object: jsonValue(object) })
  const evaluation = measure(() => program.evaluate({ object: jsonValue(object) }, { cost: 1_000_000 }))
  const compilation = measure(() => environment.compile(source))
  process.stdout.write(
    `${evaluation.toFixed(2).padStart(8)} µs  compiled in ${compilation.toFixed(0).padStart(4)} µs  cost ${String(cost).padStart(3)}  ${source}\n`,
  )
}
