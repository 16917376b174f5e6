import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, StatusError, core } from '#api'
import { failure } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import { podQosClass } from '../registry/strategies/pod/qos.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf, targets } from './rejection.ts'

type Toleration = DeepReadonly<core.Toleration>

/** What holds in namespaces that say nothing of their own. */
export interface TolerationRules {
  default?: readonly Toleration[]
  whitelist?: readonly Toleration[]
}

const defaultAnnotation = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const whitelistAnnotation = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'

/**
 * Gives new pods the tolerations of their namespace (by its annotation, or the configuration's where it has none), and all that have asked for resources the one
 * for nodes short of memory; refuses pods with tolerations that their namespace does not list, where it lists any. Off by default, as upstream.
 */
export function podTolerationRestriction(reader: ObjectReader, rules: TolerationRules = {}): AdmissionPlugin {
  /** Undefined where the namespace says nothing; an empty annotation says that there are none. */
  const ofNamespace = (request: AdmissionRequest, annotation: string): readonly Toleration[] | undefined => {
    const text = reader.get('', 'namespaces', '', namespaceOf(request))?.metadata.annotations?.[annotation]
    return text === undefined ? undefined : tolerationsOf(text)
  }
  const check = (request: AdmissionRequest) => {
    const wanted = (request.object as core.Pod).spec.tolerations ?? []
    if (wanted.length === 0) return
    const own = ofNamespace(request, whitelistAnnotation)
    const allowed = own ?? rules.whitelist ?? []
    if (allowed.length > 0 && !wanted.every((toleration) => allowed.some((one) => covers(one, toleration))))
      throw failed(
        `pod tolerations (possibly merged with namespace default tolerations) conflict with its ${own ? 'namespace' : 'cluster'} whitelist`,
      )
  }
  return {
    name: 'PodTolerationRestriction',
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && targets(request, '', 'pods'),
    mutate(request) {
      const { spec } = request.object as core.Pod
      const more = request.operation === 'CREATE' ? [...(ofNamespace(request, defaultAnnotation) ?? rules.default ?? [])] : []
      if (podQosClass(spec) !== 'BestEffort') more.push({ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' })
      if (more.length > 0) spec.tolerations = withoutCovered([...(spec.tolerations ?? []), ...more])
      check(request)
    },
    validate: check,
  }
}

/** What an annotation lists. Throws where it is no list of tolerations: nobody may pass because somebody mistyped. */
function tolerationsOf(text: string): readonly Toleration[] {
  if (text === '') return []
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    throw failed(`tolerations of the namespace: ${(error as Error).message}`)
  }
  if (list === null) return []
  if (!Array.isArray(list) || list.some((one) => typeof one !== 'object' || one === null))
    throw failed('tolerations of the namespace: a list of tolerations is expected')
  return list as Toleration[]
}

/** Each that another one covers is left out; of those that are the same, the first stays. */
function withoutCovered(all: readonly Toleration[]): core.Toleration[] {
  const kept: Toleration[] = []
  for (const [i, one] of all.entries())
    if (!kept.some((other) => covers(other, one)) && !all.slice(i + 1).some((other) => !isDeepStrictEqual(one, other) && covers(other, one)))
      kept.push(one)
  return kept as core.Toleration[]
}

/** Whether `wide` tolerates all that `narrow` does. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (isDeepStrictEqual(wide, narrow)) return true
  if ((wide.key ?? '') !== (narrow.key ?? '') && (wide.key || wide.operator !== 'Exists')) return false
  if (wide.effect && wide.effect !== narrow.effect) return false
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined && !(narrow.tolerationSeconds! <= wide.tolerationSeconds)) return false
  if (wide.operator === 'Exists') return true
  return (!wide.operator || wide.operator === 'Equal') && narrow.operator === 'Equal' && (narrow.value ?? '') === (wide.value ?? '')
}

/** Upstream refuses with an error that has no reason. */
const failed = (message: string): StatusError => failure('', 500, message)
