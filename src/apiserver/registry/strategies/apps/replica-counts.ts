import type { DeepReadonly } from '#api'
import { type Causes, invalid, nonNegative } from '../../validation/causes.ts'

type Counts = DeepReadonly<{ [name: string]: unknown }>

const count = (status: object, field: string) => (status as Counts)[field] as number | undefined

/** Counts of a status are not negative. */
export function countsAreCounts(causes: Causes, status: object, fields: readonly string[]): void {
  for (const field of fields) nonNegative(causes, `status.${field}`, count(status, field))
}

export function atMostReplicas(causes: Causes, status: object, fields: readonly string[]): void {
  const replicas = count(status, 'replicas') ?? 0
  for (const field of fields) {
    const value = count(status, field) ?? 0
    if (value > replicas) causes.push(invalid(`status.${field}`, value, 'cannot be greater than status.replicas'))
  }
}

/** A pod is ready before it is available. `ready` is how upstream calls the other field in the message. */
export function availableAreReady(causes: Causes, status: object, ready = 'readyReplicas'): void {
  const available = count(status, 'availableReplicas') ?? 0
  if (available > (count(status, 'readyReplicas') ?? 0))
    causes.push(invalid('status.availableReplicas', available, `cannot be greater than ${ready}`))
}

/** Names are made from it: one that goes back would make those that are taken. */
export function collisionsGrow(causes: Causes, status: { readonly collisionCount?: number }, old: { readonly collisionCount?: number } = {}): void {
  const before = old.collisionCount
  const now = status.collisionCount
  if (before !== undefined && (now === undefined || now < before)) causes.push(invalid('status.collisionCount', now ?? 0, 'cannot be decremented'))
}
