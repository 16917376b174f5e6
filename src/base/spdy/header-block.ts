import zlib from 'node:zlib'

/** Names (lower case) and values of a SYN_STREAM, SYN_REPLY or HEADERS frame. */
export type SpdyHeaders = Record<string, string>

// The preset dictionary of SPDY/3: words with their length in front, then plain text (SPDY draft 3.1, section 2.6.10.1).
const dictionaryWords =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization ' +
  'cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range ' +
  'content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
  'location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding ' +
  'upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin'
const dictionaryText =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content' +
  '301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented' +
  '503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,' +
  'text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=' +
  'gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.'

export const spdyDictionary = Buffer.concat([
  ...dictionaryWords.split(' ').flatMap((word) => [uint32(word.length), Buffer.from(word.replace('_', ' '))]),
  Buffer.from(dictionaryText),
])
/** Adler-32 of the dictionary: what a zlib stream names it by. */
const dictionaryId = 0xe3c6a7c2

const windowSize = 32 * 1024
/** A header block that inflates to more than this is an attack: real ones are a few hundred bytes. */
const maxBlock = 256 * 1024

/**
 * Compresses header blocks into the one zlib stream that a direction of a connection carries. Each block is deflated without looking back
 * at earlier ones: a valid stream all the same, without state to keep and without leaking one header through the length of another.
 */
export function headerCompressor(): (headers: SpdyHeaders) => Buffer {
  let started = false
  return (headers) => {
    const raw = zlib.deflateRawSync(encodeHeaders(headers), { finishFlush: zlib.constants.Z_SYNC_FLUSH })
    if (started) return raw
    started = true
    // zlib's header: deflate with a 32 KB window, preset dictionary
    return Buffer.concat([Buffer.from([0x78, 0xbb]), uint32(dictionaryId), raw])
  }
}

/**
 * Inflates header blocks of one direction. The sender flushes after each block, so a block can be inflated by itself when it is given
 * what came before (the dictionary, then earlier blocks) as its window. Throws when the data is damaged or too large.
 */
export function headerDecompressor(): (block: Buffer) => SpdyHeaders {
  let started = false
  let window: Buffer = spdyDictionary
  return (block) => {
    let raw = block
    if (!started) {
      if (block.length < 2) throw new Error('spdy: header block without a zlib header')
      raw = block.subarray((block[1]! & 0x20) !== 0 ? 6 : 2)
      started = true
    }
    const plain = zlib.inflateRawSync(raw, { dictionary: window, finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: maxBlock })
    window = Buffer.concat([window, plain]).subarray(-windowSize)
    return decodeHeaders(plain)
  }
}

function encodeHeaders(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers)
  const parts: Buffer[] = [uint32(entries.length)]
  for (const [name, value] of entries) {
    const key = Buffer.from(name.toLowerCase())
    const text = Buffer.from(value)
    parts.push(uint32(key.length), key, uint32(text.length), text)
  }
  return Buffer.concat(parts)
}

function decodeHeaders(block: Buffer): SpdyHeaders {
  let at = 0
  const number = () => {
    if (at + 4 > block.length) throw new Error('spdy: header block ends early')
    at += 4
    return block.readUInt32BE(at - 4)
  }
  const text = () => {
    const length = number()
    if (at + length > block.length) throw new Error('spdy: header block ends early')
    at += length
    return block.toString('utf8', at - length, at)
  }
  const headers: SpdyHeaders = Object.create(null)
  for (let count = number(); count > 0; count--) {
    const name = text().toLowerCase()
    // repeated values are separated by NUL
    headers[name] = text().replaceAll('\0', ', ')
  }
  return headers
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
