export type { CustomResourceSchema } from './custom.ts'
export { openapiHandler, type OpenApiAnswer, type OpenApiOptions } from './handler.ts'
