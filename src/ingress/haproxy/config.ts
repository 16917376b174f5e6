import { join } from 'node:path'
import type { Backend, Desired, PlainHttp, Site } from '../desired.ts'
import { localAddress } from '../desired.ts'
import { nowhere } from '../plan.ts'

export interface ConfigOptions {
  /** Directory of sockets. */
  run: string
  /** Directory of the files. */
  dir: string
  /** Network namespace of the pool's addresses. */
  namespace: string
  /** Ports of all sites on the host's own address. */
  local: { http: number; https: number }
  /** Resolvers of external names. */
  nameservers: readonly string[]
}

/** The files of a configuration by name, with the endpoints, which may change at run time, apart. */
export interface HaproxyFiles {
  /** All files but `haproxy.cfg`. */
  files: Map<string, string>
  /** `haproxy.cfg` with these endpoints. */
  config(backends: readonly Backend[]): string
}

export const statsSocket = (run: string): string => join(run, 'stats.sock')
/** Where a process that is being replaced hands over the requests that still come on its connections. */
const successorSocket = (run: string, secure: boolean): string => join(run, secure ? 'next-tls.sock' : 'next.sock')
const secureSuccessor = 9001
export const masterSocket = (run: string): string => join(run, 'master.sock')

/**
 * The configuration of HAProxy (2.6 or later). One front end has every address; maps lead from address and host to a token, and from the token and the
 * path to a backend: their look-up costs the same for one route and for thousands. Beside names that were checked, nothing of an object stands in the
 * configuration itself.
 */
export function haproxyFiles(desired: Desired, options: ConfigOptions): HaproxyFiles {
  const { dir } = options
  const files = new Map<string, string>()
  const maps = mapsOf(desired.sites)
  for (const [name, lines] of Object.entries(maps)) files.set(`${name}.map`, lines.map((line) => `${line}\n`).join(''))
  for (const { id, pem } of desired.certificates) files.set(`${id}.pem`, pem)
  const binds: string[] = []
  for (const site of desired.sites) {
    const local = site.address === localAddress
    const where = local ? '' : ` namespace ${options.namespace}`
    binds.push(`bind ${site.address}:${local ? options.local.http : 80}${where}`)
    if (!site.tls) continue
    const list = `${site.address}.list`
    files.set(list, site.tls.certificates.map(({ id, names }) => crtLine(join(dir, `${id}.pem`), names)).join(''))
    binds.push(`bind ${site.address}:${local ? options.local.https : 443}${where} ssl crt-list ${join(dir, list)} alpn h2,http/1.1`)
  }
  const map = (name: string, how = 'str') => `map_${how}(${join(dir, `${name}.map`)})`
  const localPort = options.local.https === 443 ? '' : `:${options.local.https}`
  const redirect = (port: string) => `http-request redirect code 308 location https://%[var(txn.name)]${port}%[pathq] if !leaving moved !challenge`
  for (const secure of [false, true])
    binds.push(`bind ${successorSocket(options.run, secure)} user haproxy mode 600 accept-proxy${secure ? ` id ${secureSuccessor}` : ''}`)
  const head = `
global
  log stdout format raw local0 notice
  stats socket ${statsSocket(options.run)} mode 600 level admin expose-fd listeners
  stats timeout 1h
  user haproxy
  group haproxy
  fd-hard-limit 40000
  nbthread 2
  hard-stop-after 1h
  ssl-default-bind-options ssl-min-ver TLSv1.2
  tune.ssl.default-dh-param 2048

defaults
  mode http
  log global
  option dontlognull
  option dontlog-normal
  # pods that end close what they do not use: a request never meets a connection that its server just gave up
  option http-server-close
  option idle-close-on-response
  option redispatch 1
  retries 3
  retry-on conn-failure empty-response
  timeout connect 2s
  timeout client 10m
  timeout server 10m
  timeout http-request 30s
  timeout http-keep-alive 75s
  timeout tunnel 24h
  timeout queue 30s

resolvers cluster
${options.nameservers.map((address, i) => `  nameserver dns${i + 1} ${address}:53\n`).join('')}  hold valid 5s
  accepted_payload_size 4096

frontend sites
${binds.map((line) => `  ${line}\n`).join('')}  # a process that is being replaced knows neither the routes nor the endpoints of now: its successor does
  acl leaving stopping
  acl http2 fc_http_major 2
  http-request set-var(txn.name) req.hdr(host),field(1,:),lower
  http-request set-var(txn.path) path
  http-request set-var(txn.host) dst,concat(/,txn.name),${map('hosts')}
  http-request set-var(txn.wide) var(txn.name),regsub(^[^.]+,)
  http-request set-var(txn.host) dst,concat(/*,txn.wide),${map('hosts')} if !{ var(txn.host) -m found }
  http-request set-var(txn.host) dst,concat(/),${map('hosts')} if !{ var(txn.host) -m found }
  acl challenge path_beg /.well-known/acme-challenge/
  acl moved var(txn.host),${map('plain')} -m str redirect
  acl refused var(txn.host),${map('plain')} -m str refuse
  acl secure ssl_fc
  acl secure so_id ${secureSuccessor}
  acl local dst ${localAddress}
  http-request return status 404 content-type text/plain string "not found: this host is served over https only\\n" if !leaving !secure refused
  ${redirect(localPort)} !secure local
  ${redirect('')} !secure !local
  http-request set-var(txn.to) var(txn.host),concat(,txn.path),${map('exact')}
  http-request set-var(txn.to) var(txn.host),concat(,txn.path,/),${map('prefix', 'beg')} if !{ var(txn.to) -m found }
  http-request set-var(txn.to) var(txn.host),${map('fallback')} if !{ var(txn.to) -m found }
  http-request return status 404 content-type text/plain string "not found: no ingress has this host and path\\n" if !leaving !{ var(txn.to) -m found }
  http-request disable-l7-retry if !{ method GET HEAD OPTIONS }
  http-request del-header Forwarded
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-var(txn.scheme) str(http1) if !secure !http2
  http-request set-var(txn.scheme) str(http2) if !secure http2
  http-request set-var(txn.scheme) str(https1) if secure !http2
  http-request set-var(txn.scheme) str(https2) if secure http2
  http-request set-header X-Forwarded-Proto https if secure
  http-request set-header X-Forwarded-Proto http if !secure
  use_backend successor:%[var(txn.scheme)] if leaving
  use_backend %[var(txn.to)]

backend ${nowhere}
${[false, true].flatMap((secure) => [false, true].map((http2) => successor(options.run, secure, http2))).join('')}`
  return {
    files,
    config: (backends) => `${head.slice(1)}${backends.map((backend) => `\n${backendSection(backend)}`).join('')}`,
  }
}

/** HTTP/2 is handed on as such: gRPC needs it. */
const successor = (run: string, secure: boolean, http2: boolean) => `
backend successor:http${secure ? 's' : ''}${http2 ? 2 : 1}
  server next unix@${successorSocket(run, secure)} send-proxy-v2${http2 ? ' proto h2' : ''}
`

/** Certificate lists have one certificate a line, and the names it is for; without names those that stand in the certificate, and all that is left for the first. */
const crtLine = (file: string, names: readonly string[]) => `${file}${names.length > 0 ? ` ${names.join(' ')}` : ''}\n`

type Maps = Record<'hosts' | 'plain' | 'exact' | 'prefix' | 'fallback', string[]>

function mapsOf(sites: readonly Site[]): Maps {
  const maps: Maps = { hosts: [], plain: [], exact: [], prefix: [], fallback: [] }
  let count = 0
  for (const site of sites)
    for (const routes of site.hosts) {
      const token = `h${count++}`
      maps.hosts.push(`${site.address}/${routes.host} ${token}`)
      if (routes.plainHttp !== ('serve' satisfies PlainHttp)) maps.plain.push(`${token} ${routes.plainHttp}`)
      for (const [path, to] of routes.exact) maps.exact.push(`${token}${path} ${to}`)
      for (const [path, to] of routes.prefix) maps.prefix.push(`${token}${path}/ ${to}`)
      if (routes.fallback) maps.fallback.push(`${token} ${routes.fallback}`)
    }
  return maps
}

/** What follows an endpoint's address, also when it is added at run time. */
export function serverKeywords({ protocol }: Backend): string {
  if (protocol === 'h2c') return ' proto h2'
  if (protocol === 'https') return ' ssl verify none alpn http/1.1'
  if (protocol === 'h2') return ' ssl verify none alpn h2'
  return ''
}

function backendSection(backend: Backend): string {
  const lines = [`backend ${backend.id}`, ...(backend.sticky ? ['balance source', 'hash-type consistent'] : ['balance roundrobin'])]
  const { external } = backend
  if (external)
    lines.push(
      `server external ${external.host}:${external.port} resolvers cluster init-addr none resolve-prefer ipv4 resolve-opts allow-dup-ip${serverKeywords(backend)}`,
    )
  for (const endpoint of backend.endpoints) lines.push(`server ${endpoint} ${endpoint}${serverKeywords(backend)}`)
  return `${lines.join('\n  ')}\n`
}
