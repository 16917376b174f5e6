import { type Causes, invalid, required } from '../causes.ts'

/** A path below the volume: relative, and without any way up. */
export function validateDescendingPath(causes: Causes, path: string, target: string): void {
  if (target.startsWith('/')) causes.push(invalid(path, target, 'must be a relative path'))
  validateNoBacksteps(causes, path, target)
}

export function validateNoBacksteps(causes: Causes, path: string, target: string): void {
  if (hasBacksteps(target)) causes.push(invalid(path, target, "must not contain '..'"))
}

export const hasBacksteps = (target: string) => target.includes('..') && target.split('/').includes('..')

/** A path that also leaves alone the names which atomic writers keep for themselves. */
export function validateUnreservedPath(causes: Causes, path: string, file: string): void {
  validateDescendingPath(causes, path, file)
  if (file.startsWith('..') && !file.startsWith('../')) causes.push(invalid(path, file, "must not start with '..'"))
}

/** The path of a file that the API puts into a volume. */
export function validateFilePath(causes: Causes, path: string, file: string | undefined): void {
  if (file) validateUnreservedPath(causes, path, file)
  else causes.push(required(path))
}
