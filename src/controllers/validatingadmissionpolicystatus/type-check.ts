import { type DeepReadonly, type Kind, type admissionregistration, apiVersionOf } from '#api'
import { CompileError, type DeclaredTypes, type Environment, declaredKind, declaredTypes, policyEnvironment, unionTypes, variableTypes } from '#cel'
import { kindsToCheck } from './kinds.ts'

type Policy = DeepReadonly<admissionregistration.ValidatingAdmissionPolicy>

/**
 * What is wrong with a policy's expressions when objects have the types of the kinds that it names: a field that one of them does not have, say. The policy works all
 * the same (upstream's TypeChecker).
 */
export function typeWarnings(policy: Policy): admissionregistration.ExpressionWarning[] {
  const { validations = [], paramKind } = policy.spec
  const params = paramKind && typesOf(paramKind.apiVersion ?? '', paramKind.kind ?? '', 'params')
  const checks = kindsToCheck(policy).flatMap((kind): Check[] => {
    const object = typesOf(apiVersionOf(kind), kind.kind, kind.kind)
    return object ? [{ kind, environment: environmentOf(policy, object, params) }] : []
  })
  const warnings: admissionregistration.ExpressionWarning[] = []
  const check = (field: string, expression: string | undefined) => {
    const wrong = expression ? problems(expression, checks) : []
    if (wrong.length > 0) warnings.push({ fieldRef: field, warning: wrong.join('\n') })
  }
  validations.forEach(({ expression, messageExpression }, i) => {
    check(`spec.validations[${i}].expression`, expression)
    check(`spec.validations[${i}].messageExpression`, messageExpression)
  })
  return warnings
}

interface Check {
  kind: Kind
  environment: Environment
}

function typesOf(apiVersion: string, kind: string, name: string): DeclaredTypes | undefined {
  const declared = declaredKind(apiVersion, kind)
  return declared && declaredTypes(name, declared)
}

/** With the policy's variables, as far as they compile: others are of any type. */
function environmentOf({ spec }: Policy, object: DeclaredTypes, params: DeclaredTypes | undefined): Environment {
  const variables = variableTypes()
  const environment = policyEnvironment({
    params: params?.type ?? spec.paramKind !== undefined,
    authorizer: 'alone',
    variables,
    object: object.type,
    types: unionTypes(params ? [object.provider, params.provider] : [object.provider]),
  })
  for (const { name, expression } of spec.variables ?? []) variables.add(name, typeIn(environment, expression))
  return environment
}

function typeIn(environment: Environment, expression: string) {
  try {
    return environment.compile(expression).resultType
  } catch (error) {
    if (error instanceof CompileError) return undefined
    throw error
  }
}

/** A text for each kind with which the expression does not compile. */
function problems(expression: string, checks: readonly Check[]): string[] {
  return checks.flatMap(({ kind: { group, version, kind }, environment }) => {
    try {
      environment.compile(expression)
      return []
    } catch (error) {
      if (!(error instanceof CompileError)) throw error
      return [`${group}/${version}, Kind=${kind}: ${error.message}\n`]
    }
  })
}
