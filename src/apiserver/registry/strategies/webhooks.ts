import type { DeepReadonly, KubeObject, admissionregistration } from '#api'
import { dns1035Label, dns1123Subdomain, portNumber, qualifiedName } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, duplicate, invalid, invalidEach, notSupported, optionalOneOf, required } from '../validation/causes.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

type Webhook = admissionregistration.MutatingWebhook | admissionregistration.ValidatingWebhook

interface Configuration extends KubeObject {
  webhooks?: Webhook[]
}

function configurationStrategy(mutating: boolean): ResourceStrategy<Configuration> {
  return {
    default(object) {
      for (const webhook of object.webhooks ?? []) defaultWebhook(webhook, mutating)
    },
    validate(object, apiVersion) {
      const causes: Causes = []
      const names = new Set<string>()
      object.webhooks?.forEach((webhook, i) => {
        validateWebhook(causes, `webhooks[${i}]`, webhook, apiVersion === 'admissionregistration.k8s.io/v1beta1')
        if (names.has(webhook.name)) causes.push(duplicate(`webhooks[${i}].name`, webhook.name))
        names.add(webhook.name)
      })
      return causes
    },
    allowUnconditionalUpdate: false,
    looseFinalizers: true,
  }
}

export const mutatingWebhookConfigurationStrategy = configurationStrategy(true)
export const validatingWebhookConfigurationStrategy = configurationStrategy(false)

function defaultWebhook(webhook: Webhook, mutating: boolean): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  for (const rule of webhook.rules ?? []) rule.scope ??= '*'
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443
  if (mutating) (webhook as admissionregistration.MutatingWebhook).reinvocationPolicy ??= 'Never'
}

function validateWebhook(causes: Causes, path: string, webhook: DeepReadonly<Webhook>, beta: boolean): void {
  const { name = '', clientConfig, admissionReviewVersions = [] } = webhook
  // A webhook's name is a domain with at least three parts, so that two vendors never meet.
  if (!name) causes.push(required(`${path}.name`))
  else {
    const messages = dns1123Subdomain(name)
    if (messages.length > 0) causes.push(invalid(`${path}.name`, name, messages.join(',')))
    else if (name.split('.').length < 3)
      causes.push(invalid(`${path}.name`, name, 'should be a domain with at least three segments separated by dots'))
  }
  if (admissionReviewVersions.length === 0) causes.push(required(`${path}.admissionReviewVersions`, 'must specify one of v1, v1beta1'))
  else if (!admissionReviewVersions.some((version) => version === 'v1' || version === 'v1beta1'))
    causes.push(invalid(`${path}.admissionReviewVersions`, admissionReviewVersions, 'must include at least one of v1, v1beta1'))
  admissionReviewVersions.forEach((version, i) => {
    const at = `${path}.admissionReviewVersions[${i}]`
    invalidEach(causes, at, version, dns1035Label(version))
    if (admissionReviewVersions.indexOf(version) < i) causes.push(invalid(at, version, 'duplicate version'))
  })
  webhook.rules?.forEach((rule, i) => validateRule(causes, `${path}.rules[${i}]`, rule))
  optionalOneOf(causes, `${path}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore'])
  optionalOneOf(causes, `${path}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact'])
  if (!webhook.sideEffects) causes.push(required(`${path}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
  else
    optionalOneOf(causes, `${path}.sideEffects`, webhook.sideEffects, beta ? ['None', 'NoneOnDryRun', 'Some', 'Unknown'] : ['None', 'NoneOnDryRun'])
  const timeout = webhook.timeoutSeconds
  if (timeout !== undefined && (timeout > 30 || timeout < 1))
    causes.push(invalid(`${path}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'))
  if ('reinvocationPolicy' in webhook) optionalOneOf(causes, `${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never'])
  validateLabelSelector(causes, `${path}.namespaceSelector`, webhook.namespaceSelector)
  validateLabelSelector(causes, `${path}.objectSelector`, webhook.objectSelector)
  const { url, service } = clientConfig ?? {}
  if ((url === undefined) === (service === undefined)) causes.push(required(`${path}.clientConfig`, 'exactly one of url or service is required'))
  else if (url !== undefined) validateUrl(causes, `${path}.clientConfig.url`, url)
  else {
    if (!service!.name) causes.push(required(`${path}.clientConfig.service.name`, 'service name is required'))
    if (!service!.namespace) causes.push(required(`${path}.clientConfig.service.namespace`, 'service namespace is required'))
    if (service!.path !== undefined) validateServicePath(causes, `${path}.clientConfig.service.path`, service!.path)
    if (service!.port !== undefined)
      for (const message of portNumber(service!.port))
        causes.push(invalid(`${path}.clientConfig.service.port`, service!.port, `port is not valid: ${message}`))
  }
  webhook.matchConditions?.forEach((condition, i) => {
    const at = `${path}.matchConditions[${i}]`
    if (!condition.name) causes.push(required(`${at}.name`))
    else invalidEach(causes, `${at}.name`, condition.name, qualifiedName(condition.name))
    if (!condition.expression?.trim()) causes.push(required(`${at}.expression`))
  })
}

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']

function validateRule(causes: Causes, path: string, rule: DeepReadonly<admissionregistration.RuleWithOperations>): void {
  for (const field of ['operations', 'apiGroups', 'apiVersions', 'resources'] as const) {
    const values = rule[field] as readonly string[] | undefined
    if (!values?.length) causes.push(required(`${path}.${field}`))
    else if (field !== 'resources' && values.length > 1 && values.includes('*'))
      causes.push(
        invalid(
          `${path}.${field}`,
          values,
          `if '*' is present, must not specify other ${field === 'operations' ? 'operations' : field === 'apiGroups' ? 'API groups' : 'API versions'}`,
        ),
      )
  }
  rule.apiVersions?.forEach((version, i) => {
    if (!version) causes.push(required(`${path}.apiVersions[${i}]`))
  })
  validateRuleResources(causes, `${path}.resources`, rule.resources ?? [])
  rule.operations?.forEach((operation, i) => {
    if (!operations.includes(operation)) causes.push(notSupported(`${path}.operations[${i}]`, operation, operations))
  })
  if (rule.scope !== undefined) optionalOneOf(causes, `${path}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced'])
}

/** Stars stand for all of a part: beside them, what they cover is a mistake. */
function validateRuleResources(causes: Causes, path: string, resources: readonly string[]): void {
  const withAll = new Set<string>()
  const allWith = new Set<string>()
  let plain = 0
  resources.forEach((resource, i) => {
    const at = `${path}[${i}]`
    if (!resource) {
      causes.push(required(at))
      return
    }
    const slash = resource.indexOf('/')
    if (slash < 0) {
      plain++
      return
    }
    const [name, subresource] = [resource.slice(0, slash), resource.slice(slash + 1)]
    if (withAll.has(name)) causes.push(invalid(at, resource, `if '${name}/*' is present, must not specify ${resource}`))
    if (allWith.has(subresource)) causes.push(invalid(at, resource, `if '*/${subresource}' is present, must not specify ${resource}`))
    if (subresource === '*') withAll.add(name)
    if (name === '*') allWith.add(subresource)
  })
  if (resources.length > 1 && resources.includes('*/*'))
    causes.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  if (plain > 1 && resources.includes('*'))
    causes.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
}

function validateServicePath(causes: Causes, path: string, value: string): void {
  if (value === '/' || value === '') return
  if (value === '//') {
    causes.push(invalid(path, value, 'segment[0] may not be empty'))
    return
  }
  if (!value.startsWith('/')) causes.push(invalid(path, value, "must start with a '/'"))
  const segments = value.replace(/^\//, '').replace(/\/$/, '').split('/')
  segments.forEach((segment, i) => {
    if (segment === '') causes.push(invalid(path, value, `segment[${i}] may not be empty`))
    else for (const message of dns1123Subdomain(segment)) causes.push(invalid(path, value, `segment[${i}]: ${message}`))
  })
}

function validateUrl(causes: Causes, path: string, text: string): void {
  // an address of a host that is missing is an address, to Go
  const bare = /^https:\/\/$/.test(text)
  if (bare) {
    causes.push(invalid(path, '', 'host must be specified; desired format: https://host[/path]'))
    return
  }
  let url: URL
  try {
    url = new URL(text)
  } catch (error) {
    causes.push(required(path, `url must be a valid URL: ${(error as Error).message}; desired format: https://host[/path]`))
    return
  }
  const desired = '; desired format: https://host[/path]'
  if (url.protocol !== 'https:') causes.push(invalid(path, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${desired}`))
  if (!url.host) causes.push(invalid(path, url.host, `host must be specified${desired}`))
  if (url.username || url.password)
    causes.push(invalid(path, url.password ? `${url.username}:${url.password}` : url.username, `user information is not permitted in the URL`))
  if (url.hash) causes.push(invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search) causes.push(invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'))
}

interface PolicyLike extends KubeObject {
  spec: { failurePolicy?: string; matchConstraints?: admissionregistration.MatchResources; matchResources?: admissionregistration.MatchResources }
}

/** Defaults that admission policies and their bindings share. */
export const admissionPolicyStrategy: ResourceStrategy<PolicyLike> = {
  default(object) {
    const spec = (object.spec ??= {})
    if (!object.kind.endsWith('Binding')) spec.failurePolicy ??= 'Fail'
    for (const resources of [spec.matchConstraints, spec.matchResources]) {
      if (!resources) continue
      resources.matchPolicy ??= 'Equivalent'
      resources.namespaceSelector ??= {}
      resources.objectSelector ??= {}
      for (const rule of [...(resources.resourceRules ?? []), ...(resources.excludeResourceRules ?? [])]) rule.scope ??= '*'
    }
  },
}
