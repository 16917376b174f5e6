/** Who sends a request (authentication/v1 UserInfo). */
export interface UserInfo {
  username: string
  uid?: string
  groups: string[]
  extra?: Record<string, string[]>
}

export interface Credentials {
  /** Value of the Authorization header's bearer token. */
  bearerToken?: string
  /** The verified client certificate's subject: common name and organizations. */
  certificate?: { commonName: string; organizations: string[] }
}

export type Authenticated = UserInfo | 'invalid' | undefined

/**
 * Says who presents these credentials. Undefined: this authenticator knows nothing of them, ask the next; `invalid`: they were meant for
 * it and are wrong, answer 401. Whoever need not wait answers at once: it is on the path of every request.
 */
export interface Authenticator {
  authenticate(credentials: Credentials): Authenticated | Promise<Authenticated>
}
