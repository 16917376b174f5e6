export type * from './types/index.ts'
export * from './object.ts'
export * from './status.ts'
