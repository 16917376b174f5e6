export { defaultPlugins } from './plugins/index.ts'
export { runScheduler, type SchedulerOptions } from './scheduler.ts'
export type { SchedulerPlugin } from './framework.ts'
