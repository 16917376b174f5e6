import type { DeepReadonly, admissionregistration } from '#api'
import type { Clock } from '#base'
import type { Environment } from '#cel'
import { types } from '#cel'
import type { Compiled, NamedExpression } from './expressions.ts'
import { OutOfBudget, activation, compileExpression, evaluate, matchConditionsBudget } from './expressions.ts'
import type { Inputs } from './inputs.ts'
import { variablesOf } from './inputs.ts'

export type FailurePolicy = 'Fail' | 'Ignore'

export const failurePolicyOf = (policy: string | undefined): FailurePolicy => (policy === 'Ignore' ? 'Ignore' : 'Fail')

export function compileConditions(environment: Environment, conditions: DeepReadonly<admissionregistration.MatchCondition[]> = []): Compiled[] {
  return conditions.map(({ expression }) => compileExpression(environment, expression, [types.bool]))
}

export interface ConditionsOptions {
  conditions: readonly Compiled[]
  variables: readonly NamedExpression[]
  failurePolicy: FailurePolicy
  inputs: Inputs
  clock: Clock
}

/**
 * Whether all conditions hold. One that does not hold decides, whatever became of the others. Answers Error where one cannot be evaluated and that counts as a
 * failure; where it is ignored, so is the request.
 */
export function conditionsMatch({ conditions, variables, failurePolicy, inputs, clock }: ConditionsOptions): boolean | Error {
  if (conditions.length === 0) return true
  const failed = (error: Error) => (failurePolicy === 'Fail' ? error : false)
  // conditions are asked before it is known what exactly was matched
  const { namespace: _, ...others } = inputs
  const names = activation(variablesOf({ ...others, resource: inputs.attributes.resource }), variables)
  const budget = { left: matchConditionsBudget }
  const wrong: string[] = []
  let results
  try {
    results = conditions.map((condition) => evaluate(condition, names, budget, clock))
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error
    return failed(error)
  }
  for (const { value, error } of results) {
    if (error !== undefined) wrong.push(error)
    else if (value === false) return false
  }
  if (wrong.length === 0) return true
  return failed(new Error(joined(wrong)))
}

/** As Go prints several errors: each once. */
export function joined(texts: readonly string[]): string {
  const each = [...new Set(texts)]
  return each.length === 1 ? each[0]! : `[${each.join(', ')}]`
}
