import type { DeepReadonly, core } from '#api'
import { type Causes, forbidden, invalid } from '../causes.ts'
import { compareQuantities, quantityText } from '../quantities.ts'
import { isHugePages, validateResourceRequirements } from '../resources.ts'
import { aggregateContainers } from './aggregate.ts'

type PodSpec = DeepReadonly<core.PodSpec>

/** Checks the resources of a pod as a whole, and that its containers fit into them. */
export function validatePodResources(causes: Causes, path: string, spec: PodSpec): void {
  const { resources } = spec
  if (!resources) return
  if (spec.os?.name === 'windows') {
    causes.push(forbidden(path, 'may not be set for a windows pod'))
    return
  }
  if (resources.claims) causes.push(forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level'))
  validateResourceRequirements(causes, path, resources, 'pod')
  exceeded(resources.requests, aggregateContainers(spec, 'requests'), (name, ofPod, ofContainers) =>
    causes.push(invalid(`${path}.requests[${name}]`, ofPod, `must be greater than or equal to aggregate container requests of ${ofContainers}`)),
  )
  const limits = Object.fromEntries(Object.entries(aggregateContainers(spec, 'limits')).filter(([name]) => isHugePages(name)))
  exceeded(resources.limits, limits, (name, ofPod, ofContainers) =>
    causes.push(invalid(`${path}.limits[${name}]`, ofPod, `must be greater than or equal to aggregate container limits of ${ofContainers}`)),
  )
  spec.containers.forEach((container, i) =>
    exceeded(resources.limits, container.resources?.limits ?? {}, (name, ofPod, ofContainer) =>
      causes.push(invalid(`${path}.containers[${i}][${name}].limits`, ofContainer, `must be less than or equal to pod limits of ${ofPod}`)),
    ),
  )
}

type Amounts = DeepReadonly<Record<string, string>>

/** Calls back for each resource of which the containers want more than the pod says, where it says anything. */
function exceeded(ofPod: Amounts | undefined, ofContainers: Amounts, found: (name: string, ofPod: string, ofContainers: string) => void): void {
  for (const name in ofContainers) {
    const [most, wanted] = [ofPod?.[name], ofContainers[name]!]
    if (most !== undefined && compareQuantities(wanted, most) > 0) found(name, quantityText(most), quantityText(wanted))
  }
}
