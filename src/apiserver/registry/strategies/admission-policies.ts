import type { DeepReadonly, KubeObject, admissionregistration } from '#api'
import { dns1035Label, dns1123Subdomain, pathSegmentName, qualifiedName } from '#api'
import type { Environment, VariableTypes } from '#cel'
import { evaluation } from '../../admission/policies/lazy-evaluation.ts'
import type { ResourceStrategy } from '../strategy.ts'
import { failurePolicies, matchPolicies, nameWarnings, validateMatchConditions, validateRule } from '../validation/admission-rules.ts'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required, same } from '../validation/causes.ts'
import { validateExpression } from '../validation/expressions.ts'
import { validateConditions } from '../validation/conditions.ts'
import { validateLabelSelector } from '../validation/selectors.ts'
import { keepAllButStatusWithLabels, keepStatus } from './status.ts'

type Resources = admissionregistration.MatchResources
type ValidatingPolicy = admissionregistration.ValidatingAdmissionPolicy
type MutatingPolicy = admissionregistration.MutatingAdmissionPolicy
type PolicySpec = DeepReadonly<Omit<admissionregistration.MutatingAdmissionPolicySpec, 'mutations' | 'reinvocationPolicy'>>

interface Specified extends KubeObject {
  spec?: object
}

/** What policies and their bindings have in common. */
const common = {
  allowUnconditionalUpdate: false,
  looseFinalizers: true,
  warnings: nameWarnings,
  generationChanged: (object: DeepReadonly<Specified>, old: DeepReadonly<Specified>) => !same(object.spec, old.spec),
} satisfies ResourceStrategy

export const validatingAdmissionPolicyStrategy: ResourceStrategy<ValidatingPolicy> = {
  ...common,
  default: (object) => defaultPolicy((object.spec ??= {})),
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatusWithLabels,
  validateCreate: (object) => validateValidatingPolicy(object),
  validateUpdate: validateValidatingPolicy,
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    status?.typeChecking?.expressionWarnings?.forEach(({ warning, fieldRef }, i) => {
      const at = `status.typeChecking.expressionWarnings[${i}]`
      if (!warning) causes.push(required(`${at}.warning`))
      if (!fieldRef?.trim()) causes.push(required(`${at}.fieldRef`))
    })
    validateConditions(causes, 'status.conditions', status?.conditions)
    return causes
  },
}

export const mutatingAdmissionPolicyStrategy: ResourceStrategy<MutatingPolicy> = {
  ...common,
  default: (object) => defaultPolicy((object.spec ??= {})),
  validateCreate: (object) => validateMutatingPolicy(object),
  validateUpdate: validateMutatingPolicy,
}

export const validatingAdmissionPolicyBindingStrategy: ResourceStrategy<admissionregistration.ValidatingAdmissionPolicyBinding> = {
  ...common,
  default: (object) => defaultResources((object.spec ??= {}).matchResources),
  validate({ spec }) {
    const causes: Causes = []
    validateBinding(causes, spec)
    validateActions(causes, spec.validationActions ?? [])
    return causes
  },
}

export const mutatingAdmissionPolicyBindingStrategy: ResourceStrategy<admissionregistration.MutatingAdmissionPolicyBinding> = {
  ...common,
  default: (object) => defaultResources((object.spec ??= {}).matchResources),
  validate({ spec }) {
    const causes: Causes = []
    validateBinding(causes, spec)
    validateMutatedOperations(causes, 'spec.matchResources', spec.matchResources)
    return causes
  },
}

function defaultPolicy(spec: { failurePolicy?: string; matchConstraints?: Resources }): void {
  spec.failurePolicy ??= 'Fail'
  defaultResources(spec.matchConstraints)
}

function defaultResources(resources: Resources | undefined): void {
  if (!resources) return
  resources.matchPolicy ??= 'Equivalent'
  resources.namespaceSelector ??= {}
  resources.objectSelector ??= {}
  for (const rule of [...(resources.resourceRules ?? []), ...(resources.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

/** The environments of a policy's expressions. */
interface PolicyEnvironments {
  expressions: Environment
  /** Of `messageExpression`: nobody's rights are asked. */
  messages: Environment
  /** With the types of patches. */
  patches: Environment
  variables: VariableTypes
}

/** Policies without variables have no `variables` either. */
function environmentsOf(spec: PolicySpec): PolicyEnvironments {
  const { policyEnvironment, variableTypes } = evaluation().cel
  const known = variableTypes()
  const options = { params: spec.paramKind !== undefined, ...(spec.variables?.length ? { variables: known } : {}) }
  const lazily = (more: { authorizer: boolean; patches?: boolean }) => {
    let made: Environment | undefined
    return () => (made ??= policyEnvironment({ ...options, ...more }))
  }
  const [expressions, messages, patches] = [lazily({ authorizer: true }), lazily({ authorizer: false }), lazily({ authorizer: true, patches: true })]
  return {
    get expressions() {
      return expressions()
    },
    get messages() {
      return messages()
    },
    get patches() {
      return patches()
    },
    variables: known,
  }
}

function validatePolicy(causes: Causes, spec: PolicySpec, old: PolicySpec | undefined, mutating: boolean): PolicyEnvironments {
  const { failurePolicy, paramKind, matchConstraints, matchConditions } = spec
  if (failurePolicy === undefined) causes.push(required('spec.failurePolicy'))
  else if (!failurePolicies.includes(failurePolicy)) causes.push(notSupported('spec.failurePolicy', failurePolicy, failurePolicies))
  if (paramKind) validateParamKind(causes, paramKind)
  if (!matchConstraints) causes.push(required('spec.matchConstraints'))
  else {
    validateResources(causes, 'spec.matchConstraints', matchConstraints)
    if (!matchConstraints.resourceRules?.length) causes.push(required('spec.matchConstraints.resourceRules'))
    if (mutating) validateMutatedOperations(causes, 'spec.matchConstraints', matchConstraints)
  }
  // what was taken once is taken as long as nothing about it changes
  if (!old || !same(old.paramKind, paramKind) || !same(old.matchConditions, matchConditions))
    validateMatchConditions(causes, 'spec.matchConditions', matchConditions, paramKind !== undefined)
  const environments = environmentsOf(spec)
  spec.variables?.forEach(({ name, expression }, i) => {
    const at = `spec.variables[${i}]`
    if (!name?.trim()) causes.push(required(`${at}.name`, 'name is not specified'))
    else if (!isCelIdentifier(name)) causes.push(invalid(`${at}.name`, name, 'name is not a valid CEL identifier'))
    if (!expression?.trim()) causes.push(required(`${at}.expression`, 'expression is not specified'))
    else {
      const type = validateExpression(causes, `${at}.expression`, expression, { environment: environments.expressions })
      environments.variables.add(name, type)
    }
  })
  return environments
}

const maxAnnotations = 20
const maxAnnotationExpression = 5 * 1024
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']

function validateValidatingPolicy({ metadata, spec }: DeepReadonly<ValidatingPolicy>, old?: DeepReadonly<ValidatingPolicy>): Causes {
  const causes: Causes = []
  const environments = validatePolicy(causes, spec, old?.spec, false)
  const { validations = [], auditAnnotations = [] } = spec
  if (validations.length === 0 && auditAnnotations.length === 0) {
    for (const field of ['validations', 'auditAnnotations'])
      causes.push(required(`spec.${field}`, 'validations or auditAnnotations must contain at least one item'))
    return causes
  }
  validations.forEach((validation, i) => {
    const at = `spec.validations[${i}]`
    const { expression, messageExpression, message = '', reason } = validation
    if (!expression?.trim()) causes.push(required(`${at}.expression`, 'expression is not specified'))
    else validateExpression(causes, `${at}.expression`, expression, { environment: environments.expressions, returns: [evaluation().cel.types.bool] })
    if (messageExpression && !messageExpression.trim())
      causes.push(invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified'))
    else if (messageExpression)
      validateExpression(causes, `${at}.messageExpression`, messageExpression, {
        environment: environments.messages,
        returns: [evaluation().cel.types.string],
      })
    if (message && !message.trim()) causes.push(invalid(`${at}.message`, message, 'message must be non-empty if specified'))
    else if (/[\n\r]/.test(message.trim())) causes.push(invalid(`${at}.message`, message, 'message must not contain line breaks'))
    if (reason !== undefined && !reasons.includes(reason)) causes.push(notSupported(`${at}.reason`, reason, reasons))
  })
  if (auditAnnotations.length > maxAnnotations)
    causes.push(invalid('spec.auditAnnotations', auditAnnotations, `must not have more than ${maxAnnotations} auditAnnotations`))
  const { types } = evaluation().cel
  const keys = new Set<string>()
  auditAnnotations.forEach(({ key = '', valueExpression = '' }, i) => {
    const at = `spec.auditAnnotations[${i}]`
    const name = `${metadata.name}/${key}`
    invalidEach(causes, `${at}.key`, name, qualifiedName(name))
    const trimmed = valueExpression.trim()
    if (!trimmed) causes.push(required(`${at}.valueExpression`, 'valueExpression is not specified'))
    else if (Buffer.byteLength(trimmed) > maxAnnotationExpression)
      causes.push(required(`${at}.valueExpression`, `must not exceed ${maxAnnotationExpression} bytes in length`))
    else
      validateExpression(causes, `${at}.valueExpression`, trimmed, {
        environment: environments.expressions,
        returns: [types.string, types.null],
        shown: valueExpression,
      })
    if (keys.has(key)) causes.push(duplicate(`${at}.key`, key))
    keys.add(key)
  })
  return causes
}

const patches = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function validateMutatingPolicy({ spec }: DeepReadonly<MutatingPolicy>, old?: DeepReadonly<MutatingPolicy>): Causes {
  const causes: Causes = []
  const environments = validatePolicy(causes, spec, old?.spec, true)
  const { mutations = [], reinvocationPolicy } = spec
  if (mutations.length === 0) causes.push(required('spec.mutations', 'mutations must contain at least one item'))
  mutations.forEach((mutation, i) => {
    const at = `spec.mutations[${i}]`
    const type = mutation.patchType
    if (!type) {
      causes.push(required(`${at}.patchType`))
      return
    }
    if (!Object.hasOwn(patches, type)) {
      causes.push(notSupported(`${at}.patchType`, type, Object.keys(patches)))
      return
    }
    const field = patches[type]
    const other = type === 'JSONPatch' ? patches.ApplyConfiguration : patches.JSONPatch
    const patch = mutation[field]
    if (!patch) causes.push(required(`${at}.${field}`, `must be specified when patchType is ${type}`))
    else if (!patch.expression?.trim()) causes.push(required(`${at}.${field}.expression`))
    else
      validateExpression(causes, `${at}.${field}.expression`, patch.expression.trim(), {
        environment: environments.patches,
        returns: [type === 'JSONPatch' ? evaluation().cel.jsonPatchesType : evaluation().cel.applyConfigurationType],
      })
    if (mutation[other]) causes.push(invalid(`${at}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`))
  })
  if (!reinvocationPolicy) causes.push(required('spec.reinvocationPolicy'))
  else if (reinvocationPolicy !== 'Never' && reinvocationPolicy !== 'IfNeeded')
    causes.push(notSupported('spec.reinvocationPolicy', reinvocationPolicy, ['Never', 'IfNeeded']))
  return causes
}

const mutatedOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE']

/** What is deleted cannot be changed. */
function validateMutatedOperations(causes: Causes, path: string, resources: DeepReadonly<Resources> | undefined): void {
  for (const rule of resources?.resourceRules ?? [])
    for (const operation of rule.operations ?? [])
      if (!mutatedOperations.includes(operation)) causes.push(notSupported(`${path}.resourceRules.operations`, operation, mutatedOperations))
}

function validateParamKind(causes: Causes, { apiVersion = '', kind = '' }: DeepReadonly<admissionregistration.ParamKind>): void {
  const at = 'spec.paramKind.apiVersion'
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/')
  if (!apiVersion) causes.push(required(at))
  else if (parts.length > 2) causes.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else {
    const group = parts.length === 2 ? parts[0]! : ''
    const version = parts.at(-1)!
    const wrongGroup = group ? dns1123Subdomain(group) : []
    if (wrongGroup.length > 0) causes.push(invalid(at, group, wrongGroup.join(',')))
    const wrongVersion = dns1035Label(version)
    if (!version) causes.push(invalid(at, apiVersion, 'version must be specified'))
    else if (wrongVersion.length > 0) causes.push(invalid(at, version, wrongVersion.join(',')))
  }
  const wrongKind = dns1035Label(kind.toLowerCase())
  if (!kind) causes.push(required('spec.paramKind.kind'))
  else if (wrongKind.length > 0)
    causes.push(invalid('spec.paramKind.kind', kind, `may have mixed case, but should otherwise match: ${wrongKind.join(',')}`))
}

function validateResources(causes: Causes, path: string, resources: DeepReadonly<Resources>): void {
  const { matchPolicy } = resources
  if (matchPolicy === undefined) causes.push(required(`${path}.matchPolicy`))
  else if (!matchPolicies.includes(matchPolicy)) causes.push(notSupported(`${path}.matchPolicy`, matchPolicy, matchPolicies))
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    if (!resources[field]) causes.push(required(`${path}.${field}`))
    else validateLabelSelector(causes, `${path}.${field}`, resources[field])
  }
  for (const field of ['resourceRules', 'excludeResourceRules'] as const)
    resources[field]?.forEach((rule, i) => {
      const at = `${path}.${field}[${i}]`
      rule.resourceNames?.forEach((name, n) => {
        const where = `${at}.resourceNames[${n}]`
        invalidEach(causes, where, name, pathSegmentName(name))
        if (rule.resourceNames!.indexOf(name) < n) causes.push(duplicate(where, name))
      })
      validateRule(causes, at, rule)
    })
}

function validateBinding(causes: Causes, spec: DeepReadonly<admissionregistration.MutatingAdmissionPolicyBindingSpec>): void {
  const { policyName, paramRef, matchResources } = spec
  if (!policyName) causes.push(required('spec.policyName'))
  else invalidEach(causes, 'spec.policyName', policyName, dns1123Subdomain(policyName))
  if (paramRef) validateParamRef(causes, 'spec.paramRef', paramRef)
  if (matchResources) validateResources(causes, 'spec.matchResources', matchResources)
}

function validateParamRef(causes: Causes, path: string, ref: DeepReadonly<admissionregistration.ParamRef>): void {
  const { name, selector, parameterNotFoundAction: action } = ref
  const exclusive = 'name and selector are mutually exclusive'
  if (name) {
    invalidEach(causes, `${path}.name`, name, pathSegmentName(name))
    if (selector) causes.push(forbidden(`${path}.name`, exclusive))
  }
  if (selector) {
    validateLabelSelector(causes, `${path}.selector`, selector)
    if (name) causes.push(forbidden(`${path}.selector`, exclusive))
  }
  if (!name && !selector) causes.push(required(path, 'one of name or selector must be specified'))
  if (!action) causes.push(required(`${path}.parameterNotFoundAction`))
  else if (action !== 'Deny' && action !== 'Allow') causes.push(notSupported(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow']))
}

const validActions = ['Audit', 'Deny', 'Warn']

function validateActions(causes: Causes, actions: readonly string[]): void {
  const path = 'spec.validationActions'
  actions.forEach((action, i) => {
    if (!validActions.includes(action)) causes.push(notSupported(`${path}[${i}]`, action, validActions))
    if (actions.indexOf(action) < i) causes.push(duplicate(`${path}[${i}]`, action))
  })
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why = 'repeating the same validation failure information in the API response and headers serves no purpose'
    causes.push(invalid(path, actions, `must not contain both Deny and Warn (${why})`))
  }
  if (actions.length === 0) causes.push(required(path, 'at least one validation action is required'))
}

const celIdentifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const celReserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

const isCelIdentifier = (name: string) => celIdentifier.test(name) && !celReserved.has(name)
