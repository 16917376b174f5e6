import type { DeepReadonly, rbac } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import type { ObjectChange, ObjectReader } from '../object-reader.ts'

type Binding = DeepReadonly<rbac.ClusterRoleBinding | rbac.RoleBinding>

/** Bindings by the user or group they name, kept as they change. */
export interface BindingIndex extends Disposable {
  /** The bindings of a namespace that name this user or one of its groups; cluster role bindings when `namespace` is empty. */
  bindingsFor(user: UserInfo, namespace: string): Iterable<Binding>
  onChange(fn: () => void): () => void
}

export function bindingIndex(reader: ObjectReader): BindingIndex {
  // namespace -> subject -> bindings by name
  const scopes = new Map<string, Map<string, Map<string, Binding>>>()
  const listeners = new Set<() => void>()

  const add = (binding: Binding) => {
    const namespace = binding.metadata.namespace ?? ''
    for (const subject of subjectsOf(binding)) place(place(scopes, namespace), subject).set(binding.metadata.name, binding)
  }
  const remove = (binding: Binding) => {
    const scope = scopes.get(binding.metadata.namespace ?? '')
    for (const subject of subjectsOf(binding)) {
      const bindings = scope?.get(subject)
      bindings?.delete(binding.metadata.name)
      if (bindings?.size === 0) scope!.delete(subject)
    }
    if (scope?.size === 0) scopes.delete(binding.metadata.namespace ?? '')
  }
  const change = (event: ObjectChange<rbac.ClusterRoleBinding> | ObjectChange<rbac.RoleBinding>) => {
    if (event.type === 'updated') remove(event.previous as Binding)
    if (event.type === 'deleted') remove(event.object as Binding)
    else add(event.object as Binding)
    for (const fn of listeners) fn()
  }
  const stops = (['clusterrolebindings', 'rolebindings'] as const).map((resource) => {
    const stop = reader.onChange<rbac.ClusterRoleBinding>('rbac.authorization.k8s.io', resource, change)
    for (const binding of reader.list<rbac.ClusterRoleBinding>('rbac.authorization.k8s.io', resource)) add(binding)
    return stop
  })

  return {
    *bindingsFor(user, namespace) {
      const scope = scopes.get(namespace)
      if (!scope) return
      yield* scope.get(`u:${user.username}`)?.values() ?? []
      for (const group of user.groups) yield* scope.get(`g:${group}`)?.values() ?? []
    },
    onChange(fn) {
      listeners.add(fn)
      return () => listeners.delete(fn)
    },
    [Symbol.dispose]() {
      for (const stop of stops) stop()
    },
  }
}

/** A subject as `u:USER` or `g:GROUP`; a service account is the user its token makes. */
function subjectsOf(binding: Binding): Set<string> {
  return new Set(
    (binding.subjects ?? []).map((subject) => {
      if (subject.kind === 'Group') return `g:${subject.name}`
      if (subject.kind === 'User') return `u:${subject.name}`
      return `u:system:serviceaccount:${subject.namespace || binding.metadata.namespace || ''}:${subject.name}`
    }),
  )
}

function place<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let found = map.get(key)
  if (!found) map.set(key, (found = new Map()))
  return found
}
