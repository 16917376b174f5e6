export type * from './config/compiled.ts'
