import type { DeepReadonly, KubeObject, resource } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { age } from './duration.ts'

export const agedTable: TableDefinition<KubeObject> = {
  columns: [nameColumn, ageColumn],
  cells: ({ metadata }, now) => [metadata.name, age(metadata.creationTimestamp, now)],
}

export const resourceClaimTable: TableDefinition<resource.ResourceClaim> = {
  columns: [nameColumn, column('State'), ageColumn],
  cells: (claim, now) => [claim.metadata.name, claimState(claim), age(claim.metadata.creationTimestamp, now)],
}

function claimState({ metadata, status }: DeepReadonly<resource.ResourceClaim>): string {
  const states = metadata.deletionTimestamp ? ['deleted'] : status?.allocation ? [] : ['pending']
  if (status?.allocation) states.push('allocated', ...(status.reservedFor?.length ? ['reserved'] : []))
  return states.join(',')
}

export const resourceSliceTable: TableDefinition<resource.ResourceSlice> = {
  columns: [nameColumn, column('Node'), column('Driver'), column('Pool'), ageColumn],
  cells: ({ metadata, spec }, now) => [metadata.name, spec.nodeName ?? '', spec.driver, spec.pool.name, age(metadata.creationTimestamp, now)],
}
