import { readFileSync } from 'node:fs'
import type { EtcdTls } from './rpc.ts'

export interface EtcdAddress {
  endpoints: string[]
  /** In front of every key: several clusters may share an etcd. */
  prefix: string
  tls?: EtcdTls
}

/**
 * `etcd://HOST:PORT[,HOST:PORT…][/PREFIX][?ca=FILE[&cert=FILE&key=FILE]]`: with `ca` the connection is TLS, with `cert` and `key` the client shows who it is.
 * Throws Error for anything else, naming what is wrong.
 */
export function parseEtcdUrl(url: string): EtcdAddress {
  const match = /^etcd:\/\/([^/?#]+)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(url)
  if (!match)
    throw new Error(`${JSON.stringify(url)} is no address of etcd: etcd://HOST:PORT[,HOST:PORT…][/PREFIX][?ca=FILE&cert=FILE&key=FILE] is expected`)
  const endpoints = match[1]!.split(',')
  for (const endpoint of endpoints)
    if (!/^(\[[0-9a-f:.]+\]|[^\s:@[\]]+):\d{1,5}$/i.test(endpoint)) throw new Error(`${JSON.stringify(endpoint)} is no HOST:PORT of an etcd member`)
  const query = new URLSearchParams(match[3] ?? '')
  for (const name of query.keys())
    if (!['ca', 'cert', 'key'].includes(name))
      throw new Error(`unknown parameter ${JSON.stringify(name)} of etcd's address: ca, cert and key are known`)
  const { ca, cert, key } = Object.fromEntries(query)
  if ((cert === undefined) !== (key === undefined)) throw new Error('a client certificate of etcd needs both cert and key')
  if (cert && !ca) throw new Error('a client certificate of etcd needs ca as well')
  const prefix = (match[2] ?? '').replace(/\/+$/, '')
  const tls = ca ? { ca: readFileSync(ca), ...(cert && key ? { cert: readFileSync(cert), key: readFileSync(key) } : {}) } : undefined
  return { endpoints, prefix, ...(tls ? { tls } : {}) }
}
