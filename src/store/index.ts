/**
 * The store. What keys look like is the caller's business (the API server's are `/registry/<resource>/<namespace>/<name>`): here a
 * key is a string whose bytes give its order, and only prefixes of it mean anything. Values are bytes that nobody here looks into.
 */
export * from './store.ts'
export * from './backup.ts'
export type { Retention } from './mvcc-store.ts'
export * from './memory/memory-store.ts'
export * from './sqlite/sqlite-store.ts'
export * from './etcd/etcd-store.ts'
export * from './etcd/url.ts'
