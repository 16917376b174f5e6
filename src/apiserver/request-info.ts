import type { UserInfo } from './authn/authenticator.ts'

/** The verbs that authorization knows; non-resource requests use the lower-case HTTP method. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection' | (string & {})

/** What a request is about, parsed from its path, method and query (upstream's RequestInfo). */
export interface RequestInfo {
  user: UserInfo
  verb: Verb
  /** The path as sent, for non-resource requests and messages. */
  path: string
  /** Undefined for a non-resource request such as /healthz. */
  resource?: {
    group: string
    version: string
    /** Plural. */
    resource: string
    subresource: string
    namespace: string
    name: string
    /** What follows the subresource (proxy requests). */
    rest: string
  }
}
