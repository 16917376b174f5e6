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

/**
 * Resolves when pods can be created in the namespace. Without controllers nobody makes the service account that every pod has, so we do; with them it comes soon, and
 * so does the namespace `default` of a new cluster.
 */
export async function podsWelcome(client: Client, namespace: string, makeAccount: boolean): Promise<void> {
  const accounts = client.resource<core.ServiceAccount>(resources.serviceAccounts)
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } } as core.ServiceAccount
  const probe = pod(namespace, 'probe', 'nobody')
  for (let attempt = 0; ; attempt++) {
    try {
      if (makeAccount)
        await accounts.create(account).catch((error: unknown) => {
          if (!isStatus(error, 'AlreadyExists')) throw error
        })
      await client.resource<core.Pod>(resources.pods).create(probe, { dryRun: true })
      return
    } catch (error) {
      if (attempt > 300) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The pod of every row, also of the Lua scripts. Without a token: releases differ in what they add for one, and the rows compare servers with the same objects. */
export const pod = (namespace: string, name: string, schedulerName?: string): core.Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'bench' } },
    spec: {
      automountServiceAccountToken: false,
      ...(schedulerName ? { schedulerName } : {}),
      containers: [
        {
          name: 'c',
          image: 'nginx:1.25',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          env: [{ name: 'A', value: 'b' }],
        },
      ],
    },
  }) as core.Pod
