const newline = 0x0a

/**
 * Splits a stream of bytes into lines (without their newline). Chunks of a watch rarely cut a line, so a whole line inside one chunk is a view on it;
 * only a line that spans chunks is copied. A last line without newline is dropped: a watch that ends inside a frame lost that frame.
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(newline, start); end >= 0; end = bytes.indexOf(newline, start)) {
      const piece = bytes.subarray(start, end)
      start = end + 1
      if (pending.length > 0) {
        pending.push(piece)
        yield Buffer.concat(pending)
        pending = []
      } else if (piece.length > 0) yield piece
    }
    if (start < bytes.length) pending.push(bytes.subarray(start))
  }
}
