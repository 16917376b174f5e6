import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain } from '#api'
import { type Causes, forbidden, invalid, invalidEach } from '../causes.ts'
import { forEveryContainer } from './every-container.ts'

type PodSpec = DeepReadonly<core.PodSpec>
type WindowsOptions = DeepReadonly<core.WindowsSecurityContextOptions>

const maxCredentialSpecKiB = 64
const maxDomain = 256
const maxUser = 104

const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const dnsDomain = new RegExp(`^${label}(?:\\.${label})*$`)
// oxlint-disable-next-line no-control-regex -- they are what must not be there
const control = /[\u0000-\u001f\u007f]/

/** Checks what a security context asks of Windows. */
export function validateWindowsOptions(causes: Causes, path: string, options: WindowsOptions): void {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options
  if (gmsaCredentialSpecName !== undefined)
    invalidEach(causes, `${path}.gmsaCredentialSpecName`, gmsaCredentialSpecName, dns1123Subdomain(gmsaCredentialSpecName))
  if (gmsaCredentialSpec === '') causes.push(invalid(`${path}.gmsaCredentialSpec`, '', 'gmsaCredentialSpec cannot be an empty string'))
  else if (gmsaCredentialSpec !== undefined && Buffer.byteLength(gmsaCredentialSpec) > maxCredentialSpecKiB * 1024)
    causes.push(invalid(`${path}.gmsaCredentialSpec`, gmsaCredentialSpec, `gmsaCredentialSpec size must be under ${maxCredentialSpecKiB} KiB`))
  if (runAsUserName === undefined) return
  for (const problem of userNameProblems(runAsUserName)) causes.push(invalid(`${path}.runAsUserName`, runAsUserName, problem))
}

/** What is wrong with `user` or `DOMAIN\user`. */
function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  if (control.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const user = parts.at(-1)!
  const domain = parts.length === 2 ? parts[0]! : undefined
  const problems: string[] = []
  if (domain !== undefined && domain.length >= maxDomain) problems.push(`runAsUserName's Domain length must be under ${maxDomain} characters`)
  if (domain !== undefined && !netBios.test(domain) && !dnsDomain.test(domain))
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  if (user === '') problems.push("runAsUserName's User cannot be empty")
  else if (user.length > maxUser) problems.push(`runAsUserName's User length must not be longer than ${maxUser} characters`)
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return problems
}

/** Containers that are processes of a Windows host: all of a pod or none, in the host's network. */
export function validateHostProcess(causes: Causes, path: string, spec: PodSpec): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  let containers = 0
  let ofHost = 0
  forEveryContainer(spec, path, ({ securityContext }, at) => {
    containers++
    const own = securityContext?.windowsOptions?.hostProcess
    if (own ?? ofPod) ofHost++
    if (ofPod !== undefined && own !== undefined && ofPod !== own)
      causes.push(
        invalid(
          `${at}.securityContext.windowsOptions.hostProcess`,
          own,
          `pod hostProcess value must be identical if both are specified, was ${ofPod}`,
        ),
      )
  })
  if (ofHost === 0) return
  if (ofHost !== containers)
    causes.push(invalid(path, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'))
  if (!spec.hostNetwork) causes.push(invalid(`${path}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'))
}

const windowsOnly = 'windows options cannot be set for a linux pod'
const linuxOnly = 'cannot be set for a windows pod'

const linuxFieldsOfPods = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const
const linuxFieldsOfContexts = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const
const linuxFieldsOfContainers = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

/** A pod that says it is for Linux asks nothing of Windows, */
export function validateLinuxPod(causes: Causes, path: string, spec: PodSpec): void {
  if (spec.securityContext?.windowsOptions) causes.push(forbidden(`${path}.securityContext.windowsOptions`, windowsOnly))
  forEveryContainer(spec, path, ({ securityContext }, at) => {
    if (securityContext?.windowsOptions) causes.push(forbidden(`${at}.securityContext.windowsOptions`, windowsOnly))
  })
}

/** and the other way round. */
export function validateWindowsPod(causes: Causes, path: string, spec: PodSpec): void {
  const { securityContext: context } = spec
  for (const field of linuxFieldsOfContexts) {
    const value = context?.[field]
    if (value !== undefined && !(field === 'sysctls' && context?.sysctls?.length === 0))
      causes.push(forbidden(`${path}.securityContext.${field}`, linuxOnly))
  }
  // these two are no pointers upstream: false is as good as absent
  for (const field of linuxFieldsOfPods)
    if (spec[field] !== undefined && !(spec[field] === false && (field === 'hostPID' || field === 'hostIPC')))
      causes.push(forbidden(`${path}.${field}`, linuxOnly))
  forEveryContainer(spec, path, ({ securityContext: own }, at) => {
    if (!own) return
    for (const field of linuxFieldsOfContainers) if (own[field] !== undefined) causes.push(forbidden(`${at}.securityContext.${field}`, linuxOnly))
  })
}
