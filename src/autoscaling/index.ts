export * from './hpa/controller.ts'
export * from './metrics-api.ts'
export * from './metrics-source.ts'
