import type { meta } from '#api'
import type { Target } from './send.ts'
import { send } from './send.ts'

interface Listed {
  items: { metadata: { name: string; namespace?: string; finalizers?: string[] } }[]
}

/** Takes everything of the suite off a server that has no controllers to do it: namespaces named `diff-…` with all that is in them, and such cluster-wide objects. */
export async function reset(target: Target): Promise<void> {
  const { body } = await send(target, { name: 'namespaces', method: 'GET', path: '/api/v1/namespaces' })
  const names = (body as Listed).items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('diff-'))
  await clearNamespace(target, 'diff-none', true)
  for (const name of names) await clearNamespace(target, name, false)
}

async function clearNamespace(target: Target, namespace: string, clusterWide: boolean): Promise<void> {
  const ask = async (method: string, path: string, body?: unknown, type?: string) =>
    send(target, { name: path, method, path, body, ...(type ? { headers: { 'content-type': type } } : {}) })
  const clear = async (path: string) => {
    await ask('DELETE', path, { gracePeriodSeconds: 0, propagationPolicy: 'Background' })
    await ask('PATCH', path, { metadata: { finalizers: null } }, 'application/merge-patch+json')
  }
  for (const root of await roots(target)) {
    const { resources = [] } = (await ask('GET', root)).body as Partial<meta.APIResourceList>
    for (const { name, namespaced, verbs } of resources) {
      if (name.includes('/') || name === 'namespaces' || !verbs.includes('delete') || !verbs.includes('list')) continue
      if (namespaced === clusterWide) continue
      const collection = namespaced ? `${root}/namespaces/${namespace}/${name}` : `${root}/${name}`
      const { items = [] } = ((await ask('GET', collection)).body as Partial<Listed>) ?? {}
      const mine = items.filter((item) => namespaced || item.metadata.name.startsWith('diff-') || item.metadata.name.endsWith('.diff.example.com'))
      for (const { metadata } of mine) await clear(`${collection}/${encodeURIComponent(metadata.name)}`)
    }
  }
  const path = `/api/v1/namespaces/${namespace}`
  if ((await ask('GET', path)).status === 404) return
  await ask('DELETE', path)
  await ask('PUT', `${path}/finalize`, { metadata: { name: namespace }, spec: { finalizers: [] } })
}

async function roots(target: Target): Promise<string[]> {
  const { body } = await send(target, { name: 'groups', method: 'GET', path: '/apis' })
  return ['/api/v1', ...(body as meta.APIGroupList).groups.flatMap((group) => group.versions.map(({ groupVersion }) => `/apis/${groupVersion}`))]
}
