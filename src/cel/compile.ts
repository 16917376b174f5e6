import { check, type Declarations } from './checker.ts'
import type { Checked } from './checked.ts'
import { CompileError, type Environment, type EnvironmentOptions, type Program } from './environment.ts'
import type { Library, Overload } from './library.ts'
import { parse } from './parser.ts'
import { plan } from './plan.ts'
import { types } from './types.ts'
import { validate } from './validation.ts'
import { wellKnownConstants, withWellKnown } from './well-known.ts'

type Constants = NonNullable<Library['constants']>

/** Makes an environment. Of two libraries that give a function the same name, both give it overloads. */
export const createEnvironment = (options: EnvironmentOptions): Environment => {
  const functions = new Map<string, Overload[]>()
  const constants = new Map<string, Constants[string]>(Object.entries(wellKnownConstants))
  for (const library of options.libraries) {
    for (const [name, overloads] of Object.entries(library.functions ?? {})) functions.set(name, [...(functions.get(name) ?? []), ...overloads])
    for (const [name, constant] of Object.entries(library.constants ?? {})) constants.set(name, constant)
  }
  const { libraries, variables, types: provider, container = '', strict = true } = options
  const shared = { functions, types: withWellKnown(provider) }
  const declarations: Declarations = { ...shared, variables, constants, container, homogeneous: false }

  const analyse = (source: string): Checked => {
    try {
      const checked = check(parse(source, libraries), declarations)
      if (strict) validate(checked, functions, libraries)
      return checked
    } catch (error) {
      // Macros in one another make trees deeper than their source is; the limits of the parser are of the source.
      if (error instanceof RangeError) throw new CompileError('expression nests too deeply', [])
      throw error
    }
  }

  return {
    compile(source): Program {
      const checked = analyse(source)
      return {
        source,
        checked,
        resultType: checked.types.get(checked.expr.id) ?? types.dyn,
        mentions: checked.mentions,
        evaluate: plan(checked, shared),
      }
    },
    extend: (more) =>
      createEnvironment({
        ...options,
        ...more,
        libraries: [...libraries, ...(more.libraries ?? [])],
        variables: { ...variables, ...more.variables },
      }),
  }
}
