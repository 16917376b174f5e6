import type { Deviation } from './deviations.ts'

export const deviations: Deviation[] = []
