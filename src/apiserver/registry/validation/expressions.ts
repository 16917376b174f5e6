import type { CelType, Environment } from '#cel'
import { evaluation } from '../../admission/policies/lazy-evaluation.ts'
import { type Causes, invalid } from './causes.ts'

export interface ExpressionRules {
  environment: Environment
  /** The types that the value may be of; any when absent. */
  returns?: readonly CelType[]
  /** What the cause shows as the value, where that is not the expression. */
  shown?: string
}

/** Says what is wrong with an expression. Answers its type when nothing is. */
export function validateExpression(
  causes: Causes,
  path: string,
  expression: string,
  { environment, returns, shown }: ExpressionRules,
): CelType | undefined {
  const { program, error } = evaluation().compileExpression(environment, expression, returns)
  if (error !== undefined) causes.push(invalid(path, shown ?? expression, error))
  return program?.resultType
}
