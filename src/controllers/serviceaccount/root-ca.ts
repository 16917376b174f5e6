import { isDeepStrictEqual } from 'node:util'
import { resources } from '#api'
import { type Controller, mapped, primary } from '#runtime'
import { isSettledElsewhere } from './default-account.ts'

const name = 'kube-root-ca.crt'
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Publishes the cluster's certificate authority in every namespace, for pods to verify the API server with. */
export function rootCaPublisher(options: { rootCA: string }): Controller {
  const data = { 'ca.crt': options.rootCA }
  const annotations = { 'kubernetes.io/description': description }
  return {
    name: 'root-ca-cert-publisher',
    setup({ client, cache }) {
      const namespaces = cache(resources.namespaces)
      const configMaps = cache(resources.configMaps)
      const api = client.resource(resources.configMaps)
      return {
        watches: [primary(namespaces), mapped(configMaps, ({ metadata }) => (metadata.name === name ? [metadata.namespace!] : []))],
        async reconcile(namespace, signal) {
          const found = namespaces.get(namespace)
          if (!found || found.metadata.deletionTimestamp || found.status?.phase === 'Terminating') return
          const existing = configMaps.get(`${namespace}/${name}`)
          try {
            if (!existing) await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, annotations }, data }, { signal })
            else if (!isDeepStrictEqual(existing.data, data)) {
              const { binaryData: _, ...kept } = existing
              const metadata = { ...existing.metadata, annotations: { ...existing.metadata.annotations, ...annotations } }
              await api.update({ ...kept, metadata, data }, { signal })
            }
          } catch (error) {
            if (!isSettledElsewhere(error)) throw error
          }
        },
      }
    },
  }
}
