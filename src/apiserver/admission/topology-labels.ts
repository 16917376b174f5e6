import type { core } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { targets } from './rejection.ts'

const copied = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** A pod says in which zone and region its node is (https://kep.k8s.io/4742): by the binding, or when it is made for a node. */
export function podTopologyLabels(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    resources: ['/pods', '/bindings'],
    handles: (request) => request.operation === 'CREATE' && (isBinding(request) || targets(request, '', 'pods')),
    mutate(request) {
      const { object } = request
      const name = isBinding(request) ? boundTo(object as core.Binding) : (object as core.Pod).spec?.nodeName
      const node = name ? reader.get<core.Node>('', 'nodes', '', name) : undefined
      for (const key of copied) {
        const value = node?.metadata.labels?.[key]
        if (value !== undefined) (object!.metadata.labels ??= {})[key] = value
      }
    },
  }
}

const isBinding = (request: AdmissionRequest) => targets(request, '', 'pods', 'binding') || targets(request, '', 'bindings')
const boundTo = ({ target }: core.Binding) => (target.kind === 'Node' ? target.name : undefined)
