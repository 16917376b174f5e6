import { type CelType, type TypeProvider, types } from '../types.ts'

const { bool, dyn, int, list, map, object, string, timestamp } = types

/** What `request` and `namespaceObject` have; objects and old objects come in `object` and `oldObject`. */
const structs: Readonly<Record<string, Readonly<Record<string, CelType>>>> = {
  'kubernetes.GroupVersionKind': { group: string, version: string, kind: string },
  'kubernetes.GroupVersionResource': { group: string, version: string, resource: string },
  'kubernetes.UserInfo': { username: string, uid: string, groups: list(string), extra: map(string, list(string)) },
  'kubernetes.AdmissionRequest': {
    kind: object('kubernetes.GroupVersionKind'),
    resource: object('kubernetes.GroupVersionResource'),
    subResource: string,
    requestKind: object('kubernetes.GroupVersionKind'),
    requestResource: object('kubernetes.GroupVersionResource'),
    requestSubResource: string,
    name: string,
    namespace: string,
    operation: string,
    userInfo: object('kubernetes.UserInfo'),
    dryRun: bool,
    options: dyn,
  },
  'kubernetes.NamespaceSpec': { finalizers: list(string) },
  'kubernetes.NamespaceCondition': { status: string, type: string, lastTransitionTime: timestamp, message: string, reason: string },
  'kubernetes.NamespaceStatus': { conditions: list(object('kubernetes.NamespaceCondition')), phase: string },
  'kubernetes.NamespaceMetadata': {
    name: string,
    generateName: string,
    namespace: string,
    labels: map(string, string),
    annotations: map(string, string),
    UID: string,
    creationTimestamp: timestamp,
    deletionGracePeriodSeconds: int,
    deletionTimestamp: timestamp,
    generation: int,
    resourceVersion: string,
    finalizers: list(string),
  },
  'kubernetes.Namespace': {
    metadata: object('kubernetes.NamespaceMetadata'),
    spec: object('kubernetes.NamespaceSpec'),
    status: object('kubernetes.NamespaceStatus'),
  },
}

export const requestTypes: TypeProvider = {
  has: (name) => Object.hasOwn(structs, name),
  field: (type, field) => (Object.hasOwn(structs, type) && Object.hasOwn(structs[type]!, field) ? structs[type]![field] : undefined),
  fields: (type) => (Object.hasOwn(structs, type) ? Object.keys(structs[type]!) : []),
}
