import { type Regexp, RegexpError, compileRegexp } from './go/regexp.ts'
import { CelError } from './values.ts'

/** An RE2 pattern, which matches in linear time whatever it is; an error with Go's text where it is none. */
export function compileRegex(pattern: string): Regexp | CelError {
  try {
    return compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof RegexpError)) throw error
    return new CelError(error.message)
  }
}
