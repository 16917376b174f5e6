/** A variable of the recorded expressions. Its value is JSON, as an object of the API is, or what an expression without variables makes. */
export type Variable = { name: string; type: string } & ({ json: unknown } | { expression: string } | { unset: true })

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    labels: { app: 'web', 'app.kubernetes.io/name': 'web', env: 'prod' },
    creationTimestamp: '2026-01-02T03:04:05Z',
    finalizers: [],
  },
  spec: {
    replicas: 3,
    paused: false,
    ratio: 0.5,
    selector: { matchLabels: { app: 'web' } },
    template: {
      spec: {
        containers: [
          {
            name: 'web',
            image: 'registry.example.com/web:1.2.3',
            ports: [{ containerPort: 8080 }],
            resources: { limits: { memory: '1Gi', cpu: '500m' } },
          },
          { name: 'proxy', image: 'proxy:latest', securityContext: { privileged: true, runAsUser: 0 } },
        ],
        nodeSelector: null,
      },
    },
  },
  status: { conditions: [{ type: 'Available', status: 'True' }, { type: 'Progressing', status: 'False' }], replicas: 3 }, // prettier-ignore
}

export const variables: readonly Variable[] = [
  { name: 'object', type: 'dyn', json: deployment },
  { name: 'oldObject', type: 'dyn', json: { ...deployment, spec: { ...deployment.spec, replicas: 1 } } },
  {
    name: 'params',
    type: 'dyn',
    json: { data: { max: '5', empty: '', 'with.dots': 'x' }, list: [1, 2.5, 'three', true, null, [4], { five: 5 }], big: 9007199254740991 },
  },
  {
    name: 'request',
    type: 'dyn',
    json: { operation: 'UPDATE', userInfo: { username: 'ann', groups: ['system:authenticated', 'dev'] }, dryRun: false },
  },
  { name: 'missing', type: 'dyn', unset: true },
  { name: 'absent', type: 'int', unset: true },
  { name: 'n', type: 'null', expression: 'null' },
  { name: 'p', type: 'bool', expression: 'true' },
  { name: 'i', type: 'int', expression: '7' },
  { name: 'zero', type: 'int', expression: '0' },
  { name: 'u', type: 'uint', expression: '7u' },
  { name: 'd', type: 'double', expression: '7.5' },
  { name: 's', type: 'string', expression: "'seven'" },
  { name: 'b', type: 'bytes', expression: "b'seven'" },
  { name: 't', type: 'timestamp', expression: "timestamp('2026-02-03T04:05:06.789Z')" },
  { name: 'r', type: 'duration', expression: "duration('1h1m1.5s')" },
  { name: 'l', type: 'list(int)', expression: '[3, 1, 2]' },
  { name: 'ls', type: 'list(string)', expression: "['c', 'a', 'b']" },
  { name: 'll', type: 'list(list(int))', expression: '[[1, 2], [], [3]]' },
  { name: 'm', type: 'map(string, int)', expression: "{'one': 1}" },
  { name: 'mi', type: 'map(int, string)', expression: "{1: 'one'}" },
  { name: 'many', type: 'map(string, int)', expression: "{'a': 1, 'b': 2, 'c': 3}" },
  { name: 'ld', type: 'list(dyn)', expression: "[dyn(1), dyn('two'), dyn(3.0)]" },
  { name: 'o', type: 'optional_type(int)', expression: 'optional.of(7)' },
  { name: 'none', type: 'optional_type(int)', expression: 'optional.none()' },
  { name: 'q', type: 'kubernetes.Quantity', expression: "quantity('7')" },
  { name: 'a', type: 'net.IP', expression: "ip('10.0.0.7')" },
  { name: 'c', type: 'net.CIDR', expression: "cidr('10.0.0.0/8')" },
  { name: 'v', type: 'kubernetes.Semver', expression: "semver('1.2.3')" },
  { name: 'w', type: 'kubernetes.URL', expression: "url('https://u:p@example.com:8443/a/b?x=1&y=2&x=3#f')" },
  { name: 'hundred', type: 'list(int)', expression: 'lists.range(100)' },
  { name: 'thousand', type: 'list(int)', expression: 'lists.range(1000)' },
  { name: 'authorizer', type: 'kubernetes.authorization.Authorizer', unset: true },
]
