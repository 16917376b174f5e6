import type { meta } from '#api'
import type { Target } from './send.ts'
import { send } from './send.ts'

interface Listed {
  items: { metadata: { name: string; namespace?: string; finalizers?: string[] } }[]
}

/** Takes everything of a topic off a server that has no controllers to do it: its namespace with all that is in it, and cluster-wide objects named `diff-…`. */
export async function reset(target: Target, namespace: string): Promise<void> {
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
