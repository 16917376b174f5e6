import type { DeepReadonly, KubeObject, admissionregistration, meta } from '#api'
import { StatusError, errors } from '#api'
import type { Clock } from '#base'
import type { Value } from '#cel'
import { List, toJson } from '#cel'
import { applyJsonPatch, isTestFailure } from '../../patch/index.ts'
import { decode } from '../../registry/decode.ts'
import { applyConfiguration } from './apply-configuration.ts'
import type { Compiled, NamedExpression } from './expressions.ts'
import { activation, compileExpression, evaluate, policyBudget } from './expressions.ts'
import type { Inputs } from './inputs.ts'
import { variablesOf } from './inputs.ts'
import type { FailurePolicy } from './match-conditions.ts'
import { compileConditions, failurePolicyOf } from './match-conditions.ts'
import { PatchObject, applyConfigurationType, jsonPatchesType, misplacedTypes } from '#cel'
import type { MakeEnvironment } from './validating-policy.ts'
import { compileVariables, declaredBy } from './validating-policy.ts'

type Policy = DeepReadonly<admissionregistration.MutatingAdmissionPolicy>

export interface Mutation {
  type: 'ApplyConfiguration' | 'JSONPatch'
  expression: Compiled
}

/** A policy whose expressions are compiled. What is wrong with one shows when it is evaluated. */
export interface MutatingEvaluator {
  failurePolicy: FailurePolicy
  variables: readonly NamedExpression[]
  conditions: readonly Compiled[]
  mutations: readonly Mutation[]
}

export function compileMutatingPolicy({ spec }: Policy, makeEnvironment: MakeEnvironment): MutatingEvaluator {
  const { known, options } = declaredBy(spec)
  const plain = makeEnvironment({ ...options, authorizer: true })
  const patching = makeEnvironment({ ...options, authorizer: true, patches: true })
  return {
    failurePolicy: failurePolicyOf(spec.failurePolicy),
    variables: compileVariables(plain, known, spec.variables),
    conditions: compileConditions(plain, spec.matchConditions),
    mutations: (spec.mutations ?? []).flatMap(({ patchType, jsonPatch, applyConfiguration: configuration }): Mutation[] => {
      if (patchType === 'JSONPatch' && jsonPatch)
        return [{ type: patchType, expression: compileExpression(patching, jsonPatch.expression ?? '', [jsonPatchesType]) }]
      if (patchType === 'ApplyConfiguration' && configuration)
        return [{ type: patchType, expression: compileExpression(patching, configuration.expression ?? '', [applyConfigurationType]) }]
      return []
    }),
  }
}

/**
 * The object that a mutation makes of `inputs.versions.object`, in the same version. Throws Error in upstream's words, for its policy's
 * failurePolicy to weigh, and StatusError for what is no policy's to ignore.
 */
export function mutated({ type, expression }: Mutation, variables: readonly NamedExpression[], inputs: Inputs, clock: Clock): KubeObject {
  if (!expression.program) throw new Error(expression.error)
  const { value, error } = evaluate(expression, activation(variablesOf(inputs), variables), { left: policyBudget }, clock)
  if (error !== undefined) throw new Error(error)
  const { object } = inputs.versions
  if (type === 'JSONPatch') return patchedBy(value!, object!, inputs.kind)
  if (!(value instanceof PatchObject)) throw new Error('unsupported return type from ApplyConfiguration expression')
  checkTypes(value)
  const configuration = { ...(toJson(value) as object), apiVersion: object!.apiVersion, kind: object!.kind }
  const merged = applyConfiguration(object!, configuration)
  return decode(inputs.kind, merged, { fieldValidation: 'Ignore', warnings: [] })
}

function checkTypes(value: Value): void {
  const wrong = misplacedTypes(value)
  if (wrong) throw new Error(`type mismatch: ${wrong}`)
}

function patchedBy(value: Value, object: DeepReadonly<KubeObject>, kind: meta.GroupVersionKind): KubeObject {
  if (!(value instanceof List)) throw new Error('type mismatch: JSONPatchType.expression should evaluate to array')
  const operations = Array.from({ length: value.length }, (_, i) => operationOf(value.at(i)))
  let patched: KubeObject
  try {
    patched = applyJsonPatch(object as KubeObject, operations)
  } catch (error) {
    // a patch whose test fails is not for this object
    if (isTestFailure(error)) return object as KubeObject
    throw new Error(`JSON Patch: ${causeOf(error)}`, { cause: error })
  }
  try {
    return decode(kind, patched, { fieldValidation: 'Strict', warnings: [] })
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const [strict] = /strict decoding error: .*$/s.exec(error.message) ?? []
    throw errors.internal(strict ?? causeOf(error), { cause: error })
  }
}

const causeOf = (error: unknown) => (((error as Error).cause as Error | undefined) ?? (error as Error)).message

function operationOf(value: Value): object {
  if (!(value instanceof PatchObject)) throw new Error('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch')
  const operation: Record<string, unknown> = { op: '', path: '' }
  for (const [name, field] of value.fields) {
    if (name === 'from' && field === '') continue
    if (name === 'value') checkTypes(field instanceof PatchObject ? field : null)
    operation[name] = jsonOf(field)
  }
  return operation
}

function jsonOf(value: Value): unknown {
  try {
    return toJson(value)
  } catch (error) {
    throw new Error(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${(error as Error).message}`, { cause: error })
  }
}
