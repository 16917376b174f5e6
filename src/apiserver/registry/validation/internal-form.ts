import type { DeepReadonly } from '#api'

/**
 * Some causes show a whole object. Upstream prints its internal form: the names of Go's fields, in their order, with what is
 * absent as null (or as an empty text where the field is no pointer).
 */
type Form = readonly (readonly [wire: string, internal: string, value?: Form | 'text' | 'list'])[]

const profile: Form = [
  ['type', 'Type', 'text'],
  ['localhostProfile', 'LocalhostProfile'],
]

const selinux: Form = [
  ['user', 'User', 'text'],
  ['role', 'Role', 'text'],
  ['type', 'Type', 'text'],
  ['level', 'Level', 'text'],
]

const requirement: Form = [
  ['key', 'Key', 'text'],
  ['operator', 'Operator', 'text'],
  ['values', 'Values'],
]

export const internalForms = {
  podResourceClaim: [
    ['name', 'Name', 'text'],
    ['resourceClaimName', 'ResourceClaimName'],
    ['resourceClaimTemplateName', 'ResourceClaimTemplateName'],
  ],
  profile,
  securityContext: [
    [
      'capabilities',
      'Capabilities',
      [
        ['add', 'Add'],
        ['drop', 'Drop'],
      ],
    ],
    ['privileged', 'Privileged'],
    ['seLinuxOptions', 'SELinuxOptions', selinux],
    [
      'windowsOptions',
      'WindowsOptions',
      [
        ['gmsaCredentialSpecName', 'GMSACredentialSpecName'],
        ['gmsaCredentialSpec', 'GMSACredentialSpec'],
        ['runAsUserName', 'RunAsUserName'],
        ['hostProcess', 'HostProcess'],
      ],
    ],
    ['runAsUser', 'RunAsUser'],
    ['runAsGroup', 'RunAsGroup'],
    ['runAsNonRoot', 'RunAsNonRoot'],
    ['readOnlyRootFilesystem', 'ReadOnlyRootFilesystem'],
    ['allowPrivilegeEscalation', 'AllowPrivilegeEscalation'],
    ['procMount', 'ProcMount'],
    ['seccompProfile', 'SeccompProfile', profile],
    ['appArmorProfile', 'AppArmorProfile', profile],
  ],
  trustBundle: [
    ['name', 'Name'],
    ['signerName', 'SignerName'],
    ['labelSelector', 'LabelSelector'],
    ['optional', 'Optional'],
    ['path', 'Path', 'text'],
  ],
  address: [['ip', 'IP', 'text']],
  nodeSelectorTerm: [
    ['matchExpressions', 'MatchExpressions', requirement],
    ['matchFields', 'MatchFields', requirement],
  ],
} satisfies Record<string, Form>

/** The object, or each of a list, as upstream's messages show it. */
export function internalForm(value: DeepReadonly<object> | undefined, form: Form): unknown {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map((one) => internalForm(one, form))
  const wire = value as Record<string, unknown>
  return Object.fromEntries(
    form.map(([name, internal, inner]) => {
      const field = wire[name]
      if (Array.isArray(inner)) return [internal, internalForm(field as object | undefined, inner as Form)]
      return [internal, field ?? (inner === 'text' ? '' : null)]
    }),
  )
}
