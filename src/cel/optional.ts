import { types } from './types.ts'
import { CelError, Opaque, type Value } from './values.ts'

const optionalType = types.optional(types.dyn)

/**
 * A value, or none. Two are equal when both are none, or their values are equal: that is decided where values are compared, since a value may be
 * anything.
 */
export class Optional extends Opaque {
  // what it holds is not known before it is there
  readonly type = optionalType
  /** Undefined for none. */
  readonly value: Value | undefined

  constructor(value: Value | undefined) {
    super()
    this.value = value
  }

  /** The value; a CelError where there is none. */
  get(): Value {
    return this.value === undefined ? new CelError('optional.none() dereference') : this.value
  }
}

export const none = new Optional(undefined)
