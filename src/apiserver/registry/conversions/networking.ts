import type { DeepReadonly, KubeObject, networking, networkingV1beta1 } from '#api'
import type { Conversion } from '../registry.ts'

type Backend = networking.IngressBackend
type OldBackend = networkingV1beta1.IngressBackend

/** Ingress of networking.k8s.io/v1beta1 and extensions/v1beta1: flat backends, an optional path type. */
export function ingressV1beta1(apiVersion: string): Conversion {
  return {
    toStorage(object) {
      const ingress = object as unknown as networkingV1beta1.Ingress
      const { backend, rules, ...spec } = ingress.spec ?? {}
      return {
        ...ingress,
        apiVersion: 'networking.k8s.io/v1',
        spec: {
          ...spec,
          ...(backend ? { defaultBackend: backendToV1(backend) } : {}),
          ...(rules
            ? {
                rules: rules.map(({ http, ...rule }) => ({
                  ...rule,
                  ...(http
                    ? {
                        http: {
                          paths: (http.paths ?? []).map((path) => ({
                            ...path,
                            pathType: path.pathType ?? 'ImplementationSpecific',
                            backend: backendToV1(path.backend ?? {}),
                          })),
                        },
                      }
                    : {}),
                })),
              }
            : {}),
        },
      } as unknown as KubeObject
    },
    fromStorage(object) {
      const ingress = object as DeepReadonly<networking.Ingress>
      const { defaultBackend, rules, ...spec } = ingress.spec
      return {
        ...ingress,
        apiVersion,
        spec: {
          ...spec,
          ...(defaultBackend ? { backend: backendFromV1(defaultBackend) } : {}),
          ...(rules
            ? {
                rules: rules.map(({ http, ...rule }) => ({
                  ...rule,
                  ...(http ? { http: { paths: http.paths.map((path) => ({ ...path, backend: backendFromV1(path.backend) })) } } : {}),
                })),
              }
            : {}),
        },
      } as unknown as DeepReadonly<KubeObject>
    },
  }
}

function backendToV1({ serviceName, servicePort, resource }: OldBackend): Backend {
  if (serviceName === undefined && servicePort === undefined) return resource ? { resource } : {}
  const port = typeof servicePort === 'string' ? { name: servicePort } : servicePort === undefined ? undefined : { number: servicePort }
  return { service: { name: serviceName ?? '', ...(port ? { port } : {}) }, ...(resource ? { resource } : {}) }
}

function backendFromV1({ service, resource }: DeepReadonly<Backend>): DeepReadonly<OldBackend> {
  return {
    ...(service ? { serviceName: service.name, servicePort: service.port?.name || service.port?.number || 0 } : {}),
    ...(resource ? { resource } : {}),
  }
}
