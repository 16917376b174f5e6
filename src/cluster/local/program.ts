import { join } from 'node:path'

/**
 * The space of new objects may grow to V8's 32 MB, so that what a request makes is gone before anybody has to look at it (with 8 MB a create costs a fifth more);
 * `idle-memory.ts`, which needs `gc`, gives it back when there is nothing to do.
 */
const heap = ['--max-semi-space-size=32', '--expose-gc']

/** This program, as the pinned Node runs it for the processes of a cluster. */
export const ownProgram = (...args: string[]) => ({
  program: process.execPath,
  args: [...heap, join(import.meta.dirname, '../../bin/main.ts'), ...args],
})
