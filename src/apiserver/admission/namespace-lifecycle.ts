import type { core } from '#api'
import { errors } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin } from './admission.ts'
import { namespaceOf, rejected } from './rejection.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

/** Nothing is created in a namespace that does not exist or is being deleted, and the system's namespaces stay. */
export function namespaceLifecycle(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: ({ operation, context: { request } }) => {
      const { resource } = request
      if (!resource || operation === 'CONNECT') return false
      if (resource.group === '' && resource.resource === 'namespaces') return operation === 'DELETE' && immortal.has(resource.name)
      // a review must not tell who may not know whether the namespace exists
      return operation !== 'DELETE' && resource.namespace !== '' && resource.resource !== 'localsubjectaccessreviews'
    },
    mutate(request) {
      if (request.operation === 'DELETE') throw rejected(request, 'this namespace may not be deleted')
      const name = namespaceOf(request)
      const namespace = reader.get<core.Namespace>('', 'namespaces', '', name)
      if (!namespace) throw errors.notFound({ group: '', resource: 'namespaces' }, name)
      if (request.operation !== 'CREATE' || namespace.status?.phase !== 'Terminating') return
      const error = rejected(request, `unable to create new content in namespace ${name} because it is being terminated`)
      const cause = { reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated`, field: 'metadata.namespace' }
      error.status.details = { ...error.status.details, causes: [cause] }
      throw error
    },
  }
}
