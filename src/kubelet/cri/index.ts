export type * as cri from './types.ts'
export * from './runtime-service.ts'
