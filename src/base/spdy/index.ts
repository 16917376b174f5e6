export * from './connection.ts'
export * from './frame.ts'
export type { SpdyHeaders } from './header-block.ts'
