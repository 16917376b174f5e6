export type { Dial, TlsClient } from './backend.ts'
export { dialTcp } from './backend.ts'
export * from './proxying.ts'
