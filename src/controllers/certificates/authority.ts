/** What a PKCS #10 request asks for. */
export interface RequestedCertificate {
  commonName: string
  organizations: string[]
  dnsNames: string[]
  ipAddresses: string[]
  emailAddresses: string[]
  uris: string[]
}

/** The cluster's authority, as the controllers of CertificateSigningRequests need it. Requests and certificates are PEM. */
export interface CertificateAuthority {
  /** Reads a request. Throws an Error when it is none, or when its sender does not hold the key. */
  read(request: string): Promise<RequestedCertificate>
  /**
   * Issues a certificate with the request's subject and names. `usages` are those of the API (`client auth`), `seconds` the life that was asked for.
   * It lasts a year at most and ten minutes at least, and never longer than the authority.
   */
  sign(request: string, options: { usages: readonly string[]; seconds?: number; now: number }): Promise<string>
}
