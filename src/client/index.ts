export { type ClientOptions, createClient } from './client.ts'
export { failureOf, readAll } from './failure.ts'
export * from './resource-client.ts'
export * from './transport.ts'
