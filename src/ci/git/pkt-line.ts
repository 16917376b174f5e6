/**
 * Git's framing (gitprotocol-common): four hexadecimal digits that count themselves, then that many bytes less four. `0000` is a flush packet,
 * `0001` and `0002` end a section; they carry nothing.
 */
export type Packet = { type: 'data'; payload: Buffer } | { type: 'flush' | 'delimiter' | 'end' }

/** The longest packet, its length included. */
export const maxPacket = 65520

export class PacketError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PacketError'
  }
}

export function packet(payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload as Uint8Array)
  if (bytes.length + 4 > maxPacket) throw new PacketError(`a packet carries at most ${maxPacket - 4} bytes`)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}

export const flushPacket = Buffer.from('0000')

/** Bytes for the other side's standard error, as packets of side band 2; git prefixes their lines with `remote:`. */
export function progressPackets(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const packets: Buffer[] = []
  for (let at = 0; at < bytes.length; at += maxPacket - 5) packets.push(packet(Buffer.concat([Buffer.of(2), bytes.subarray(at, at + maxPacket - 5)])))
  return packets
}

/** An empty packet of side band 1: keeps a silent connection alive. */
export const keepAlivePacket = packet(Buffer.of(1))

/** Takes packets off the front of what has arrived; what is not yet a whole packet waits. */
export function createPacketReader(): { push(chunk: Uint8Array): void; next(): Packet | undefined; rest(): Buffer } {
  let buffered: Buffer = Buffer.alloc(0)
  return {
    push: (chunk) => void (buffered = buffered.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffered, chunk])),
    next() {
      if (buffered.length < 4) return undefined
      const digits = buffered.toString('latin1', 0, 4)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new PacketError('not a packet: its length is not four hexadecimal digits')
      const length = Number.parseInt(digits, 16)
      if (length < 4) {
        if (length === 3) throw new PacketError('a packet of length 3 does not exist')
        buffered = buffered.subarray(4)
        return { type: length === 0 ? 'flush' : length === 1 ? 'delimiter' : 'end' }
      }
      if (length > maxPacket) throw new PacketError(`a packet has at most ${maxPacket} bytes`)
      if (buffered.length < length) return undefined
      const payload = buffered.subarray(4, length)
      buffered = buffered.subarray(length)
      return { type: 'data', payload }
    },
    rest: () => buffered,
  }
}
