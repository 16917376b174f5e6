import type { Step } from '../step.ts'

/** Discovery, group by group, of what 1.20 serves and we do too; the list of all groups differs by nature. */
const versions = [
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'apiregistration.k8s.io/v1',
  'apps/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'autoscaling/v1',
  'batch/v1',
  'batch/v1beta1',
  'certificates.k8s.io/v1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1beta1',
  'events.k8s.io/v1',
  'extensions/v1beta1',
  'networking.k8s.io/v1',
  'networking.k8s.io/v1beta1',
  'node.k8s.io/v1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1',
]

export const documents: Step[] = [
  { name: 'the core group', method: 'GET', path: '/api' },
  { name: 'the core resources', method: 'GET', path: '/api/v1' },
  ...versions.map((version): Step => ({ name: `the resources of ${version}`, method: 'GET', path: `/apis/${version}` })),
  ...['apps', 'rbac.authorization.k8s.io', 'scheduling.k8s.io'].map((group): Step => ({
    name: `the group ${group}`,
    method: 'GET',
    path: `/apis/${group}`,
  })),
  ...['application/yaml', 'application/vnd.kubernetes.protobuf'].map((accept): Step => ({
    name: `the resources of apps/v1 as ${accept}`,
    method: 'GET',
    path: '/apis/apps/v1',
    headers: { accept },
  })),
]
