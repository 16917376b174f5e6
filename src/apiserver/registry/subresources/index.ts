import type { Random } from '#base'
import type { Subresource } from '#api'
import type { Response } from '#client'
import type { Call } from '../call.ts'
import type { Registry } from '../registry.ts'
import { handleVerb } from '../verbs.ts'
import { bind } from './binding.ts'
import { evict } from './eviction.ts'
import { ephemeralContainers, finalize, resize } from './partial.ts'
import { scale } from './scale.ts'

export type SubresourceVerb = (registry: Registry, call: Call, random: Random) => Promise<Response> | Response

/** The subresources that the registry answers itself; undefined for those that are answered elsewhere. */
export function builtinSubresource({ name }: Subresource): SubresourceVerb | undefined {
  switch (name) {
    case 'status':
    case 'approval':
      return handleVerb
    case 'scale':
      return scale
    case 'binding':
      return bind
    case 'eviction':
      return evict
    case 'ephemeralcontainers':
      return ephemeralContainers
    case 'resize':
      return resize
    case 'finalize':
      return finalize
    default:
      return undefined
  }
}
