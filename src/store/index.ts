export * from './store.ts'
export type { Retention } from './mvcc-store.ts'
export * from './memory/memory-store.ts'
