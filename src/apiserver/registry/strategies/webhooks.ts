import type { DeepReadonly, KubeObject, admissionregistration } from '#api'
import { dns1035Label, dns1123Subdomain, portNumber } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { failurePolicies, matchPolicies, nameWarnings, validateMatchConditions, validateRule } from '../validation/admission-rules.ts'
import { type Causes, duplicate, invalid, invalidEach, optionalOneOf, required, same } from '../validation/causes.ts'
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
    validateCreate: (object, apiVersion) => validateConfiguration(object, { anySideEffects: apiVersion === beta }),
    // what an older release let in may stay
    validateUpdate(object, old, apiVersion) {
      const before = old.webhooks ?? []
      return validateConfiguration(object, {
        anySideEffects: apiVersion === beta || before.some((webhook) => !noSideEffects.includes(webhook.sideEffects)),
        anyReview: before.some((webhook) => webhook.admissionReviewVersions?.length > 0 && !webhook.admissionReviewVersions.some(isReview)),
        anyNames: new Set(before.map((webhook) => webhook.name)).size < before.length,
        anyLabels: before.some((webhook) => selectorCauses(webhook).length > 0),
        sameConditions:
          before.length === (object.webhooks?.length ?? 0) &&
          before.every((webhook, i) => same(webhook.matchConditions, object.webhooks![i]!.matchConditions)),
      })
    },
    generationChanged: (object, old) => !same(object.webhooks, old.webhooks),
    allowUnconditionalUpdate: false,
    looseFinalizers: true,
    warnings: nameWarnings,
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

/** What is not asked of a configuration that was there before. */
interface Leniency {
  anySideEffects?: boolean
  anyReview?: boolean
  anyNames?: boolean
  /** Values of labels in selectors may be any. */
  anyLabels?: boolean
  /** Match conditions are those of before. */
  sameConditions?: boolean
}

const beta = 'admissionregistration.k8s.io/v1beta1'
const noSideEffects = ['None', 'NoneOnDryRun']
const isReview = (version: string) => version === 'v1' || version === 'v1beta1'

function validateConfiguration({ webhooks }: DeepReadonly<Configuration>, options: Leniency): Causes {
  const causes: Causes = []
  const names = new Set<string>()
  webhooks?.forEach((webhook, i) => {
    validateWebhook(causes, `webhooks[${i}]`, webhook, options)
    if (!options.anyNames && names.has(webhook.name)) causes.push(duplicate(`webhooks[${i}].name`, webhook.name))
    if (webhook.name) names.add(webhook.name)
  })
  return causes
}

function selectorCauses({ namespaceSelector, objectSelector }: DeepReadonly<Webhook>, path = ''): Causes {
  const causes: Causes = []
  validateLabelSelector(causes, `${path}.namespaceSelector`, namespaceSelector)
  validateLabelSelector(causes, `${path}.objectSelector`, objectSelector)
  return causes
}

function validateReviewVersions(causes: Causes, path: string, versions: readonly string[], any = false): void {
  if (versions.length === 0) causes.push(required(path, 'must specify one of v1, v1beta1'))
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) causes.push(invalid(`${path}[${i}]`, version, 'duplicate version'))
    else invalidEach(causes, `${path}[${i}]`, version, dns1035Label(version))
  })
  if (!any && versions.length > 0 && !versions.some(isReview)) causes.push(invalid(path, versions, 'must include at least one of v1, v1beta1'))
}

function validateWebhook(causes: Causes, path: string, webhook: DeepReadonly<Webhook>, options: Leniency): void {
  const { name = '', clientConfig } = webhook
  // A webhook's name is a domain with at least three parts, so that two vendors never meet.
  if (!name) causes.push(required(`${path}.name`))
  else {
    const messages = dns1123Subdomain(name)
    if (messages.length > 0) causes.push(invalid(`${path}.name`, name, messages.join(',')))
    else if (name.split('.').length < 3)
      causes.push(invalid(`${path}.name`, name, 'should be a domain with at least three segments separated by dots'))
  }
  webhook.rules?.forEach((rule, i) => validateRule(causes, `${path}.rules[${i}]`, rule))
  optionalOneOf(causes, `${path}.failurePolicy`, webhook.failurePolicy, failurePolicies)
  optionalOneOf(causes, `${path}.matchPolicy`, webhook.matchPolicy, matchPolicies)
  const sideEffects = options.anySideEffects ? [...noSideEffects, 'Some', 'Unknown'] : noSideEffects
  if (webhook.sideEffects === undefined) causes.push(required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`))
  else optionalOneOf(causes, `${path}.sideEffects`, webhook.sideEffects, sideEffects)
  const timeout = webhook.timeoutSeconds
  if (timeout !== undefined && (timeout > 30 || timeout < 1))
    causes.push(invalid(`${path}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'))
  // of values that are none, upstream asks nothing where there were such before
  for (const cause of selectorCauses(webhook, path)) if (!options.anyLabels || !/\.values\[\d+\]$/.test(cause.field ?? '')) causes.push(cause)
  if ('reinvocationPolicy' in webhook) optionalOneOf(causes, `${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never'])
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
  if (!options.sameConditions) validateMatchConditions(causes, `${path}.matchConditions`, webhook.matchConditions)
  validateReviewVersions(causes, `${path}.admissionReviewVersions`, webhook.admissionReviewVersions ?? [], options.anyReview)
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
