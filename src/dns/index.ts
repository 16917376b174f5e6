export * from './answer.ts'
export * from './records.ts'
export * from './server.ts'
export * from './view.ts'
