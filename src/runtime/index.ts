export * from './cache.ts'
export * from './controller.ts'
export * from './events.ts'
