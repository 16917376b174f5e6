import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
let loaded: typeof import('./evaluation.ts') | undefined

/**
 * CEL and what evaluates policies: loaded with the first expression that comes, since most servers never see one. By require, because validation does not
 * wait.
 */
export const evaluation = (): typeof import('./evaluation.ts') => (loaded ??= require('./evaluation.ts') as typeof import('./evaluation.ts'))
