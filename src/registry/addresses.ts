/** Everything of the registry stands in this namespace. */
export const registryNamespace = 'k8ts-registry'

/** The Service, the Deployment and the label of its pods. */
export const registryName = 'registry'

/** Where the registry listens, in its pod and at its Service. */
export const registryPort = 5000

/** The registry for what speaks its protocol inside the cluster: HTTPS with a certificate of the cluster's CA. */
export const clusterAddress = `${registryName}.${registryNamespace}.svc.cluster.local:${registryPort}`

/** The registry as images name it everywhere: `localhost:PORT/app:tag`. On the host it is also its address. */
export const hostAddress = (port: number): string => `localhost:${port}`

/** Every DNS name that the registry is reached by; its certificate has them all. */
export const registryNames: readonly string[] = [
  'localhost',
  '127.0.0.1',
  registryName,
  `${registryName}.${registryNamespace}`,
  `${registryName}.${registryNamespace}.svc`,
  `${registryName}.${registryNamespace}.svc.cluster.local`,
]

/**
 * The place of an image for a program that pushes or pulls inside a pod, where `localhost` is the pod itself: `localhost:5000/app:1` with the registry's
 * `host` address becomes `registry.k8ts-registry.svc.cluster.local:5000/app:1`. Names of other registries stay what they are.
 */
export function referenceInPod(reference: string, host: string): string {
  return reference.startsWith(`${host}/`) ? `${clusterAddress}${reference.slice(host.length)}` : reference
}

/**
 * A registries.conf for buildah, podman and skopeo inside a pod: they pull `localhost:PORT/…` (base images of a Dockerfile, too) from the Service. They
 * remap pulls only; a push names its destination by `referenceInPod`. See containers-registries.conf(5).
 */
export const registriesConf = (host: string): string => `[[registry]]
prefix = "${host}"
location = "${clusterAddress}"
`
