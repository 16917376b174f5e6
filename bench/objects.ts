import type { core } from '#api'
import { isStatus, resources } from '#api'
import type { Client } from '#client'

/** Runs `work` for 0 … count - 1, 16 at a time. */
export async function inParallel(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

/** Without controllers nobody makes the service account that every pod has. */
export async function ensureServiceAccount(client: Client, namespace: string): Promise<void> {
  try {
    await client
      .resource<core.ServiceAccount>(resources.serviceAccounts)
      .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } } as core.ServiceAccount)
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
  }
}
