import type { KubeObject } from '#api'
import { kindOfResource, storageKind } from '#api'
import type { AdmissionRequest } from '../admission.ts'

/** What a request is about, for tests. */
export interface About {
  group?: string
  version?: string
  resource: string
  subresource?: string
  namespace?: string
  name?: string
  operation?: AdmissionRequest['operation']
  object?: object
  old?: object
  kind?: AdmissionRequest['kind']
}

/** A request as admission gets it: a create of something by bob. */
export function requestOf(about: About): AdmissionRequest {
  const { group = '', version = 'v1', resource, subresource = '', namespace = '', name = '', operation = 'CREATE', object, old } = about
  const { group: g, version: v, kind } = storageKind(kindOfResource(group, version, resource)!)
  return {
    operation,
    context: {
      request: {
        user: { username: 'bob', groups: ['dev'] },
        verb: 'create',
        path: '',
        resource: { group, version, resource, subresource, namespace, name, rest: '' },
      },
      now: '2026-01-01T00:00:00Z',
      dryRun: false,
      warnings: [],
    },
    kind: about.kind ?? { group: g, version: v, kind },
    ...(object ? { object: object as KubeObject } : {}),
    ...(old ? { old: old as KubeObject } : {}),
  }
}
