export * from './service-allocator.ts'
export * from './default-cidr.ts'
export { defaultServiceCidr } from './service-ranges.ts'
