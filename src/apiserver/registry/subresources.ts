import type { Random } from '#base'
import type { Subresource } from '#api'
import type { Response } from '#client'
import type { Call } from './call.ts'
import type { Registry, ServedResource } from './registry.ts'
import { handleVerb } from './verbs.ts'

export type SubresourceVerb = (registry: Registry, call: Call, random: Random) => Promise<Response>

/** The subresources that the registry answers itself; undefined for those that are answered elsewhere. */
export function builtinSubresource(_served: ServedResource, subresource: Subresource): SubresourceVerb | undefined {
  switch (subresource.name) {
    case 'status':
    case 'approval':
      return handleVerb
    default:
      return undefined
  }
}
