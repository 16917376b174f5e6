export * from './service-allocator.ts'
