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

/**
 * Says who presents these credentials. Undefined: this authenticator knows nothing of them, ask the next; `invalid`: they were meant for
 * it and are wrong, answer 401.
 */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<UserInfo | 'invalid' | undefined>
}
