/**
 * The X.509 library, loaded when something is to be issued: a start that finds all certificates in place never pays for it (60-90 ms and
 * its memory). Reading certificates is done with `node:crypto`.
 */
export type X509 = typeof import('@peculiar/x509')

let loading: Promise<X509> | undefined

export function x509(): Promise<X509> {
  loading ??= (async () => {
    provideMetadata()
    return await import('@peculiar/x509')
  })()
  return loading
}

/** The library's dependency container refuses to load without the metadata half of `Reflect`; this is as much of it as decorators use. */
function provideMetadata(): void {
  const reflect = Reflect as typeof Reflect & Record<string, unknown>
  if (reflect['getMetadata']) return
  const metadata = new WeakMap<object, Map<unknown, unknown>>()
  const define = (key: unknown, value: unknown, target: object) => {
    const known = metadata.get(target) ?? new Map()
    metadata.set(target, known.set(key, value))
  }
  reflect['defineMetadata'] = define
  reflect['getOwnMetadata'] = (key: unknown, target: object) => metadata.get(target)?.get(key)
  reflect['getMetadata'] = reflect['getOwnMetadata']
  reflect['metadata'] = (key: unknown, value: unknown) => (target: object) => define(key, value, target)
}
