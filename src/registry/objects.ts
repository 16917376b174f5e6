import { createHash } from 'node:crypto'
import type { KubeObject, core } from '#api'
import { accessSecret } from './access.ts'
import { clusterAddress, registryName, registryNamespace, registryPort } from './addresses.ts'

/** Names of what the registry consists of, beside `accessSecret`. */
export const tlsSecret = 'registry-tls'
export const dataClaim = 'registry-data'
const configMap = 'registry-config'
const dataDirectory = '/var/lib/registry'
const configDirectory = '/etc/registry/config'

/** What `docker-registry` is told to do: take everything, or answer reads only while others look after the data. */
export type RegistryMode = 'read-write' | 'read-only'
const configFiles: Record<RegistryMode, string> = { 'read-write': 'config.yml', 'read-only': 'read-only.yml' }

export interface RegistryOptions {
  /** As images name the registry: `localhost:PORT`. */
  host: string
  /** The image of docker-registry; present on every node. */
  image: string
  access: { username: string; password: string; htpasswd: string; httpSecret: string }
  /** PEM. */
  tls: { certificate: string; key: string }
  /** Size of the claim for its data, a Kubernetes quantity. */
  storage: string
}

export const namespaceObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: registryNamespace, labels: { 'app.kubernetes.io/managed-by': 'k8ts', 'pod-security.kubernetes.io/enforce': 'restricted' } },
} as const

const metadata = (name: string) => ({ name, namespace: registryNamespace, labels: { app: registryName, 'app.kubernetes.io/managed-by': 'k8ts' } })
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** The Service comes first: nodes reach the registry by its address, which stands in the certificate. */
export const serviceObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(registryName),
  spec: { selector: { app: registryName }, ports: [{ name: 'https', port: registryPort, protocol: 'TCP', targetPort: registryPort }] },
} as const

/** What the add-on consists of beside its namespace and Service, in the order in which it is applied. */
export function registryObjects(options: RegistryOptions): KubeObject[] {
  const { host, access, tls } = options
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(accessSecret),
      data: Object.fromEntries(Object.entries({ host, ...access }).map(([key, value]) => [key, base64(value)])),
    } as core.Secret,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: metadata(tlsSecret),
      data: { 'tls.crt': base64(tls.certificate), 'tls.key': base64(tls.key) },
    } as core.Secret,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(configMap),
      data: Object.fromEntries((['read-write', 'read-only'] as const).map((mode) => [configFiles[mode], configuration(mode)])),
    } as core.ConfigMap,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: metadata(dataClaim),
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: options.storage } } },
    } as core.PersistentVolumeClaim,
    deployment(options),
  ]
}

/**
 * docker-registry's configuration; JSON is YAML. It has no cache of blob descriptors: after a garbage collection it would answer that layers are there which
 * are gone, and a push would skip them.
 */
function configuration(mode: RegistryMode): string {
  return JSON.stringify(
    {
      version: '0.1',
      log: { accesslog: { disabled: true }, level: 'info', fields: { service: 'registry' } },
      storage: {
        filesystem: { rootdirectory: dataDirectory },
        delete: { enabled: true },
        maintenance: {
          uploadpurging: { enabled: true, age: '168h', interval: '24h', dryrun: false },
          readonly: { enabled: mode === 'read-only' },
        },
      },
      http: {
        addr: `:${registryPort}`,
        tls: { certificate: '/etc/registry/tls/tls.crt', key: '/etc/registry/tls/tls.key' },
        headers: { 'X-Content-Type-Options': ['nosniff'] },
        // what is being pushed when the pod is told to end may finish
        draintimeout: '25s',
      },
      auth: { htpasswd: { realm: 'k8ts', path: '/etc/registry/access/htpasswd' } },
      health: { storagedriver: { enabled: true, interval: '10s', threshold: 3 } },
    },
    undefined,
    2,
  )
}

/** The user that docker-registry runs as. */
const user = 65532

/**
 * A pod over the data: the Deployment's, and those that look after the data while it is read-only. It runs docker-registry with `args`, or `command`, another
 * of the image's programs.
 */
export function registryPod(options: { image: string; args: string[]; command?: string[]; serves: boolean }): core.PodSpec {
  const { image, args, command, serves } = options
  const probe = { httpGet: { path: '/', port: registryPort, scheme: 'HTTPS' as const } }
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // what is being pushed may finish
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: registryName,
        image,
        imagePullPolicy: 'IfNotPresent',
        ...(command ? { command } : {}),
        args,
        env: [{ name: 'REGISTRY_HTTP_SECRET', valueFrom: { secretKeyRef: { name: accessSecret, key: 'httpSecret' } } }],
        ...(serves
          ? {
              ports: [{ name: 'https', containerPort: registryPort }],
              readinessProbe: { ...probe, periodSeconds: 1, failureThreshold: 3 },
              livenessProbe: { ...probe, initialDelaySeconds: 5, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
            }
          : {}),
        resources: { requests: { cpu: '10m', memory: '32Mi' } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'data', mountPath: dataDirectory },
          { name: 'config', mountPath: configDirectory, readOnly: true },
          { name: 'tls', mountPath: '/etc/registry/tls', readOnly: true },
          { name: 'access', mountPath: '/etc/registry/access', readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: dataClaim } },
      { name: 'config', configMap: { name: configMap } },
      { name: 'tls', secret: { secretName: tlsSecret } },
      { name: 'access', secret: { secretName: accessSecret, items: [{ key: 'htpasswd', path: 'htpasswd' }] } },
    ],
  } as core.PodSpec
}

export const configFile = (mode: RegistryMode): string => `${configDirectory}/${configFiles[mode]}`
/**
 * Removes uploads that nobody ended, and prints each file and directory: docker-registry itself gives them a week, in which the disk may stay full. Only where
 * no upload goes on.
 */
export const removeUploads = {
  command: ['/usr/bin/find'],
  args: [dataDirectory, '-path', `${dataDirectory}/docker/registry/v2/repositories/*/_uploads/*`, '-print', '-delete'],
}

export const serveArgs = (mode: RegistryMode): string[] => ['serve', configFile(mode)]

function deployment({ image, access, tls }: RegistryOptions): KubeObject {
  // docker-registry reads certificate and configuration when it starts
  const inputs = createHash('sha256').update(JSON.stringify([access.httpSecret, access.htpasswd, tls.certificate, configuration('read-write')]))
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(registryName),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: registryName } },
      // the next one serves before the last one ends: both may work on the same data, whose uploads either can go on with
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 1,
      template: {
        metadata: { labels: { app: registryName }, annotations: { 'k8ts.dev/inputs': inputs.digest('hex') } },
        spec: { ...registryPod({ image, args: serveArgs('read-write'), serves: true }), priorityClassName: 'system-cluster-critical' },
      },
    },
  } as KubeObject
}

/** Tells tools where the registry is: KEP-1755, "Communicating a local registry". */
export const hostingConfigMap = (host: string): core.ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'local-registry-hosting', namespace: 'kube-public', labels: { 'app.kubernetes.io/managed-by': 'k8ts' } },
  data: {
    'localRegistryHosting.v1': [
      `host: "${host}"`,
      `hostFromContainerRuntime: "${host}"`,
      `hostFromClusterNetwork: "${clusterAddress}"`,
      'help: "k8ts registry --help"',
      '',
    ].join('\n'),
  },
})
