import { createHmac, timingSafeEqual } from 'node:crypto'

/** GitHub's `X-Hub-Signature-256`: HMAC-SHA256 of the body as it was sent, hexadecimal, after `sha256=`. */
export const sign = (secret: string, body: Uint8Array): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

/** Compares in constant time. An empty secret signs nothing: it would be known to everybody. */
export function signatureMatches(secret: string, body: Uint8Array, signature: string | undefined): boolean {
  if (secret === '' || signature === undefined) return false
  const expected = Buffer.from(sign(secret, body))
  const given = Buffer.from(signature)
  return expected.length === given.length && timingSafeEqual(expected, given)
}
