export type * as cri from './types.ts'
export * from './runtime-service.ts'
export * from './containerd.ts'
export * from './fake.ts'
