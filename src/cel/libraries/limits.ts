import { end } from '../frame.ts'

/** Texts that are longer cannot be read within any limit, and would fill the memory. */
const longestText = 1 << 26

/** Ends the evaluation before a text becomes too long. */
export function limitLength(length: number): void {
  if (length > longestText) end('operation cancelled: actual cost limit exceeded')
}
