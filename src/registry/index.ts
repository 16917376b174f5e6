export * from './access.ts'
export * from './addresses.ts'
