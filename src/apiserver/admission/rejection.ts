import type { StatusError } from '#api'
import { errors } from '#api'
import type { AdmissionRequest } from './admission.ts'

/** Whether the request is about this resource, and this subresource of it (the object itself when absent). */
export function targets(request: AdmissionRequest, group: string, resource: string, subresource = ''): boolean {
  const about = request.context.request.resource
  return about !== undefined && about.resource === resource && about.group === group && about.subresource === subresource
}

/** The group and resource that messages name. */
export function resourceOf(request: AdmissionRequest): { group: string; resource: string } {
  const { group = '', resource = '' } = request.context.request.resource ?? {}
  return { group, resource }
}

/** The object's name as messages give it: it may be yet to be generated. */
export function nameOf(request: AdmissionRequest): string {
  const name = request.context.request.resource?.name
  const metadata = request.object?.metadata
  // the suffix of a generated name says nothing to the client: what it asked for does
  const generated = metadata?.generateName && metadata.name?.startsWith(metadata.generateName) ? metadata.generateName : undefined
  return name || generated || metadata?.name || metadata?.generateName || 'Unknown'
}

export function namespaceOf(request: AdmissionRequest): string {
  return request.context.request.resource?.namespace ?? ''
}

/** The 403 of an admission plugin. */
export function rejected(request: AdmissionRequest, why: string): StatusError {
  return errors.forbidden(resourceOf(request), nameOf(request), why)
}
