import { Agent, request } from 'node:https'
import type { Operation, WatchHistory } from './history.ts'

const path = '/api/v1/namespaces/default/configmaps'
export const now = (): number => performance.now()

interface Answer {
  status: number
  body: any
}

/** Requests to the server under test. A server that goes away rejects; what it may have done by then is not known. */
export function testClient(port: number) {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  const headers = { authorization: 'Bearer admintoken', 'content-type': 'application/json' }
  const options = { host: '127.0.0.1', port, agent, headers }

  function call(method: string, at: string, body?: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...options, method, path: path + at }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('aborted', () => reject(new Error('aborted')))
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode!, body: JSON.parse(text) })
          } catch (error) {
            reject(error as Error)
          }
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body && JSON.stringify(body))
    })
  }

  const revisionOf = (object: any) => Number(object.metadata.resourceVersion)
  const map = (name: string, value: string, resourceVersion?: number) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(resourceVersion ? { resourceVersion: String(resourceVersion) } : {}) },
    data: { value },
  })

  return {
    async read(key: string): Promise<Operation> {
      const start = now()
      const { status, body } = await call('GET', `/${key}`)
      const end = now()
      if (status === 404) return { type: 'read', key, start, end, revision: 0, value: undefined }
      if (status !== 200) throw new Error(`a read was answered ${status}`)
      return { type: 'read', key, start, end, revision: revisionOf(body), value: body.data.value }
    },

    async list(): Promise<Operation> {
      const start = now()
      const { status, body } = await call('GET', '')
      const end = now()
      if (status !== 200) throw new Error(`a list was answered ${status}`)
      const items = body.items.map((item: any) => ({ key: item.metadata.name, revision: revisionOf(item), value: item.data.value }))
      return { type: 'list', start, end, revision: revisionOf(body), items }
    },

    /** Creates, changes or deletes, based on a read; undefined where somebody else was there first. */
    async write(key: string, basedOn: number, value: string | undefined): Promise<Operation | undefined> {
      const start = now()
      const done = { type: 'write' as const, key, start, value, basedOn }
      try {
        const { status, body } =
          value === undefined
            ? await call('DELETE', `/${key}`, { preconditions: { resourceVersion: String(basedOn) } })
            : basedOn === 0
              ? await call('POST', '', map(key, value))
              : await call('PUT', `/${key}`, map(key, value, basedOn))
        const end = now()
        if (status === 409 || status === 404) return undefined
        if (status >= 300) return { ...done, end, outcome: 'unknown' }
        return { ...done, end, outcome: 'acknowledged', revision: value === undefined ? 0 : revisionOf(body) }
      } catch {
        return { ...done, end: now(), outcome: 'unknown' }
      }
    },

    /** Watches until the connection ends, and adds what it is told. */
    watch(history: WatchHistory): Promise<void> {
      return new Promise((resolve) => {
        const from = history.events.at(-1)?.revision ?? history.from
        const outgoing = request(
          { ...options, agent: false, rejectUnauthorized: false, method: 'GET', path: `${path}?watch=1&resourceVersion=${from}` },
          (response) => {
            let text = ''
            response.setEncoding('utf8')
            response.on('data', (chunk: string) => {
              const lines = (text + chunk).split('\n')
              text = lines.pop()!
              for (const line of lines) {
                const { type, object } = JSON.parse(line)
                if (type === 'ERROR') continue
                const value = type === 'DELETED' ? undefined : object.data.value
                history.events.push({ key: object.metadata.name, revision: revisionOf(object), value })
              }
            })
            for (const event of ['end', 'error', 'aborted', 'close']) response.on(event, () => resolve())
          },
        )
        outgoing.on('error', () => resolve())
        outgoing.end()
      })
    },

    close: () => agent.destroy(),
  }
}
