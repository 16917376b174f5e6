import type { DeepReadonly, ci } from '#api'
import { dns1123Label, dns1123Subdomain } from '#api'
import type { ResourceStrategy, WriteContext } from '../strategy.ts'
import { type Causes, forbidden, immutable, invalid, invalidEach, nonNegative, oneOf, positive, required } from '../validation/causes.ts'
import { keepAllButStatus, keepStatus } from './status.ts'

const notificationTypes = ['Slack', 'Webhook'] as const satisfies ci.ProjectNotificationType[]
const notificationEvents = ['Success', 'Failure', 'Fixed', 'Canceled', 'Errored', 'OnHold'] as const satisfies ci.NotificationEvent[]
const triggerTypes = ['webhook', 'api', 'scheduled_pipeline', 'local'] as const satisfies ci.PipelineTriggerType[]

export const projectStrategy: ResourceStrategy<ci.Project> = {
  default({ spec }) {
    spec.defaultBranch ||= 'main'
    spec.configPath ||= '.circleci/config.yml'
    spec.serviceAccountName ||= 'default'
    spec.concurrency ??= 8
    spec.infrastructureRetries ??= 2
    spec.jobTimeoutSeconds ??= 3600
    spec.podRetentionSeconds ??= 600
    spec.historyLimit ??= 200
    const triggers = (spec.triggers ??= {})
    triggers.push ??= true
    triggers.tags ??= true
    triggers.autoCancelRedundant ??= false
    for (const notification of spec.notifications ?? []) if (!notification.on?.length) notification.on = ['Success', 'Failure', 'Fixed', 'Errored']
  },
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  // the name is a directory, a path of URLs and a label of what belongs to the project
  validateName: (name) => dns1123Label(name),
  validate({ spec }) {
    const causes: Causes = []
    validateRelativePath(causes, 'spec.configPath', spec.configPath ?? '')
    validateRef(causes, 'spec.defaultBranch', spec.defaultBranch)
    invalidEach(causes, 'spec.serviceAccountName', spec.serviceAccountName, dns1123Subdomain(spec.serviceAccountName ?? ''))
    if (spec.environmentSecretName)
      invalidEach(causes, 'spec.environmentSecretName', spec.environmentSecretName, dns1123Subdomain(spec.environmentSecretName))
    positive(causes, 'spec.concurrency', spec.concurrency)
    nonNegative(causes, 'spec.infrastructureRetries', spec.infrastructureRetries)
    positive(causes, 'spec.jobTimeoutSeconds', spec.jobTimeoutSeconds)
    nonNegative(causes, 'spec.podRetentionSeconds', spec.podRetentionSeconds)
    positive(causes, 'spec.historyLimit', spec.historyLimit)
    const url = spec.repository?.url
    if (url && !/^(https?|ssh|git):\/\/[^\s]+$|^[\w.-]+@[\w.-]+:[^\s]+$/.test(url))
      causes.push(invalid('spec.repository.url', url, 'must be an http, https, ssh or git URL'))
    if (/:\/\/[^/]*:[^/@]*@/.test(url ?? ''))
      causes.push(forbidden('spec.repository.url', 'a password belongs into spec.repository.credentialsSecretName'))
    const names = new Set<string>()
    spec.notifications?.forEach((notification, i) => {
      const at = `spec.notifications[${i}]`
      if (!notification.name) causes.push(required(`${at}.name`))
      else if (names.has(notification.name))
        causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(notification.name)}`, field: `${at}.name` })
      names.add(notification.name)
      oneOf(causes, `${at}.type`, notification.type, notificationTypes)
      notification.on?.forEach((event, j) => oneOf(causes, `${at}.on[${j}]`, event, notificationEvents))
      if (!notification.url && !notification.secretName) causes.push(required(`${at}.url`, 'or secretName, a Secret whose key `url` has it'))
      if (notification.url && !/^https?:\/\/\S+$/.test(notification.url))
        causes.push(invalid(`${at}.url`, notification.url, 'must be an http or https URL'))
    })
    return causes
  },
}

export const pipelineStrategy: ResourceStrategy<ci.Pipeline> = {
  default({ spec }) {
    const trigger = (spec.trigger ??= {})
    trigger.type ||= 'api'
  },
  prepareForCreate(object, context) {
    object.status = { phase: 'Pending' }
    object.spec.actor ||= context.request.user.username
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validateName: (name) => dns1123Label(name),
  validate({ spec }) {
    const causes: Causes = []
    requireName(causes, 'spec.projectName', spec.projectName)
    if (spec.branch && spec.tag) causes.push(forbidden('spec.tag', 'may not be set together with `branch`'))
    validateRef(causes, 'spec.branch', spec.branch)
    validateRef(causes, 'spec.tag', spec.tag)
    validateRevision(causes, 'spec.revision', spec.revision)
    validateRevision(causes, 'spec.baseRevision', spec.baseRevision)
    oneOf(causes, 'spec.trigger.type', spec.trigger?.type, triggerTypes)
    for (const [name, value] of Object.entries(spec.parameters ?? {}))
      if (!['string', 'number', 'boolean'].includes(typeof value))
        causes.push(invalid(`spec.parameters.${name}`, value, 'must be a string, a number or a boolean'))
    return causes
  },
  validateUpdate: staysBut(['cancel']),
  selectableFields: ({ spec, status }) => ({ 'spec.projectName': spec.projectName, 'status.phase': status?.phase ?? '' }),
}

export const workflowStrategy: ResourceStrategy<ci.Workflow> = {
  prepareForCreate(object) {
    object.status = { phase: 'Pending' }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validateName: (name) => dns1123Label(name),
  validate({ spec }) {
    const causes: Causes = []
    requireName(causes, 'spec.projectName', spec.projectName)
    requireName(causes, 'spec.pipelineName', spec.pipelineName)
    if (!spec.workflow) causes.push(required('spec.workflow'))
    if (!spec.definition && !spec.rerunOf) causes.push(required('spec.definition', 'or rerunOf, the workflow that this one repeats'))
    if (spec.rerunOf) oneOf(causes, 'spec.rerunFrom', spec.rerunFrom, ['start', 'failed'])
    return causes
  },
  validateUpdate: staysBut(['cancel']),
  selectableFields: ({ spec, status }) => ({ 'spec.pipelineName': spec.pipelineName, 'status.phase': status?.phase ?? '' }),
}

export const ciJobStrategy: ResourceStrategy<ci.Job> = {
  default({ spec }) {
    spec.type ||= 'build'
  },
  prepareForCreate(object) {
    object.status = { phase: object.spec.type === 'approval' ? 'OnHold' : 'Queued' }
    delete object.spec.approved
    delete object.spec.approvedBy
  },
  prepareForUpdate(object, old, context) {
    keepStatus(object, old)
    approve(object.spec, old.spec, context)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validateName: (name) => dns1123Label(name),
  validate({ spec }) {
    const causes: Causes = []
    requireName(causes, 'spec.projectName', spec.projectName)
    requireName(causes, 'spec.pipelineName', spec.pipelineName)
    requireName(causes, 'spec.workflowName', spec.workflowName)
    if (!spec.job) causes.push(required('spec.job'))
    if (spec.type === 'build' && !spec.definition) causes.push(required('spec.definition'))
    if (spec.approved && spec.type !== 'approval') causes.push(forbidden('spec.approved', 'only a job of type `approval` is approved'))
    return causes
  },
  validateUpdate: staysBut(['cancel', 'approved', 'approvedBy']),
  selectableFields: ({ spec, status }) => ({ 'spec.workflowName': spec.workflowName, 'status.phase': status?.phase ?? '' }),
}

/** Who approved is who the request comes from, whatever it says; an approval is not taken back. */
function approve(spec: ci.JobSpec, old: DeepReadonly<ci.JobSpec>, context: WriteContext): void {
  if (old.approved) {
    spec.approved = true
    spec.approvedBy = old.approvedBy!
  } else if (spec.approved) spec.approvedBy = context.request.user.username
  else delete spec.approvedBy
}

/** What a run is does not change; that it is to end may be said later, and is not taken back. */
function staysBut(mutable: string[]) {
  return (object: DeepReadonly<{ spec: object }>, old: DeepReadonly<{ spec: object }>): Causes => {
    const causes: Causes = []
    const [next, previous] = [object.spec, old.spec] as Record<string, unknown>[]
    for (const key of new Set([...Object.keys(next!), ...Object.keys(previous!)]))
      if (!mutable.includes(key)) immutable(causes, `spec.${key}`, next![key], previous![key])
    if (previous!['cancel'] && !next!['cancel']) causes.push(forbidden('spec.cancel', 'may not be taken back: run it again instead'))
    return causes
  }
}

function requireName(causes: Causes, field: string, value: string | undefined): void {
  if (!value) causes.push(required(field))
  else invalidEach(causes, field, value, dns1123Label(value))
}

/** The part of git's rules for names (`git check-ref-format`) that keeps a name from being read as something else. */
function validateRef(causes: Causes, field: string, value: string | undefined): void {
  if (!value) return
  if (
    value.startsWith('-') ||
    value.startsWith('/') ||
    value.endsWith('/') ||
    /\.\.|\/\/|@\{|[\0-\x20\x7f~^:?*[\\]/.test(value) ||
    value.endsWith('.lock')
  )
    causes.push(invalid(field, value, 'must be the name of a branch or tag, see git-check-ref-format(1)'))
}

function validateRevision(causes: Causes, field: string, value: string | undefined): void {
  if (value && !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(value)) causes.push(invalid(field, value, 'must be the full hash of a commit'))
}

function validateRelativePath(causes: Causes, field: string, value: string): void {
  if (value.startsWith('/') || value.startsWith('-') || value.split('/').some((part) => part === '' || part === '..' || part === '.'))
    causes.push(invalid(field, value, 'must be a relative path without `.` and `..`'))
}
