/** How a container's log is to be shown (PodLogOptions, as far as they concern one log). */
export interface LogOptions {
  timestamps: boolean
  /** Wall time in milliseconds; earlier lines are left out. */
  since?: number
  /** Bytes of output after which to stop. */
  limitBytes?: number
  stream?: 'stdout' | 'stderr'
}

const space = 0x20
const newline = 0x0a
const partialTag = 0x50 // P

/**
 * Turns pieces of a log file in the CRI format (`TIME STREAM TAG TEXT`, tag P for a line that goes on in the next entry) into what the container wrote.
 * Lines that are not in this format are left out. `done` becomes true when the limit is reached.
 */
export function logFormatter(options: LogOptions): { push(chunk: Buffer): Buffer; flush(): Buffer; readonly done: boolean } {
  let pending: Buffer = Buffer.alloc(0)
  let left = options.limitBytes ?? Infinity
  let lineStart = true
  let started = options.since === undefined

  const entry = (line: Buffer, out: Buffer[]) => {
    const afterTime = line.indexOf(space)
    const afterStream = line.indexOf(space, afterTime + 1)
    let afterTag = line.indexOf(space, afterStream + 1)
    if (afterTime <= 0 || afterStream < 0) return
    // a tag at the very end of an empty line
    if (afterTag < 0) afterTag = line.length - 1
    const stream = line.toString('latin1', afterTime + 1, afterStream)
    if (stream !== 'stdout' && stream !== 'stderr') return
    const time = line.toString('latin1', 0, afterTime)
    if (!started) {
      const at = Date.parse(time)
      if (Number.isNaN(at) || at < options.since!) return
      // lines are in order of time
      started = true
    }
    if (options.stream !== undefined && options.stream !== stream) return
    const partial = line[afterStream + 1] === partialTag
    const text = line.subarray(afterTag + 1, partial ? line.length - 1 : line.length)
    if (options.timestamps && lineStart) emit(Buffer.from(`${time} `), out)
    emit(text, out)
    lineStart = !partial
  }
  const emit = (bytes: Buffer, out: Buffer[]) => {
    if (left <= 0) return
    out.push(bytes.length > left ? bytes.subarray(0, left) : bytes)
    left -= bytes.length
  }

  return {
    push(chunk) {
      const out: Buffer[] = []
      const buffer = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
      let start = 0
      for (let end = buffer.indexOf(newline); end >= 0 && left > 0; end = buffer.indexOf(newline, start)) {
        entry(buffer.subarray(start, end + 1), out)
        start = end + 1
      }
      pending = Buffer.from(buffer.subarray(start))
      return out.length === 1 ? Buffer.from(out[0]!) : Buffer.concat(out)
    },
    /** What an unfinished last line holds. */
    flush() {
      const out: Buffer[] = []
      if (pending.length > 0 && left > 0) entry(Buffer.concat([pending, Buffer.from('\n')]), out)
      pending = Buffer.alloc(0)
      return Buffer.concat(out)
    },
    get done() {
      return left <= 0
    },
  }
}
