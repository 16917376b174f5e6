import assert from 'node:assert/strict'
import type { Creatable, KubeObject } from '#api'
import { isStatus } from '#api'
import type { Client, ResourceRef } from '#client'

/** `FIELD: MESSAGE` of each cause with which the server refuses to make the object; none where it takes it (and forgets it again). For tests of validation. */
export async function refusals(client: Client, ref: ResourceRef<KubeObject>, object: object): Promise<string[]> {
  const resource = client.resource(ref)
  return causesOf(resource.create(object as Creatable<KubeObject>, { dryRun: true }))
}

/** The same of a write that is under way. */
export async function causesOf(write: Promise<unknown>): Promise<string[]> {
  try {
    await write
    return []
  } catch (error) {
    assert.ok(isStatus(error, 'Invalid'), String(error))
    return error.status.details!.causes!.map(({ field, message }) => `${field}: ${message}`)
  }
}
