import type { DeepReadonly, flowcontrol } from '#api'
import { dns1123Label, dns1123Subdomain } from '#api'
import { defaultLevels, defaultSchemas, mandatoryNames } from '../../flowcontrol/defaults.ts'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required, same } from '../validation/causes.ts'
import { groupForms } from '../validation/group-forms.ts'
import { internalForm } from '../validation/internal-form.ts'
import { keepAllButStatus, keepStatus } from './status.ts'

type Rules = DeepReadonly<flowcontrol.PolicyRulesWithSubjects>
type Subject = DeepReadonly<flowcontrol.Subject>
type Limited = DeepReadonly<flowcontrol.LimitedPriorityLevelConfiguration>

export const flowSchemaStrategy: ResourceStrategy<flowcontrol.FlowSchema> = {
  default(object) {
    object.spec ??= { priorityLevelConfiguration: { name: '' } }
    object.spec.matchingPrecedence ||= 1000
  },
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ metadata, spec, status }) {
    const causes: Causes = []
    const { matchingPrecedence: precedence = 0, distinguisherMethod: method } = spec
    const at = 'spec.matchingPrecedence'
    if (precedence <= 0) causes.push(invalid(at, precedence, 'must be a positive value'))
    if (precedence > 10000) causes.push(invalid(at, precedence, 'must not be greater than 10000'))
    if (precedence === 1 && metadata.name !== 'exempt')
      causes.push(invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
    if (method && method.type !== 'ByUser' && method.type !== 'ByNamespace')
      causes.push(notSupported('spec.distinguisherMethod.type', internalForm(method, groupForms.distinguisherMethod), ['ByNamespace', 'ByUser']))
    const level = spec.priorityLevelConfiguration?.name
    if (!level) causes.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
    else invalidEach(causes, 'spec.priorityLevelConfiguration.name', level, dns1123Subdomain(level))
    for (const [i, rules] of (spec.rules ?? []).entries()) validateRules(causes, `spec.rules[${i}]`, rules)
    if (mandatoryNames.has(metadata.name)) {
      const fixed = defaultSchemas.find((schema) => schema.metadata.name === metadata.name)!
      if (!same(spec, fixed.spec)) causes.push(invalid('spec', spec, `spec of '${metadata.name}' must equal the fixed value`))
    }
    validateConditions(causes, status?.conditions)
    return causes
  },
  validateStatusUpdate: ({ status }) => conditionCauses(status?.conditions),
}

export const priorityLevelConfigurationStrategy: ResourceStrategy<flowcontrol.PriorityLevelConfiguration> = {
  default(object) {
    object.spec ??= { type: '' }
    const { spec } = object
    if (spec.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0
      spec.exempt.lendablePercent ??= 0
    }
    const { limited } = spec
    if (!limited) return
    limited.nominalConcurrencyShares ??= 30
    limited.lendablePercent ??= 0
    const queuing = limited.limitResponse?.queuing
    if (!queuing) return
    queuing.queues ||= 64
    queuing.handSize ||= 8
    queuing.queueLengthLimit ||= 50
  },
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ metadata, spec, status }) {
    const causes: Causes = []
    const { type, limited, exempt } = spec
    if ((metadata.name === 'exempt') !== (type === 'Exempt'))
      causes.push(invalid('spec.type', type ?? '', "type must be 'Exempt' if and only if name is 'exempt'"))
    if (type === 'Exempt') {
      if (limited) causes.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
      if (exempt) validateShares(causes, 'spec.exempt', exempt)
    } else if (type === 'Limited') {
      if (exempt) causes.push(forbidden('spec.exempt', 'must be nil if the type is Limited'))
      if (!limited) causes.push(required('spec.limited', 'must not be empty when type is Limited'))
      else validateLimited(causes, limited)
    } else causes.push(notSupported('spec.type', type ?? '', ['Exempt', 'Limited']))
    if (metadata.name === 'catch-all' || metadata.name === 'exempt') {
      const fixed = defaultLevels.find((level) => level.metadata.name === metadata.name)!.spec
      // how much the exempt level lends may be said
      const expected = metadata.name === 'exempt' ? { ...fixed, exempt } : fixed
      const but = metadata.name === 'exempt' ? " except the 'spec.exempt' field" : ''
      if (!same(spec, expected)) causes.push(invalid('spec', spec, `spec of '${metadata.name}'${but} must equal the fixed value`))
    }
    validateConditions(causes, status?.conditions)
    return causes
  },
  validateStatusUpdate: ({ status }) => conditionCauses(status?.conditions),
}

function conditionCauses(conditions: readonly { type?: string }[] | undefined): Causes {
  const causes: Causes = []
  validateConditions(causes, conditions)
  return causes
}

function validateConditions(causes: Causes, conditions: readonly { type?: string }[] | undefined): void {
  const seen = new Set<string>()
  for (const [i, { type }] of (conditions ?? []).entries()) {
    const at = `status.conditions[${i}].type`
    if (!type) causes.push(required(at, 'must not be empty'))
    else if (seen.has(type)) causes.push(duplicate(at, type))
    seen.add(type ?? '')
  }
}

function validateShares(causes: Causes, at: string, { nominalConcurrencyShares: shares = 0, lendablePercent: percent = 0 }: Limited): void {
  if (shares < 0) causes.push(invalid(`${at}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'))
  if (percent < 0 || percent > 100) causes.push(invalid(`${at}.lendablePercent`, percent, 'must be between 0 and 100, inclusive'))
}

/** More queues than anybody has use for. */
const maxQueues = 10_000_000
/** What a flow's hash is good for. */
const maxHashBits = 60

function validateLimited(causes: Causes, limited: Limited): void {
  const at = 'spec.limited'
  validateShares(causes, at, limited)
  const { borrowingLimitPercent: borrowing, limitResponse: response } = limited
  if (borrowing !== undefined && borrowing < 0)
    causes.push(invalid(`${at}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer'))
  const queuing = response?.queuing
  if (response?.type === 'Reject') {
    if (queuing) causes.push(forbidden(`${at}.limitResponse.queuing`, 'must be nil if limited.limitResponse.type is not Limited'))
    return
  }
  if (response?.type !== 'Queue') {
    causes.push(notSupported(`${at}.limitResponse.type`, response?.type ?? '', ['Queue', 'Reject']))
    return
  }
  if (!queuing) {
    causes.push(required(`${at}.limitResponse.queuing`, 'must not be empty if limited.limitResponse.type is Limited'))
    return
  }
  const path = `${at}.limitResponse.queuing`
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing
  if (queueLengthLimit <= 0) causes.push(invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) causes.push(invalid(`${path}.queues`, queues, 'must be positive'))
  else if (queues > maxQueues) causes.push(invalid(`${path}.queues`, queues, `must not be greater than ${maxQueues}`))
  const bits = entropyBits(queues, handSize)
  if (handSize <= 0) causes.push(invalid(`${path}.handSize`, handSize, 'must be positive'))
  else if (handSize > queues) causes.push(invalid(`${path}.handSize`, handSize, `should not be greater than queues (${queues})`))
  else if (bits > maxHashBits) {
    const why = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`
    causes.push(invalid(`${path}.handSize`, handSize, why))
  }
}

/** How many bits tell all hands apart. */
function entropyBits(deckSize: number, handSize: number): number {
  return handSize > 0 ? Math.ceil(Math.log2(deckSize) * handSize) : 0
}

function validateRules(causes: Causes, at: string, { subjects, resourceRules = [], nonResourceRules = [] }: Rules): void {
  if (!subjects?.length) causes.push(required(`${at}.subjects`, 'subjects must contain at least one value'))
  for (const [i, subject] of (subjects ?? []).entries()) validateSubject(causes, `${at}.subjects[${i}]`, subject)
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    causes.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  for (const [i, rule] of resourceRules.entries()) {
    const path = `${at}.resourceRules[${i}]`
    validateVerbs(causes, `${path}.verbs`, rule.verbs)
    validateWildcards(causes, `${path}.apiGroups`, rule.apiGroups, 'resource rules must supply at least one api group', 'api groups')
    validateWildcards(causes, `${path}.resources`, rule.resources, 'resource rules must supply at least one resource', 'resources')
    const { namespaces = [], clusterScope } = rule
    if (namespaces.length === 0) {
      if (!clusterScope) causes.push(required(`${path}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace'))
    } else if (namespaces.includes('*')) validateWildcards(causes, `${path}.namespaces`, namespaces, '', 'namespaces')
    else
      for (const [n, name] of namespaces.entries())
        for (const message of dns1123Label(name))
          causes.push(invalid(`${path}.namespaces[${n}]`, name, `each member of this list must be '*' or a DNS-1123 label; ${message}`))
  }
  for (const [i, rule] of nonResourceRules.entries()) {
    const path = `${at}.nonResourceRules[${i}]`
    validateVerbs(causes, `${path}.verbs`, rule.verbs)
    const urls = rule.nonResourceURLs ?? []
    if (urls.length === 0 || urls.includes('*'))
      validateWildcards(causes, `${path}.nonResourceURLs`, urls, 'nonResourceURLs must contain at least one value', 'non-resource URLs')
    else for (const [n, url] of urls.entries()) validateUrl(causes, `${path}.nonResourceURLs[${n}]`, url)
  }
}

const kindFields = { User: 'user', Group: 'group', ServiceAccount: 'serviceAccount' } as const
/** The order in which upstream complains about what is too much. */
const subjectKinds = ['ServiceAccount', 'User', 'Group'] as const

function validateSubject(causes: Causes, at: string, subject: Subject): void {
  const { kind } = subject
  if (!Object.hasOwn(kindFields, kind ?? '')) {
    causes.push(notSupported(`${at}.kind`, kind ?? '', ['Group', 'ServiceAccount', 'User']))
    return
  }
  const field = kindFields[kind as keyof typeof kindFields]
  const value = subject[field]
  if (!value) causes.push(required(`${at}.${field}`, `${field} is required when subject kind is '${kind}'`))
  else {
    if (!value.name) causes.push(required(`${at}.${field}.name`))
    if (kind === 'ServiceAccount') {
      const { name, namespace } = subject.serviceAccount!
      if (name && name !== '*') invalidEach(causes, `${at}.${field}.name`, name, dns1123Subdomain(name))
      if (!namespace) causes.push(required(`${at}.${field}.namespace`, 'must specify namespace for service account'))
      else invalidEach(causes, `${at}.${field}.namespace`, namespace, dns1123Label(namespace))
    }
  }
  for (const other of subjectKinds)
    if (other !== kind && subject[kindFields[other]])
      causes.push(forbidden(`${at}.${kindFields[other]}`, `${kindFields[other]} is forbidden when subject kind is not '${other}'`))
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

function validateVerbs(causes: Causes, at: string, given: readonly string[] | undefined): void {
  if (!given?.length || given.includes('*')) validateWildcards(causes, at, given, 'verbs must contain at least one value', 'verbs')
  else if (given.some((verb) => !verbs.includes(verb))) causes.push(notSupported(at, given, verbs))
}

function validateWildcards(causes: Causes, at: string, given: readonly string[] | undefined, missing: string, others: string): void {
  if (!given?.length) causes.push(required(at, missing))
  else if (given.length > 1 && given.includes('*')) causes.push(invalid(at, given, `if '*' is present, must not specify other ${others}`))
}

function validateUrl(causes: Causes, at: string, url: string): void {
  if (url === '/') return
  const wildcards = url.split('*').length - 1
  const problem =
    url === ''
      ? 'must not be empty'
      : !url.startsWith('/')
        ? 'must start with slash'
        : url.includes(' ')
          ? 'must not contain white-space'
          : url.includes('//')
            ? 'must not contain double slash'
            : wildcards > 1 || (wildcards === 1 && !url.endsWith('/*'))
              ? 'wildcard can only do suffix matching'
              : undefined
  if (problem) causes.push(invalid(at, url, problem))
}
