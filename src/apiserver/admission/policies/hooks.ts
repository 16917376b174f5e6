import type { DeepReadonly, KubeObject, admissionregistration } from '#api'
import { kindOf, parseApiVersion } from '#api'
import type { ObjectReader } from '../../object-reader.ts'
import type { Conversions } from '../../registry/registry.ts'
import { printKind } from './attributes.ts'
import type { ParamSource } from './params.ts'

const group = 'admissionregistration.k8s.io'

type PolicyObject = KubeObject & { spec: { paramKind?: admissionregistration.ParamKind } }
type BindingObject = KubeObject & { spec: { policyName?: string } }

/** A policy with what binds it, ready to be evaluated (upstream's PolicyHook). */
export interface Hook<Policy, Binding, Evaluator> {
  policy: DeepReadonly<Policy>
  bindings: readonly DeepReadonly<Binding>[]
  /** Of the policy's `paramKind`. */
  params: ParamSource | undefined
  /** What keeps the policy from being evaluated, such as a `paramKind` that there is not. */
  configurationError: string | undefined
  evaluator: Evaluator
}

export interface HookSource<Policy, Binding, Evaluator> {
  /** Policies that are bound, in the order of their names. */
  hooks(): readonly Hook<Policy, Binding, Evaluator>[]
}

export interface HookSourceOptions<Policy, Evaluator> {
  reader: ObjectReader
  conversions: Conversions
  /** Plural, of the policies; their bindings' is it with `bindings`. */
  policies: string
  bindings: string
  /** Compiles a policy: once for each of its versions. */
  compile(policy: DeepReadonly<Policy>): Evaluator
}

/**
 * Follows policies and their bindings. What is written counts for the next request; between writes, asking costs nothing. A policy that
 * nothing binds is none.
 */
export function hookSource<Policy extends PolicyObject, Binding extends BindingObject, Evaluator>(
  options: HookSourceOptions<Policy, Evaluator>,
): HookSource<Policy, Binding, Evaluator> {
  const { reader, conversions } = options
  let current: Hook<Policy, Binding, Evaluator>[] | undefined
  let following = false
  const evaluators = new WeakMap<DeepReadonly<Policy>, Evaluator>()
  const changed = () => {
    current = undefined
  }

  function evaluatorOf(policy: DeepReadonly<Policy>): Evaluator {
    let evaluator = evaluators.get(policy)
    if (evaluator === undefined) evaluators.set(policy, (evaluator = options.compile(policy)))
    return evaluator
  }

  function collect(): Hook<Policy, Binding, Evaluator>[] {
    const bound = new Map<string, DeepReadonly<Binding>[]>()
    for (const binding of sorted(reader.list<Binding>(group, options.bindings))) {
      const name = binding.spec.policyName ?? ''
      const others = bound.get(name)
      if (others) others.push(binding)
      else bound.set(name, [binding])
    }
    const made: Hook<Policy, Binding, Evaluator>[] = []
    for (const name of [...bound.keys()].sort()) {
      const policy = reader.get<Policy>(group, options.policies, '', name)
      if (!policy) continue
      const { paramKind } = policy.spec
      const kind = paramKind && kindOf(paramKind.apiVersion ?? '', paramKind.kind ?? '')
      const unknown = paramKind && !kind ? { ...parseApiVersion(paramKind.apiVersion ?? ''), kind: paramKind.kind ?? '' } : undefined
      made.push({
        policy,
        bindings: bound.get(name)!,
        params: kind && { reader, conversions, kind },
        configurationError: unknown && `failed to find resource referenced by paramKind: '${printKind(unknown)}'`,
        evaluator: evaluatorOf(policy),
      })
    }
    return made
  }

  return {
    hooks() {
      if (current) return current
      if (!following) {
        following = true
        reader.onChange(group, options.policies, changed)
        reader.onChange(group, options.bindings, changed)
      }
      return (current = collect())
    },
  }
}

const sorted = <T extends DeepReadonly<KubeObject>>(objects: readonly T[]) =>
  objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0))

/** Policies must not keep anybody from mending policies, nor reviews from being answered. */
const exempt: ReadonlySet<string> = new Set([
  ...['validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'].map(
    (name) => `${group}/${name}`,
  ),
  ...['selfsubjectreviews', 'tokenreviews'].map((name) => `authentication.k8s.io/${name}`),
  ...['localsubjectaccessreviews', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'subjectaccessreviews'].map(
    (name) => `authorization.k8s.io/${name}`,
  ),
])

export const isExempt = (about: { group: string; resource: string }): boolean => exempt.has(`${about.group}/${about.resource}`)
