import {
  type FieldRequirement,
  type LabelRequirement,
  SelectorError,
  dns1123Label,
  dns1123Subdomain,
  parseFieldSelector,
  parseLabelSelector,
} from '#api'
import type { EstimatedArgument, Library, Overload } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Opaque, type Value } from '../values.ts'
import { sizeOf } from '../values/size.ts'
import { add, estimates, exactly, listCost, scale, structCost, traversalFactor } from './costs.ts'

/** Who asks. */
export interface AuthorizationSubject {
  name: string
  groups: readonly string[]
  uid?: string
  extra?: Readonly<Record<string, readonly string[]>>
}

/** A selector of a check. What cannot be parsed counts as none; authorizers learn that there was one. */
export type CheckedSelector<Requirement> = { requirements: readonly Requirement[] } | { error: string }

/** What an expression asks: may this user do this. */
export type AuthorizationQuestion =
  | { user: AuthorizationSubject; verb: string; path: string }
  | {
      user: AuthorizationSubject
      verb: string
      path?: undefined
      group: string
      resource: string
      /** Empty where the expression names none; an empty namespace is the cluster's scope. */
      subresource: string
      namespace: string
      name: string
      fieldSelector?: CheckedSelector<FieldRequirement>
      labelSelector?: CheckedSelector<LabelRequirement>
    }

export interface AuthorizationAnswer {
  allowed: boolean
  reason: string
  /** Why the question could not be answered. */
  error?: string
}

/** Answers at once: expressions do not wait. */
export type Authorize = (question: AuthorizationQuestion) => AuthorizationAnswer

const named = (name: string): CelType => types.opaque(`kubernetes.authorization.${name}`)
export const authorizerType = named('Authorizer')
export const pathCheckType = named('PathCheck')
export const groupCheckType = named('GroupCheck')
export const resourceCheckType = named('ResourceCheck')
export const decisionType = named('Decision')

/** The variable `authorizer`. */
export class AuthorizerValue extends Opaque {
  readonly type: CelType = authorizerType
  readonly user: AuthorizationSubject
  readonly authorize: Authorize

  constructor(user: AuthorizationSubject, authorize: Authorize) {
    super()
    this.user = user
    this.authorize = authorize
  }
}

class PathCheck extends Opaque {
  readonly type: CelType = pathCheckType
  readonly authorizer: AuthorizerValue
  readonly path: string

  constructor(authorizer: AuthorizerValue, path: string) {
    super()
    this.authorizer = authorizer
    this.path = path
  }

  check(verb: string): Decision {
    const { user, authorize } = this.authorizer
    return new Decision(authorize({ user, verb, path: this.path }))
  }
}

class GroupCheck extends Opaque {
  readonly type: CelType = groupCheckType
  readonly authorizer: AuthorizerValue
  readonly group: string

  constructor(authorizer: AuthorizerValue, group: string) {
    super()
    this.authorizer = authorizer
    this.group = group
  }
}

export interface CheckedResource {
  group: string
  resource: string
  subresource: string
  namespace: string
  name: string
}

/** The variable `authorizer.requestResource`, and what `resource()` makes. */
export class ResourceCheckValue extends Opaque {
  readonly type: CelType = resourceCheckType
  readonly authorizer: AuthorizerValue
  readonly resource: CheckedResource
  readonly selectors: { fieldSelector?: string; labelSelector?: string }

  constructor(authorizer: AuthorizerValue, resource: CheckedResource, selectors: { fieldSelector?: string; labelSelector?: string } = {}) {
    super()
    this.authorizer = authorizer
    this.resource = resource
    this.selectors = selectors
  }

  with(more: Partial<CheckedResource>): ResourceCheckValue {
    return new ResourceCheckValue(this.authorizer, { ...this.resource, ...more }, this.selectors)
  }

  withSelectors(more: { fieldSelector?: string; labelSelector?: string }): ResourceCheckValue {
    return new ResourceCheckValue(this.authorizer, this.resource, { ...this.selectors, ...more })
  }

  check(verb: string): Decision {
    const { user, authorize } = this.authorizer
    const { fieldSelector, labelSelector } = this.selectors
    return new Decision(
      authorize({
        user,
        verb,
        ...this.resource,
        ...(fieldSelector && { fieldSelector: selectorOf(() => parseFieldSelector(fieldSelector)) }),
        ...(labelSelector && { labelSelector: selectorOf(() => parseLabelSelector(labelSelector).requirements ?? []) }),
      }),
    )
  }
}

function selectorOf<Requirement>(parse: () => readonly Requirement[]): CheckedSelector<Requirement> {
  try {
    return { requirements: parse() }
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    return { error: error.message }
  }
}

class Decision extends Opaque {
  readonly type: CelType = decisionType
  readonly answer: AuthorizationAnswer

  constructor(answer: AuthorizationAnswer) {
    super()
    this.answer = answer
  }
}

function serviceAccount(authorizer: AuthorizerValue, namespace: string, name: string): Value {
  if (dns1123Subdomain(name).length > 0) return new CelError('Invalid service account name')
  if (dns1123Label(namespace).length > 0) return new CelError('Invalid service account namespace')
  const user = {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  }
  return new AuthorizerValue(user, authorizer.authorize)
}

// two checks are as much as one expression may do
const checkCost = 350_000

const member = (id: string, parameters: CelType[], result: CelType, call: Overload['call'], cost = 1): Overload => ({
  id,
  parameters,
  result,
  member: true,
  call,
  cost: () => cost,
  estimate: estimates(cost),
})

const step = (id: string, field: keyof CheckedResource): Overload[] => [
  member(id, [resourceCheckType, types.string], resourceCheckType, (check, text) => (check as ResourceCheckValue).with({ [field]: text as string })),
]

const answer = (id: string, result: CelType, of: (answer: AuthorizationAnswer) => Value): Overload[] => [
  member(id, [decisionType], result, (decision) => of((decision as Decision).answer)),
]

/** `kubernetes.authz`: what users may do. */
export const authz: Library = {
  name: 'kubernetes.authz',
  functions: {
    path: [
      member('authorizer_path', [authorizerType, types.string], pathCheckType, (authorizer, path) =>
        (path as string).trim() === '' ? new CelError('path must not be empty') : new PathCheck(authorizer as AuthorizerValue, path as string),
      ),
    ],
    group: [
      member(
        'authorizer_group',
        [authorizerType, types.string],
        groupCheckType,
        (authorizer, group) => new GroupCheck(authorizer as AuthorizerValue, group as string),
      ),
    ],
    serviceAccount: [
      member('authorizer_serviceaccount', [authorizerType, types.string, types.string], authorizerType, (authorizer, namespace, name) =>
        serviceAccount(authorizer as AuthorizerValue, namespace as string, name as string),
      ),
    ],
    resource: [
      member('groupcheck_resource', [groupCheckType, types.string], resourceCheckType, (check, resource) => {
        if ((resource as string).trim() === '') return new CelError('resource must not be empty')
        const { authorizer, group } = check as GroupCheck
        return new ResourceCheckValue(authorizer, { group, resource: resource as string, subresource: '', namespace: '', name: '' })
      }),
    ],
    subresource: step('resourcecheck_subresource', 'subresource'),
    namespace: step('resourcecheck_namespace', 'namespace'),
    name: step('resourcecheck_name', 'name'),
    check: [
      member('pathcheck_check', [pathCheckType, types.string], decisionType, (check, verb) => (check as PathCheck).check(verb as string), checkCost),
      member(
        'resourcecheck_check',
        [resourceCheckType, types.string],
        decisionType,
        (check, verb) => (check as ResourceCheckValue).check(verb as string),
        checkCost,
      ),
    ],
    errored: answer('decision_errored', types.bool, ({ error }) => error !== undefined),
    error: answer('decision_error', types.string, ({ error }) => error ?? ''),
    allowed: answer('decision_allowed', types.bool, ({ allowed }) => allowed),
    reason: answer('decision_reason', types.string, ({ reason }) => reason),
  },
}

/** Reads the selector, and makes a list of requirements: the shortest has two characters (`k,`). */
const selectorCost = (size: EstimatedArgument['size']) =>
  add(add(exactly(listCost), scale(size, traversalFactor)), scale(scale(size, 0.5), listCost + structCost))

const selector = (id: string, field: 'fieldSelector' | 'labelSelector'): Overload[] => [
  {
    id,
    parameters: [resourceCheckType, types.string],
    result: resourceCheckType,
    member: true,
    call: (check, text) => (check as ResourceCheckValue).withSelectors({ [field]: text as string }),
    cost: ([, text]) => Number(selectorCost(exactly(sizeOf(text!))).max),
    estimate: ([, text]) => ({ cost: selectorCost(text!.size) }),
  },
]

/** `kubernetes.authzSelectors`: checks of what selectors select. */
export const authzSelectors: Library = {
  name: 'kubernetes.authzSelectors',
  functions: {
    fieldSelector: selector('authorizer_fieldselector', 'fieldSelector'),
    labelSelector: selector('authorizer_labelselector', 'labelSelector'),
  },
}
