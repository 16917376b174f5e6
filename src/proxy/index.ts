export * from './nftables/backend.ts'
export * from './plan.ts'
export * from './proxy.ts'
export * from './rule-backend.ts'
