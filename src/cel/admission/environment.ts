import type { Environment } from '../environment.ts'
import { kubernetesEnvironment } from '../kubernetes.ts'
import { authorizerType, jsonPatch, resourceCheckType } from '../libraries/index.ts'
import { type CelType, type TypeProvider, types } from '../types.ts'
import { patchTypes } from './patch-types.ts'
import { requestTypes } from './request-types.ts'
import { unionTypes } from './union-types.ts'
import { type VariableTypes, variablesType } from './variables.ts'

export interface PolicyEnvironmentOptions {
  /** There is `params`: of any type, or of one. */
  params: boolean | CelType
  /** There are `authorizer` and `authorizer.requestResource`, or the first alone. */
  authorizer: boolean | 'alone'
  /** There are literals of `Object` and `JSONPatch`. */
  patches?: boolean
  /** There is `variables`, of these. */
  variables?: VariableTypes
  /** The type of `object` and `oldObject`; any when absent. */
  object?: CelType
  /** Knows the types of `object` and `params`. */
  types?: TypeProvider
}

/** The environment of expressions in admission policies and in match conditions of webhooks (upstream's admission/plugin/cel). */
export function policyEnvironment(options: PolicyEnvironmentOptions): Environment {
  const { params, authorizer, patches = false, variables, object } = options
  // those that are about no policy in particular never change
  if (variables || object || typeof params !== 'boolean') return makeEnvironment(options)
  const key = `${params} ${authorizer} ${patches}`
  let made = environments.get(key)
  if (!made) environments.set(key, (made = makeEnvironment(options)))
  return made
}

const environments = new Map<string, Environment>()

function makeEnvironment({ params, authorizer, patches = false, variables, object = types.dyn, types: more }: PolicyEnvironmentOptions): Environment {
  const declared: Record<string, CelType> = {
    object,
    oldObject: object,
    namespaceObject: types.object('kubernetes.Namespace'),
    request: types.object('kubernetes.AdmissionRequest'),
  }
  if (params) declared['params'] = params === true ? types.dyn : params
  if (authorizer) {
    declared['authorizer'] = authorizerType
    if (authorizer !== 'alone') declared['authorizer.requestResource'] = resourceCheckType
  }
  if (variables) declared['variables'] = types.object(variablesType)
  const known = [requestTypes, variables, patches ? patchTypes : undefined, more].filter((each) => each !== undefined)
  return kubernetesEnvironment().extend({ variables: declared, types: unionTypes(known), ...(patches ? { libraries: [jsonPatch] } : {}) })
}
