export * from './config/index.ts'
export type * from './git-source.ts'
export * from './names.ts'
export * from './service/routes.ts'
