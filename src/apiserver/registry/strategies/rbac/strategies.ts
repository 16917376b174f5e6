import type { DeepReadonly, rbac } from '#api'
import { dns1123Subdomain, pathSegmentName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, immutable, invalid, invalidEach, notSupported, required } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'

const group = 'rbac.authorization.k8s.io'

export const roleStrategy: ResourceStrategy<rbac.Role> = {
  default: defaultRules,
  validate: (object) => validateRules(object.rules, true),
  validateName: (name) => pathSegmentName(name),
  allowCreateOnUpdate: true,
}

export const clusterRoleStrategy: ResourceStrategy<rbac.ClusterRole> = {
  default: defaultRules,
  validate(object) {
    const causes = validateRules(object.rules, false)
    const aggregation = object.aggregationRule
    if (!aggregation) return causes
    if (!aggregation.clusterRoleSelectors?.length)
      causes.push(required('aggregationRule.clusterRoleSelectors', 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
    aggregation.clusterRoleSelectors?.forEach((selector, i) => {
      const at = `aggregationRule.clusterRoleSelectors[${i}]`
      const before = causes.length
      validateLabelSelector(causes, at, selector)
      if (causes.length > before) causes.push(invalid(at, undefined, 'invalid label selector.'))
    })
    return causes
  },
  validateName: (name) => pathSegmentName(name),
  allowCreateOnUpdate: true,
}

/** `rules` is written even when it is empty. */
function defaultRules(object: { rules?: rbac.PolicyRule[] }): void {
  object.rules ??= []
}

function validateRules(rules: DeepReadonly<rbac.PolicyRule[]> | undefined, namespaced: boolean): Causes {
  const causes: Causes = []
  rules?.forEach((rule, i) => {
    const at = `rules[${i}]`
    if (!rule.verbs?.length) causes.push(required(`${at}.verbs`, 'verbs must contain at least one value'))
    if (rule.nonResourceURLs?.length) {
      if (namespaced) causes.push(invalid(`${at}.nonResourceURLs`, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
      if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length)
        causes.push(invalid(`${at}.nonResourceURLs`, rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'))
      return
    }
    if (!rule.apiGroups?.length) causes.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'))
    if (!rule.resources?.length) causes.push(required(`${at}.resources`, 'resource rules must supply at least one resource'))
  })
  return causes
}

type Binding = rbac.RoleBinding | rbac.ClusterRoleBinding

function defaultBinding(object: Binding): void {
  const ref = (object.roleRef ??= {} as rbac.RoleRef)
  ref.apiGroup ||= group
  for (const subject of object.subjects ?? []) {
    if (subject.apiGroup || subject.kind === 'ServiceAccount') continue
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup = group
  }
}

function bindingStrategy(roleKinds: string[], namespaced: boolean): ResourceStrategy<Binding> {
  return {
    default: defaultBinding,
    validate(object) {
      const causes: Causes = []
      const { roleRef } = object
      if (roleRef.apiGroup !== group) causes.push(notSupported('roleRef.apiGroup', roleRef.apiGroup, [group]))
      if (!roleKinds.includes(roleRef.kind)) causes.push(notSupported('roleRef.kind', roleRef.kind, roleKinds))
      if (!roleRef.name) causes.push(required('roleRef.name'))
      else invalidEach(causes, 'roleRef.name', roleRef.name, pathSegmentName(roleRef.name))
      object.subjects?.forEach((subject, i) => validateSubject(causes, `subjects[${i}]`, subject, namespaced))
      return causes
    },
    validateUpdate(object, old) {
      const causes: Causes = []
      immutable(causes, 'roleRef', object.roleRef, old.roleRef)
      if (causes.length > 0) return [invalid('roleRef', internalForm(object.roleRef, groupForms.roleRef), 'cannot change roleRef')]
      return causes
    },
    validateName: (name) => pathSegmentName(name),
    allowCreateOnUpdate: true,
  }
}

export const roleBindingStrategy = bindingStrategy(['Role', 'ClusterRole'], true)
export const clusterRoleBindingStrategy = bindingStrategy(['ClusterRole'], false)

function validateSubject(causes: Causes, path: string, subject: DeepReadonly<rbac.Subject>, namespaced: boolean): void {
  if (!subject.name) causes.push(required(`${path}.name`))
  if (subject.kind === 'ServiceAccount') {
    if (subject.name) invalidEach(causes, `${path}.name`, subject.name, dns1123Subdomain(subject.name))
    if (subject.apiGroup) causes.push(notSupported(`${path}.apiGroup`, subject.apiGroup, ['']))
    if (!namespaced && !subject.namespace) causes.push(required(`${path}.namespace`))
  } else if (subject.kind === 'User' || subject.kind === 'Group') {
    if (subject.apiGroup !== group) causes.push(notSupported(`${path}.apiGroup`, subject.apiGroup ?? '', [group]))
  } else causes.push(notSupported(`${path}.kind`, subject.kind, ['ServiceAccount', 'User', 'Group']))
}
