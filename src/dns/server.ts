import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import type { Logger } from '#base'
import { Teardown } from '#base'
import type { AnswerOptions } from './answer.ts'
import { answer } from './answer.ts'

export interface DnsServerOptions extends AnswerOptions {
  address: string
  /** 53 when absent. */
  port?: number
  log: Logger
}

const udpLimit = 512
const tcpLimit = 65535
/** A TCP client that asks nothing for this long is cut off, milliseconds. */
const tcpIdle = 10_000

/** Listens for DNS over UDP and TCP (RFC 1035, RFC 7766) until it is disposed. */
export async function startDnsServer(options: DnsServerOptions): Promise<AsyncDisposable> {
  const { address, port = 53, log } = options
  const teardown = new Teardown()
  const udp = createSocket('udp4')
  udp.on('message', (message, from) => {
    answer(message, options, udpLimit).then(
      (response) => response && udp.send(response, from.port, from.address),
      (error: unknown) => log.warn('cannot answer', { error }),
    )
  })
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject)
    udp.bind(port, address, resolve)
  })
  udp.on('error', (error) => log.warn('udp', { error }))
  teardown.defer(() => new Promise<void>((resolve) => udp.close(() => resolve())))

  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.setTimeout(tcpIdle, () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk as Buffer])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const length = pending.readUInt16BE(0)
        const message = pending.subarray(2, 2 + length)
        pending = pending.subarray(2 + length)
        answer(message, options, tcpLimit).then(
          (response) => response && socket.write(Buffer.concat([Buffer.from([response.length >> 8, response.length & 255]), response])),
          () => socket.destroy(),
        )
      }
    })
  })
  await new Promise<void>((resolve, reject) => {
    tcp.once('error', reject)
    tcp.listen(port, address, resolve)
  })
  teardown.defer(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => tcp.close(() => resolve()))
  })
  return teardown
}
