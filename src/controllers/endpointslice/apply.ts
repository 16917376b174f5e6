import { type DeepReadonly, type discovery, isStatus } from '#api'
import type { ResourceClient } from '#client'
import type { Expectations } from '#runtime'
import { isNamespaceTerminating } from '../namespace-terminating.ts'
import type { SlicePlan } from './slices.ts'

/** Carries out a plan; what it creates is expected in the cache before the next plan is made. */
export async function applySlices(
  api: ResourceClient<discovery.EndpointSlice>,
  key: string,
  plan: SlicePlan,
  expectations: Expectations<discovery.EndpointSlice>,
  signal: AbortSignal,
): Promise<void> {
  // what is new or changed first: an address must never be missing because it moves
  for (const slice of plan.create) {
    try {
      expectations.created(key, await api.create(slice, { signal }))
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      throw error
    }
  }
  for (const slice of plan.update) expectations.created(key, await api.update(slice, { signal }))
  for (const slice of plan.delete) await deleteSlice(api, key, slice, expectations, signal)
}

export async function deleteSlice(
  api: ResourceClient<discovery.EndpointSlice>,
  key: string,
  slice: DeepReadonly<discovery.EndpointSlice>,
  expectations: Expectations<discovery.EndpointSlice>,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid } = slice.metadata
  try {
    await api.delete(name, namespace, { preconditions: { uid }, signal })
    expectations.deleted(key, slice)
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
  }
}
