import type { DeepReadonly, admissionregistration } from '#api'
import type { Clock } from '#base'
import type { Environment, PolicyEnvironmentOptions, VariableTypes } from '#cel'
import { types, variableTypes } from '#cel'
import type { Compiled, Evaluated, NamedExpression } from './expressions.ts'
import { OutOfBudget, activation, compileExpression, evaluate, policyBudget } from './expressions.ts'

import type { Inputs } from './inputs.ts'
import { variablesOf } from './inputs.ts'
import type { FailurePolicy } from './match-conditions.ts'
import { compileConditions, conditionsMatch, failurePolicyOf } from './match-conditions.ts'

type Policy = DeepReadonly<admissionregistration.ValidatingAdmissionPolicy>
type Validation = DeepReadonly<admissionregistration.Validation>

/** A policy whose expressions are compiled. What is wrong with one shows when it is evaluated. */
export interface ValidatingEvaluator {
  failurePolicy: FailurePolicy
  variables: readonly NamedExpression[]
  conditions: readonly Compiled[]
  validations: readonly { validation: Validation; expression: Compiled; message: Compiled | undefined }[]
  annotations: readonly { key: string; expression: Compiled }[]
}

export type MakeEnvironment = (options: PolicyEnvironmentOptions) => Environment

/** Compiles variables in order: each is known to the expressions after it. */
export function compileVariables(
  environment: Environment,
  known: VariableTypes,
  variables: DeepReadonly<admissionregistration.Variable[]> = [],
): NamedExpression[] {
  return variables.map(({ name, expression }) => {
    const compiled = compileExpression(environment, expression)
    known.add(name, compiled.program?.resultType)
    return { name, ...compiled }
  })
}

const textOrNull = [types.string, types.null]

export function compileValidatingPolicy({ spec }: Policy, makeEnvironment: MakeEnvironment): ValidatingEvaluator {
  const { known, options } = declaredBy(spec)
  const full = makeEnvironment({ ...options, authorizer: true })
  // what a message says must not depend on who else may do what
  let messages: Environment | undefined
  const ofMessages = () => (messages ??= makeEnvironment({ ...options, authorizer: false }))
  return {
    failurePolicy: failurePolicyOf(spec.failurePolicy),
    variables: compileVariables(full, known, spec.variables),
    conditions: compileConditions(full, spec.matchConditions),
    validations: (spec.validations ?? []).map((validation) => ({
      validation,
      expression: compileExpression(full, validation.expression, [types.bool]),
      message: validation.messageExpression ? compileExpression(ofMessages(), validation.messageExpression, [types.string]) : undefined,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compileExpression(full, valueExpression, textOrNull),
    })),
  }
}

/** What the expressions of a policy may name. Policies without variables share their environments: making one takes a millisecond. */
export function declaredBy(spec: DeepReadonly<{ paramKind?: object; variables?: readonly object[] }>): {
  known: VariableTypes
  options: Pick<PolicyEnvironmentOptions, 'params' | 'variables'>
} {
  const known = variableTypes()
  return { known, options: { params: spec.paramKind !== undefined, ...(spec.variables?.length ? { variables: known } : {}) } }
}

/** What one validation came to. */
export interface Decision {
  action: 'admit' | 'deny'
  /** The validation could not be evaluated: its policy's failurePolicy decided. */
  failed: boolean
  message: string
  reason: string
  seconds: number
}

/** What one annotation of the audit event came to; those that say nothing are left out. */
export type Annotation = { key: string; value: string; seconds: number } | { key: string; error: string; seconds: number }

export interface Verdict {
  decisions: Decision[]
  annotations: Annotation[]
}

const longestMessage = 5 * 1024

/** What a policy says of a request, for one parameter of one binding (upstream's validator). */
export function validateBy(evaluator: ValidatingEvaluator, inputs: Inputs, clock: Clock): Verdict {
  const { failurePolicy, variables, conditions } = evaluator
  const failure = (message: string, seconds = 0): Decision => ({
    action: failurePolicy === 'Ignore' ? 'admit' : 'deny',
    failed: true,
    message,
    reason: '',
    seconds,
  })
  const matched = conditionsMatch({ conditions, variables, failurePolicy, inputs, clock })
  if (matched instanceof Error) return { decisions: [failure(matched.message)], annotations: [] }
  if (!matched) return { decisions: [], annotations: [] }
  try {
    const budget = { left: policyBudget }
    const names = activation(variablesOf(inputs), variables)
    const results = evaluator.validations.map(({ expression }) => evaluate(expression, names, budget, clock))
    // messages are wanted where something is said alone
    const refused = results.some(({ error, value }) => error === undefined && value !== true)
    const messages = refused ? evaluateMessages(evaluator, inputs, budget, clock) : []
    const decisions = results.map((result, i) => {
      if (result.error !== undefined) return failure(result.error, result.seconds)
      if (messages instanceof OutOfBudget) return failure(`failed messageExpression: ${messages.message}`, result.seconds)
      if (result.value === true) return admitted(result)
      return denied(evaluator.validations[i]!.validation, messages[i], result)
    })
    return { decisions, annotations: annotationsOf(evaluator, inputs, clock) }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error
    return { decisions: [failure(error.message)], annotations: [] }
  }
}

const admitted = ({ seconds }: Evaluated): Decision => ({ action: 'admit', failed: false, message: '', reason: '', seconds })

function denied(validation: Validation, message: Evaluated | undefined, { seconds }: Evaluated): Decision {
  const own = typeof message?.value === 'string' ? message.value.trim() : ''
  const sayable = Buffer.byteLength(own) <= longestMessage && !own.includes('\n') ? own : ''
  return {
    action: 'deny',
    failed: false,
    message: sayable || (validation.message ?? '').trim() || `failed expression: ${validation.expression.trim()}`,
    reason: validation.reason || 'Invalid',
    seconds,
  }
}

function evaluateMessages(
  { validations, variables }: ValidatingEvaluator,
  inputs: Inputs,
  budget: { left: number },
  clock: Clock,
): (Evaluated | undefined)[] | OutOfBudget {
  const names = activation(variablesOf(withoutAuthorizer(inputs)), variables)
  try {
    return validations.map(({ message }) => message && evaluate(message, names, budget, clock))
  } catch (error) {
    if (error instanceof OutOfBudget) return error
    throw error
  }
}

function withoutAuthorizer(inputs: Inputs): Inputs {
  const { authorizer: _, ...others } = inputs
  return others
}

function annotationsOf({ annotations, variables, failurePolicy }: ValidatingEvaluator, inputs: Inputs, clock: Clock): Annotation[] {
  if (annotations.length === 0) return []
  const budget = { left: policyBudget }
  const names = activation(variablesOf(withoutAuthorizer(inputs)), variables)
  const found: Annotation[] = []
  for (const { key, expression } of annotations) {
    const { value, error, seconds } = evaluate(expression, names, budget, clock)
    if (error !== undefined) {
      if (failurePolicy === 'Fail') found.push({ key, error, seconds })
    } else if (typeof value === 'string') {
      const text = value.trim()
      if (text) found.push({ key, value: text, seconds })
    }
  }
  return found
}
