export * from './config.ts'
export * from './encrypted-store.ts'
export type { Kms } from './kms.ts'
export { EncryptionError } from './transformer.ts'
