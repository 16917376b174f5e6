import { canonicalQuantity, compareQuantity, parseQuantity } from '#api'

// Nearly every quantity is digits and an SI suffix: those are non-negative without parsing.
const plain = /^[0-9]/
const plainInteger = /^[0-9]+$/

export const isNegativeQuantity = (text: string) => !plain.test(text) && parseQuantity(text).nano < 0n

export const isZeroQuantity = (text: string) => text === '0' || parseQuantity(text).nano === 0n

export const isIntegerQuantity = (text: string) => plainInteger.test(text) || parseQuantity(text).nano % 1_000_000_000n === 0n

export const compareQuantities = (a: string, b: string) => (a === b ? 0 : compareQuantity(a, b))

/** A quantity as messages print it. */
export const quantityText = (text: string) => canonicalQuantity(text)
