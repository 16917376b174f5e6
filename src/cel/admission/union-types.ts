import type { TypeProvider } from '../types.ts'

/** Asks one provider after the other. */
export function unionTypes(providers: readonly TypeProvider[]): TypeProvider {
  const of = (type: string) => providers.find((provider) => provider.has(type))
  return {
    has: (name) => of(name) !== undefined,
    field: (type, field) => of(type)?.field(type, field),
    fields: (type) => of(type)?.fields(type) ?? [],
    create(type, fields) {
      const create = of(type)?.create
      if (!create) throw new Error(`there are no literals of ${type}`)
      return create(type, fields)
    },
  }
}
