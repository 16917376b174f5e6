import { end } from '../frame.ts'

/** Texts that are longer cannot be read within any limit, and would fill the memory. */
const longestText = 1 << 24

/** Ends the evaluation before a text becomes too long. */
export function limitLength(length: number): void {
  if (length > longestText) end('operation cancelled: actual cost limit exceeded')
}

/** Lists that are longer are made of little by what is not charged for each element, and would fill the memory. */
const longestList = 1 << 20

/** Ends the evaluation before a list becomes too long. */
export function limitElements(count: number): void {
  if (count > longestList) end('operation cancelled: actual cost limit exceeded')
}
