export type { Entry, FlowControl, Seat } from './flow-control.ts'
export { TooManyRequests, flowControl } from './flow-control.ts'
export { followFlowObjects } from './follow.ts'
export { ensureFlowObjects } from './objects.ts'
