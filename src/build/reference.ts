/** A name as the kubelet and buildah ask for it: with registry and tag. `app` is `docker.io/library/app:latest`, as everywhere. */
export function fullName(name: string): string {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const registry = first.includes('.') || first.includes(':') || first === 'localhost'
  const qualified = registry ? name : slash < 0 ? `docker.io/library/${name}` : `docker.io/${name}`
  return qualified.lastIndexOf(':') > qualified.lastIndexOf('/') || qualified.includes('@') ? qualified : `${qualified}:latest`
}

/** `localhost:5000` of `localhost:5000/app:1`; takes full names only. */
export const registryOf = (reference: string): string => reference.slice(0, reference.indexOf('/'))

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const pattern = new RegExp(`^(?:[A-Za-z0-9.-]+(?::\\d+)?/)?${component}(?:/${component})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`)

/** Throws with what is wrong about a name that is no image's (the grammar of distribution's `reference` package). */
export function checkReference(name: string): void {
  if (pattern.test(name)) return
  if (pattern.test(name.toLowerCase())) throw new Error(`invalid image name ${JSON.stringify(name)}: names are lower-case`)
  throw new Error(`invalid image name ${JSON.stringify(name)}: use NAME:TAG or REGISTRY/NAME:TAG`)
}
