import type { DeepReadonly, Kind, KubeObject, admissionregistration } from '#api'
import { selectorFromLabelSelector, storageKind } from '#api'
import type { ObjectReader } from '../../object-reader.ts'
import type { Conversions } from '../../registry/registry.ts'
import { conversionOf } from '../../registry/registry.ts'

export type Param = DeepReadonly<KubeObject>

/** What the parameters of a policy are read by. */
export interface ParamSource {
  reader: ObjectReader
  conversions: Conversions
  kind: Kind
}

/**
 * The objects that a binding's `paramRef` names, in the version of the policy's `paramKind`; one undefined where there are no parameters to look for, none where that is allowed. Throws
 * Error in upstream's words when the binding is wrong or must not go without.
 */
export function collectParams(
  source: ParamSource | undefined,
  ref: DeepReadonly<admissionregistration.ParamRef> | undefined,
  namespace: string,
): (Param | undefined)[] {
  if (!source || !ref) return [undefined]
  const { kind } = source
  if (kind.namespaced && !ref.namespace && !namespace)
    throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  if (!kind.namespaced && ref.namespace) throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  const found = find(source, ref, kind.namespaced ? ref.namespace || namespace : '')
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny')
    throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction')
  return found
}

function find({ reader, conversions, kind }: ParamSource, ref: DeepReadonly<admissionregistration.ParamRef>, namespace: string): Param[] {
  const { name, selector } = ref
  const { group, resource } = storageKind(kind)
  const shown = (object: Param) => conversionOf(kind, conversions)?.fromStorage(object) ?? object
  if (name) {
    if (selector) throw new Error('paramRef.name and paramRef.selector are mutually exclusive')
    const object = reader.get(group, resource, namespace, name)
    return object ? [shown(object)] : []
  }
  if (!selector) throw new Error('one of name or selector must be provided')
  const selected = selectorFromLabelSelector(selector)
  return reader
    .list(group, resource, namespace)
    .filter((object) => selected.matches(object.metadata.labels))
    .map(shown)
}
