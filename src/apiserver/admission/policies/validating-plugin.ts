import type { DeepReadonly, admissionregistration } from '#api'
import { StatusError, errors, statusCodes } from '#api'
import type { Clock } from '#base'
import type { ObjectReader } from '../../object-reader.ts'
import type { Conversions } from '../../registry/registry.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { Attributes } from './attributes.ts'
import { attributesOf, inVersion } from './attributes.ts'
import type { Hook } from './hooks.ts'
import { hookSource, isExempt } from './hooks.ts'
import type { AuthorizerValues } from './inputs.ts'
import { matches, namespaceObject } from './matching.ts'
import { collectParams } from './params.ts'
import type { PolicyAction, PolicyMetrics } from './policy-metrics.ts'
import { errorType } from './policy-metrics.ts'
import type { Annotation, Decision, MakeEnvironment, ValidatingEvaluator } from './validating-policy.ts'
import { evaluation } from './lazy-evaluation.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy
type Binding = admissionregistration.ValidatingAdmissionPolicyBinding
type ValidatingHook = Hook<Policy, Binding, ValidatingEvaluator>

export interface PolicyPluginOptions {
  reader: ObjectReader
  conversions: Conversions
  clock: Clock
  metrics: PolicyMetrics
  makeEnvironment: MakeEnvironment
  /** What expressions may ask about who may do what. */
  authorizerFor(attributes: Attributes): AuthorizerValues
}

/** Why a request is refused, and by what. */
interface Denial {
  policy: string
  binding: string | undefined
  message: string
  reason: string
}

/** ValidatingAdmissionPolicies: what their expressions say of every request that they and their bindings match. */
export function validatingAdmissionPolicy(options: PolicyPluginOptions): AdmissionPlugin {
  const { reader, conversions, clock, metrics } = options
  const source = hookSource<Policy, Binding, ValidatingEvaluator>({
    reader,
    conversions,
    policies: 'validatingadmissionpolicies',
    bindings: 'validatingadmissionpolicybindings',
    compile(policy) {
      const began = clock.monotonic()
      const evaluator = evaluation().compileValidatingPolicy(policy, options.makeEnvironment)
      metrics.compiled((clock.monotonic() - began) / 1000)
      return evaluator
    },
  })

  /** What one policy says. */
  function judge(hook: ValidatingHook, attributes: Attributes, deny: (denial: Denial) => void): void {
    const { policy, evaluator } = hook
    const { name } = policy.metadata
    const misconfigured = (error: unknown, binding?: string) => {
      if (evaluator.failurePolicy === 'Ignore') return
      const what = binding === undefined ? 'policy' : 'binding'
      deny({ policy: name, binding, message: `failed to configure ${what}: ${(error as Error).message}`, reason: '' })
    }
    let match
    try {
      match = matches(attributes, policy.spec.matchConstraints!, reader)
    } catch (error) {
      return misconfigured(error)
    }
    if (!match) return
    if (hook.configurationError) return misconfigured(new Error(hook.configurationError))
    const versions = inVersion(attributes, match.kind, conversions)
    const authorizer = options.authorizerFor(attributes)
    const published = new Map<string, string[]>()
    for (const binding of hook.bindings) {
      const { paramRef, matchResources } = binding.spec
      let params
      try {
        if (matchResources && !matches(attributes, matchResources, reader)) continue
        params = collectParams(hook.params, paramRef, attributes.namespace)
      } catch (error) {
        misconfigured(error, binding.metadata.name)
        continue
      }
      const namespace = params.length > 0 ? namespaceOf(attributes, reader) : undefined
      for (const param of params) {
        const began = clock.monotonic()
        const verdict = evaluation().validateBy(evaluator, { attributes, versions, ...match, param, namespace, authorizer }, clock)
        metrics.evaluated((clock.monotonic() - began) / 1000)
        verdict.decisions.forEach((decision, i) => enforce(decision, i, policy, binding, attributes, deny))
        for (const annotation of verdict.annotations) publish(annotation, policy, binding, published, deny)
      }
    }
    for (const [key, values] of published) annotate(attributes, `${name}/${key}`, values.join(', '))
  }

  function observeDecision(
    { failed, message, seconds }: Decision,
    policy: DeepReadonly<Policy>,
    binding: DeepReadonly<Binding>,
    action: PolicyAction,
  ) {
    const names = { policy: policy.metadata.name, binding: binding.metadata.name }
    metrics.observe('validating', { ...names, error: errorType(failed, message), action, seconds })
  }

  function enforce(
    decision: Decision,
    index: number,
    policy: DeepReadonly<Policy>,
    binding: DeepReadonly<Binding>,
    attributes: Attributes,
    deny: (denial: Denial) => void,
  ): void {
    const { action, message, reason } = decision
    const names = { policy: policy.metadata.name, binding: binding.metadata.name }
    if (action === 'admit') {
      if (decision.failed) observeDecision(decision, policy, binding, 'allow')
      return
    }
    const { validationActions = [] } = binding.spec
    for (const wanted of validationActions) {
      if (wanted === 'Deny') {
        deny({ ...names, message, reason })
        observeDecision(decision, policy, binding, 'deny')
      } else if (wanted === 'Audit') {
        const failures = [{ message, policy: binding.spec.policyName ?? '', binding: names.binding, expressionIndex: index, validationActions }]
        annotate(attributes, 'validation.policy.admission.k8s.io/validation_failure', JSON.stringify(failures))
        observeDecision(decision, policy, binding, 'audit')
      } else {
        attributes.request.context.warnings?.push(
          `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`,
        )
        observeDecision(decision, policy, binding, 'warn')
      }
    }
  }

  function publish(
    annotation: Annotation,
    policy: DeepReadonly<Policy>,
    binding: DeepReadonly<Binding>,
    published: Map<string, string[]>,
    deny: (denial: Denial) => void,
  ): void {
    if ('error' in annotation) {
      const names = { policy: policy.metadata.name, binding: binding.metadata.name }
      const { error, seconds } = annotation
      deny({ ...names, message: error, reason: '' })
      metrics.observe('validating', { ...names, error: errorType(true, error), action: 'deny', seconds })
      return
    }
    const value = cut(annotation.value)
    const others = published.get(annotation.key)
    if (!others) published.set(annotation.key, [value])
    else if (!others.includes(value)) others.push(value)
  }

  return {
    name: 'ValidatingAdmissionPolicy',
    handles({ context: { request } }) {
      return source.hooks().length > 0 && request.resource !== undefined && !isExempt(request.resource)
    },
    validate(request) {
      const attributes = attributesOf(request)
      if (!attributes) return
      let first: Denial | undefined
      for (const hook of source.hooks()) judge(hook, attributes, (denial) => void (first ??= denial))
      if (first) throw refusal(attributes, first)
    },
  }
}

/** Of the namespace that a request is in. Throws NotFound. */
export function namespaceOf({ kind, namespace }: Attributes, reader: ObjectReader) {
  const isNamespace = kind.group === '' && kind.version === 'v1' && kind.kind === 'Namespace'
  return namespace === '' || isNamespace ? undefined : namespaceObject(reader, namespace)
}

const longestValue = 10 * 1024

/** To as many bytes as an annotation of the audit event may have. */
function cut(value: string): string {
  if (Buffer.byteLength(value) <= longestValue) return value
  return Buffer.from(value).subarray(0, longestValue).toString()
}

/** What was said first stays. */
const said = new WeakMap<object, Set<string>>()

function annotate({ request }: Attributes, key: string, value: string): void {
  let keys = said.get(request)
  if (!keys) said.set(request, (keys = new Set()))
  if (keys.has(key)) return
  keys.add(key)
  request.context.annotate?.(key, value)
}

function refusal({ resource, name }: Attributes, { policy, binding, message: why, reason }: Denial): StatusError {
  const by = binding === undefined ? '' : ` with binding '${binding}'`
  const message = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${why}`
  const { status } = errors.forbidden(resource, name || 'Unknown', message)
  const told = reason || 'Invalid'
  return new StatusError({
    ...status,
    reason: told,
    code: codes[told] ?? statusCodes.Invalid,
    details: { ...status.details, causes: [{ message } as never] },
  })
}

/** Of the reasons that a validation may give. */
const codes: Readonly<Record<string, number>> = {
  Forbidden: statusCodes.Forbidden,
  Unauthorized: statusCodes.Unauthorized,
  RequestEntityTooLarge: statusCodes.RequestEntityTooLarge,
  Invalid: statusCodes.Invalid,
}
