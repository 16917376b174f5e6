export * from './resource-client.ts'
export * from './transport.ts'
