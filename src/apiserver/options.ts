import type { Clock, Logger } from '#base'
import type { DeepReadonly, KubeObject } from '#api'
import type { Request, Response, Transport } from '#client'
import type { Store } from '#store'
import type { Duplex } from 'node:stream'
import type { AdmissionPlugin } from './admission/admission.ts'
import type { Auditor } from './audit/index.ts'
import type { Authenticator, UserInfo } from './authn/authenticator.ts'
import type { Authorizer } from './authz/authorizer.ts'
import type { ExtensionGroup as DiscoveredExtension } from './discovery/index.ts'
import type { FlowControl } from './flowcontrol/index.ts'
import type { ObjectReader } from './object-reader.ts'
import type { Conversions } from './registry/registry.ts'
import type { ResourceStrategy } from './registry/strategy.ts'
import type { RequestInfo } from './request-info.ts'
import type { Tracing } from './tracing/index.ts'

/** A group and version that someone else in this process serves, e.g. `metrics.k8s.io/v1beta1`. */
export interface ExtensionGroup extends DiscoveredExtension {
  handle(request: Request, info: RequestInfo): Promise<Response>
}

/** A subresource that is answered outside the registry, by `resource/subresource`: `pods/log`, `nodes/proxy`, `serviceaccounts/token`. */
export interface SubresourceHandler {
  handle?(request: Request, info: RequestInfo, registry: SubresourceContext): Promise<Response>
  /** Takes over the connection of an upgrade request (exec, attach, port-forward, proxied WebSockets), authorized already. */
  upgrade?(request: Request, info: RequestInfo, socket: Duplex, head: Uint8Array, registry: SubresourceContext): Promise<void>
}

/** What such handlers may ask the API server. */
export interface SubresourceContext {
  /** The parent object; throws NotFound. */
  parent(): DeepReadonly<KubeObject>
  reader: ObjectReader
  /** The request's body as a decoded object of this kind; throws BadRequest. */
  decode(kind: { group: string; version: string; kind: string }): KubeObject
  /** Asks admission whether the client may connect; `options` is what it asked for, such as a PodExecOptions. Rejects with StatusError. */
  admitConnect(options: { kind: string; [field: string]: unknown }): Promise<void>
  /** This API server, as the requesting user. */
  transport: Transport
}

/** Answers a create of a kind that is never stored, e.g. `authentication.k8s.io/tokenreviews`: takes the decoded object, gives the one to answer. */
export type VirtualHandler = (object: KubeObject, info: RequestInfo) => Promise<object> | object

/** A named part of /readyz: resolves when it is ready, rejects (soon) with the reason when it is not. */
export interface HealthCheck {
  name: string
  check(): Promise<void> | void
}

export interface ServerVersion {
  major: string
  minor: string
  gitVersion: string
}

/** Discovery, OpenAPI and the like: answers undefined for paths that are not its own. */
export type DocumentHandler = (
  path: string,
  accept: string | undefined,
  extensions: readonly ExtensionGroup[],
  options: { ifNoneMatch?: string; serverAddress?: string; acceptEncoding?: string; hash?: string; now?: number },
) => { status: number; headers: Record<string, string>; bytes: Uint8Array; form?: Response['form'] } | undefined

export interface ApiServerOptions {
  store: Store
  /** By `group/resource`; the core group is empty. */
  strategies: Record<string, ResourceStrategy>
  conversions?: Conversions
  authenticators: readonly Authenticator[]
  authorizers: readonly Authorizer[]
  admission: readonly AdmissionPlugin[]
  extensions?: readonly ExtensionGroup[]
  subresources?: Record<string, SubresourceHandler>
  /** By `group/resource`. */
  virtual?: Record<string, VirtualHandler>
  /** Documents beside discovery and OpenAPI, asked in order. */
  documents?: readonly DocumentHandler[]
  tls: { cert: string; key: string; clientCa: string }
  /** Where to listen; 127.0.0.1 alone when absent. */
  addresses?: readonly string[]
  /** 0 takes any free port. */
  port: number
  clock?: Clock
  log: Logger
  version?: Partial<ServerVersion>
  readiness?: readonly HealthCheck[]
  /** Further paths that are about no resource; who may get them, RBAC's nonResourceURLs say. */
  paths?: Record<string, (request: Request) => Promise<Response> | Response>
  /** What `/metrics` shows beside the server's own, in Prometheus' text form. */
  metrics?: readonly { toString(): string }[]
  /** Priority and fairness; every request begins at once when absent. */
  flow?: FlowControl
  /** Traces requests; disposed with the server. */
  tracing?: Tracing
  /** Records requests; disposed with the server. */
  audit?: Auditor
  /** How long a request may take, milliseconds; 60,000 when absent. */
  requestLimit?: number
  /** How long the server goes on serving when it is asked to stop, while it says that it is not ready, milliseconds; 0 when absent. */
  shutdownDelay?: number
  /** Freezes objects before they are shared, so that a reader that changes one is found out; for tests. */
  freeze?: boolean
}

export interface ApiServer extends AsyncDisposable {
  /** Reads the store and listens. */
  start(): Promise<void>
  /** `https://ADDRESS:PORT` of the first address, once started. */
  readonly url: string
  /**
   * Requests by `user` without a socket: the same path from authorization on. Objects and watch events are handed over by
   * reference. Usable after `start`.
   */
  transport(user: UserInfo): Transport
  /** What is stored, for authorizers, admission and others in this process; usable before `start`, when it is empty. */
  readonly reader: ObjectReader
}
