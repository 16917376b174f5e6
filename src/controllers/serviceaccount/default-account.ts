import { isStatus, resources } from '#api'
import { type Controller, mapped, primary } from '#runtime'
import { isNamespaceTerminating } from '../namespace-terminating.ts'

/** Makes sure that every namespace has the service account `default`. */
export const serviceAccountController: Controller = {
  name: 'serviceaccount',
  setup({ client, cache }) {
    const namespaces = cache(resources.namespaces)
    const accounts = cache(resources.serviceAccounts)
    return {
      watches: [primary(namespaces), mapped(accounts, ({ metadata }) => (metadata.name === 'default' ? [metadata.namespace!] : []))],
      async reconcile(namespace, signal) {
        const found = namespaces.get(namespace)
        if (!found || found.metadata.deletionTimestamp || found.status?.phase === 'Terminating') return
        if (accounts.get(`${namespace}/default`)) return
        try {
          await client
            .resource(resources.serviceAccounts)
            .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } }, { signal })
        } catch (error) {
          if (!isSettledElsewhere(error)) throw error
        }
      },
    }
  },
}

/** Somebody was faster, or the namespace is going away: nothing left to do here. */
export function isSettledElsewhere(error: unknown): boolean {
  return isStatus(error, 'AlreadyExists') || isStatus(error, 'NotFound') || isNamespaceTerminating(error)
}
