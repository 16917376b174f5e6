/** How a backend is spoken to: plain or TLS, HTTP/1.1 or HTTP/2 (what gRPC needs). */
export type BackendProtocol = 'http' | 'https' | 'h2c' | 'h2'

/** Where requests go: the endpoints of one service port, or a name outside of the cluster. */
export interface Backend {
  /** Unique; letters, digits, dots, colons and dashes. */
  id: string
  protocol: BackendProtocol
  /** `ip:port` each, sorted. */
  endpoints: string[]
  /** Of an ExternalName service. */
  external?: { host: string; port: number }
  /** Requests of one client address go to one endpoint. */
  sticky: boolean
}

/** What plain HTTP gets where there is TLS: sent on to https, served as well, or nothing. */
export type PlainHttp = 'redirect' | 'serve' | 'refuse'

/** The routes of one host of a site. */
export interface HostRoutes {
  /** A name, a wildcard for one label (`*.example.com`), or empty for every other host. */
  host: string
  plainHttp: PlainHttp
  /** Backend ids by whole path. */
  exact: Map<string, string>
  /** Backend ids by path prefix, element by element: without the slash at the end, the root being empty. */
  prefix: Map<string, string>
  /** Where no path matches. */
  fallback?: string
}

/** A certificate chain with its key, checked to fit. */
export interface Certificate {
  /** A digest of the content: another content is another certificate. */
  id: string
  pem: string
}

export interface SiteTls {
  /** In order of preference; without names a certificate serves what no other names. */
  certificates: { id: string; names: string[] }[]
}

/** What answers at one address. */
export interface Site {
  /** An address of the pool, or `127.0.0.1` for all of them together on the host's own. */
  address: string
  hosts: HostRoutes[]
  tls?: SiteTls
}

/** Everything the data plane must do: complete, and independent of what it does now. */
export interface Desired {
  sites: Site[]
  backends: Backend[]
  certificates: Certificate[]
}

export interface Applied {
  /** Certificates that the data plane does not take, with its reason: everything else is in force. */
  refused: Map<string, string>
  /** Whether it took a new configuration, which is not cheap; endpoints alone are. */
  reloaded: boolean
}

/** Serves what is desired. Changes drop no request. */
export interface DataPlane extends AsyncDisposable {
  /** Makes all of it served; calls do not overlap. */
  apply(desired: Desired): Promise<Applied>
  /** Makes these the endpoints of the backends that are served now, at once, also while `apply` is under way; other backends are left to that. */
  endpoints(backends: readonly Backend[]): Promise<void>
}

export const localAddress = '127.0.0.1'
