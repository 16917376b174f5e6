import type { DeepReadonly, core } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { limitProblems } from './limit-range-rules.ts'
import { namespaceOf, rejected, targets } from './rejection.ts'

const annotation = 'kubernetes.io/limit-ranger'

/** Containers get a namespace's default requests and limits, and what a pod or claim asks for stays within its bounds. */
export function limitRanger(reader: ObjectReader): AdmissionPlugin {
  const rangesOf = (request: AdmissionRequest) => reader.list<core.LimitRange>('', 'limitranges', namespaceOf(request))
  return {
    name: 'LimitRanger',
    resources: ['/pods', '/persistentvolumeclaims'],
    handles: (request) =>
      (request.operation === 'CREATE' && targets(request, '', 'pods')) ||
      (request.operation === 'UPDATE' && targets(request, '', 'pods', 'resize')) ||
      ((request.operation === 'CREATE' || (request.operation === 'UPDATE' && !request.old?.metadata.deletionTimestamp)) &&
        targets(request, '', 'persistentvolumeclaims')),
    mutate(request) {
      if (!targets(request, '', 'pods')) return
      for (const range of rangesOf(request)) applyDefaults(request.object as core.Pod, range)
    },
    validate(request) {
      const isPod = targets(request, '', 'pods') || targets(request, '', 'pods', 'resize')
      const subject = isPod ? { pod: request.object as core.Pod } : { claim: request.object as core.PersistentVolumeClaim }
      for (const range of rangesOf(request)) {
        const problems = [...new Set((range.spec?.limits ?? []).flatMap((item) => limitProblems(item, subject)))]
        if (problems.length > 0) throw rejected(request, problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`)
      }
    },
  }
}

/** Fills in what containers leave out, and notes it in an annotation. */
function applyDefaults(pod: core.Pod, range: DeepReadonly<core.LimitRange>): void {
  const items = (range.spec?.limits ?? []).filter((item) => item.type === 'Container')
  const limits = Object.assign({}, ...items.map((item) => item.default)) as Record<string, string>
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest)) as Record<string, string>
  if (Object.keys(limits).length === 0 && Object.keys(requests).length === 0) return
  const notes: string[] = []
  const fill = (container: core.Container, what: string) => {
    const own = (container.resources ??= {})
    const missing = (given: Record<string, string> | undefined, defaults: Record<string, string>) =>
      Object.keys(defaults).filter((name) => given?.[name] === undefined)
    const [noRequest, noLimit] = [missing(own.requests, requests), missing(own.limits, limits)]
    for (const name of noLimit) own.limits = { ...own.limits, [name]: limits[name]! }
    for (const name of noRequest) own.requests = { ...own.requests, [name]: requests[name]! }
    if (noRequest.length > 0) notes.push(`${noRequest.sort().join(', ')} request for ${what} ${container.name}`)
    if (noLimit.length > 0) notes.push(`${noLimit.sort().join(', ')} limit for ${what} ${container.name}`)
  }
  for (const container of pod.spec?.containers ?? []) fill(container, 'container')
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container')
  if (notes.length > 0) pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${notes.join('; ')}` }
}
