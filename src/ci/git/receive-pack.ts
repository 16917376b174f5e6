import { type Packet, PacketError, createPacketReader } from './pkt-line.ts'

/** What a push asks for (gitprotocol-pack): the commands, what the client can do, and its push options. */
export interface PushRequest {
  commands: RefUpdate[]
  capabilities: string[]
  /** Of `git push -o`. */
  options: string[]
}

export interface RefUpdate {
  ref: string
  /** All zeros: the ref is new. */
  from: string
  /** All zeros: the ref goes. */
  to: string
}

export const isZero = (objectId: string): boolean => /^0+$/.test(objectId)

/** A push with more than this before its pack is refused: 100,000 refs take less. */
const maxPreamble = 32 * 1024 * 1024

/**
 * Reads along with the body of a `git-receive-pack` request until its pack begins. `push` answers the request as soon as it is known; nothing of the body
 * is held back.
 */
export function createPushRequestParser(): { push(chunk: Uint8Array): PushRequest | undefined } {
  const reader = createPacketReader()
  const request: PushRequest = { commands: [], capabilities: [], options: [] }
  let part: 'commands' | 'certificate' | 'options' | 'done' = 'commands'
  let seen = 0

  function take(line: Packet): void {
    if (part === 'commands' || part === 'certificate') {
      if (line.type === 'flush') part = request.capabilities.includes('push-options') ? 'options' : 'done'
      else if (line.type === 'data') takeCommand(line.payload)
    } else if (line.type === 'flush') part = 'done'
    else if (line.type === 'data') request.options.push(text(line.payload))
  }

  function takeCommand(payload: Buffer): void {
    const zero = payload.indexOf(0)
    const line = text(zero < 0 ? payload : payload.subarray(0, zero))
    if (zero >= 0)
      request.capabilities = text(payload.subarray(zero + 1))
        .split(' ')
        .filter(Boolean)
    if (line === 'push-cert') part = 'certificate'
    if (part === 'certificate' || line.startsWith('shallow ')) return
    const command = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (\S.*)$/.exec(line)
    if (!command) throw new PacketError('not a push: a line of it is not a command')
    request.commands.push({ from: command[1]!, to: command[2]!, ref: command[3]! })
  }

  return {
    push(chunk) {
      if (part === 'done') return request
      seen += chunk.length
      if (seen > maxPreamble) throw new PacketError('the push names too many refs')
      reader.push(chunk)
      for (let line = reader.next(); line; line = reader.next()) {
        take(line)
        if ((part as string) === 'done') return request
      }
      return undefined
    },
  }
}

/** What became of each ref: undefined when all went well, else the reason. */
export type PushReport = Map<string, string | undefined>

/**
 * Stands in the way of a `git-receive-pack` answer: passes everything on but the flush packet that ends it, so that lines can be added before the end, and
 * reads the report in it. Without side band there is nothing to add to; all is passed on.
 */
export function createAnswerReader(sideBand: boolean): {
  /** What to send on of this chunk. */
  push(chunk: Uint8Array): Buffer
  /** What was held back, once the answer has ended. */
  end(): Buffer
  report(): PushReport
} {
  const outer = createPacketReader()
  const inner = createPacketReader()
  const report: PushReport = new Map()
  let ended = false

  function readReport(): void {
    for (let line = inner.next(); line; line = inner.next()) {
      if (line.type !== 'data') continue
      const [, verdict, ref, reason] = /^(ok|ng) (\S+)(?: (.*))?$/.exec(text(line.payload)) ?? []
      if (verdict) report.set(ref!, verdict === 'ok' ? undefined : (reason ?? 'refused'))
    }
  }

  return {
    push(chunk) {
      if (!sideBand) {
        inner.push(chunk)
        readReport()
        return Buffer.from(chunk)
      }
      outer.push(chunk)
      const out: Buffer[] = []
      for (let line = outer.next(); line; line = outer.next()) {
        if (line.type !== 'data') {
          ended ||= line.type === 'flush'
          continue
        }
        if (line.payload[0] === 1) {
          inner.push(line.payload.subarray(1))
          readReport()
        }
        out.push(Buffer.from((line.payload.length + 4).toString(16).padStart(4, '0')), line.payload)
      }
      return Buffer.concat(out)
    },
    end: () => (ended ? Buffer.from('0000') : outer.rest()),
    report: () => report,
  }
}

const text = (bytes: Buffer): string => bytes.toString('utf8').replace(/\n$/, '')
