import type { DeepReadonly, KubeObject, admissionregistration } from '#api'
import { StatusError, errors } from '#api'
import { equalJson } from '../../patch/index.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import type { Attributes } from './attributes.ts'
import { attributesOf, inVersion } from './attributes.ts'
import type { Hook } from './hooks.ts'
import { hookSource, isExempt } from './hooks.ts'
import type { Inputs } from './inputs.ts'
import { evaluation } from './lazy-evaluation.ts'
import type { Match } from './matching.ts'
import { matches } from './matching.ts'
import type { MutatingEvaluator } from './mutating-policy.ts'
import type { Param } from './params.ts'
import { collectParams } from './params.ts'
import { errorType } from './policy-metrics.ts'
import type { PolicyPluginOptions } from './validating-plugin.ts'
import { namespaceOf } from './validating-plugin.ts'

type Policy = admissionregistration.MutatingAdmissionPolicy
type Binding = admissionregistration.MutatingAdmissionPolicyBinding
type MutatingHook = Hook<Policy, Binding, MutatingEvaluator>

export interface MutatingPolicyOptions extends PolicyPluginOptions {
  /** Fills in the defaults of an object in the form that the request has. */
  setDefaults(request: AdmissionRequest, object: KubeObject): void
}

/** A policy, what binds it and one of its parameters, for a request that they match. */
interface Invocation {
  hook: MutatingHook
  binding: DeepReadonly<Binding>
  match: Match
  param: Param | undefined
}

interface Failure {
  hook: MutatingHook
  binding: DeepReadonly<Binding> | undefined
  message: string
  reason?: string
}

/** MutatingAdmissionPolicies: each changes the object that those before it made. Policies that want to see what was changed after them run once more. */
export function mutatingAdmissionPolicy(options: MutatingPolicyOptions): AdmissionPlugin {
  const { reader, conversions, clock, metrics } = options
  const source = hookSource<Policy, Binding, MutatingEvaluator>({
    reader,
    conversions,
    policies: 'mutatingadmissionpolicies',
    bindings: 'mutatingadmissionpolicybindings',
    compile(policy) {
      const began = clock.monotonic()
      const evaluator = evaluation().compileMutatingPolicy(policy, options.makeEnvironment)
      metrics.compiled((clock.monotonic() - began) / 1000)
      return evaluator
    },
  })

  /** Who has something to say of a request, in order. */
  function collect(attributes: Attributes, fail: (failure: Failure) => void): Invocation[] {
    const found: Invocation[] = []
    for (const hook of source.hooks()) {
      const misconfigured = (error: unknown, binding?: DeepReadonly<Binding>) =>
        fail({ hook, binding, message: `failed to configure ${binding ? 'binding' : 'policy'}: ${(error as Error).message}` })
      let match: Match | undefined
      try {
        match = matches(attributes, hook.policy.spec.matchConstraints!, reader)
      } catch (error) {
        misconfigured(error)
        continue
      }
      if (!match) continue
      if (hook.configurationError) {
        misconfigured(new Error(hook.configurationError))
        continue
      }
      for (const binding of hook.bindings) {
        const { matchResources, paramRef } = binding.spec
        try {
          if (matchResources && !matches(attributes, matchResources, reader)) continue
          for (const param of collectParams(hook.params, paramRef, attributes.namespace)) found.push({ hook, binding, match, param })
        } catch (error) {
          misconfigured(error, binding)
        }
      }
    }
    return found
  }

  function invoke(invocation: Invocation, attributes: Attributes, state: Reinvocation, fail: (failure: Failure) => void): void {
    const { hook, binding, match, param } = invocation
    const { policy, evaluator } = hook
    const { request } = attributes
    const namespace = namespaceOf(attributes, reader)
    const authorizer = options.authorizerFor(attributes)
    const inputs = (): Inputs => ({ attributes, versions: inVersion(attributes, match.kind, conversions), ...match, param, namespace, authorizer })
    const matched = evaluation().conditionsMatch({ ...evaluator, inputs: inputs(), clock })
    if (matched instanceof Error) return fail({ hook, binding, message: matched.message, reason: 'Invalid' })
    if (!matched) return
    const key = keyOf(invocation)
    if (request.reinvocation === 'running' && !state.again.has(key)) return
    const before = request.object && structuredClone(request.object)
    const names = { policy: policy.metadata.name, binding: binding.metadata.name }
    for (const mutation of evaluator.mutations) {
      if (!request.object) continue
      const began = clock.monotonic()
      const seconds = () => (clock.monotonic() - began) / 1000
      try {
        const current = inputs()
        const next = inVersion(attributes, match.kind, conversions).toRequest(evaluation().mutated(mutation, evaluator.variables, current, clock))
        options.setDefaults(request, next)
        replace(request.object, next)
        metrics.observe('mutating', { ...names, error: 'no_error', action: 'allow', seconds: seconds() })
      } catch (error) {
        const { message } = error as Error
        metrics.observe('mutating', { ...names, error: errorType(true, message), action: 'deny', seconds: seconds() })
        if (error instanceof StatusError) throw error
        fail({ hook, binding, message, reason: 'Invalid' })
      }
      metrics.evaluated(seconds())
    }
    if (before && !equalJson(before, request.object)) {
      requireAgain(state)
      request.reinvocation ??= 'wanted'
    }
    if (policy.spec.reinvocationPolicy === 'IfNeeded') state.invoked.add(key)
  }

  function mutate(request: AdmissionRequest): void {
    const attributes = attributesOf(request)
    if (!attributes) return
    const failures: Failure[] = []
    const fail = (failure: Failure) => {
      if (failure.hook.evaluator.failurePolicy === 'Fail') failures.push(failure)
    }
    const invocations = collect(attributes, fail)
    if (invocations.length > 0) {
      const state = stateOf(request)
      // what other plugins changed since is for those to see who ask for it
      if (request.reinvocation === 'running' && !equalJson(state.last, request.object)) requireAgain(state)
      for (const invocation of invocations) invoke(invocation, attributes, state, fail)
      state.last = request.object && structuredClone(request.object)
    }
    if (failures.length > 0) throw refusal(attributes, failures)
  }

  return {
    name: 'MutatingAdmissionPolicy',
    handles({ operation, context: { request } }) {
      return operation !== 'DELETE' && source.hooks().length > 0 && request.resource !== undefined && !isExempt(request.resource)
    },
    mutate(request) {
      const showName = hideGeneratedName(request)
      try {
        mutate(request)
      } finally {
        showName()
      }
    },
  }
}

/** Takes away a name that is not the client's while policies look at the object. Answers how it comes back. */
function hideGeneratedName({ object, nameIsGenerated }: AdmissionRequest): () => void {
  const name = nameIsGenerated ? object?.metadata.name : undefined
  if (!object || !name) return () => {}
  // its place among the fields stays
  ;(object.metadata as { name: string | undefined }).name = undefined
  return () => {
    object.metadata.name ||= name
  }
}

/** What a request has to remember between the two runs of its plugins. */
interface Reinvocation {
  /** The object as policies left it. */
  last: KubeObject | undefined
  /** Who ran and would run again. */
  invoked: Set<string>
  /** Who is to run again. */
  again: Set<string>
}

const states = new WeakMap<AdmissionRequest, Reinvocation>()

function stateOf(request: AdmissionRequest): Reinvocation {
  let state = states.get(request)
  if (!state) states.set(request, (state = { last: undefined, invoked: new Set(), again: new Set() }))
  return state
}

function requireAgain(state: Reinvocation): void {
  for (const key of state.invoked) state.again.add(key)
  state.invoked = new Set()
}

const keyOf = ({ hook, binding, param }: Invocation) =>
  [hook.policy.metadata.name, binding.metadata.name, param?.metadata.namespace ?? '', param?.metadata.name ?? ''].join('/')

/** The request's object stays the same value: others hold it. */
function replace(target: KubeObject, next: KubeObject): void {
  const fields = target as unknown as Record<string, unknown>
  for (const key of Object.keys(fields)) if (!(key in next)) delete fields[key]
  Object.assign(fields, next)
}

/** The first failure is what the answer says, all are its causes. */
function refusal({ resource, name, request }: Attributes, failures: readonly Failure[]): StatusError {
  const messages = failures.map(({ hook, binding, message }) => {
    const policy = hook.policy.metadata.name
    return binding
      ? `policy '${policy}' with binding '${binding.metadata.name}' denied request: ${message}`
      : `policy ${JSON.stringify(policy)} denied request: ${message}`
  })
  const { status } = errors.forbidden(resource, name || request.object?.metadata?.generateName || 'Unknown', 'admission request denied by policy')
  const { reason } = failures[0]!
  return new StatusError({
    ...status,
    message: messages[0]!,
    ...(reason ? { reason } : {}),
    details: { ...status.details, causes: messages.map((message) => ({ message }) as never) },
  })
}
