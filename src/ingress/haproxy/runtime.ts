import { connect } from 'node:net'

/** Sends one command to a socket of HAProxy and answers what it says; rejects when nobody listens. */
export function command(socket: string, text: string, timeoutMs = 5000): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket)
    let answer = ''
    connection.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
    connection.setTimeout(timeoutMs, () => connection.destroy(new Error(`haproxy does not answer to ${text.split(' ')[0]}`)))
    connection.on('error', reject)
    connection.on('close', () => resolve(answer.trim()))
    // HAProxy answers, and closes the connection because there is nothing more to come
    connection.end(`${text}\n`)
  })
}

/** The process that serves now: a reload makes another. Undefined when none answers. */
export async function workerPid(socket: string): Promise<number | undefined> {
  try {
    const pid = /^Pid: (\d+)$/m.exec(await command(socket, 'show info'))?.[1]
    return pid === undefined ? undefined : Number(pid)
  } catch {
    return undefined
  }
}
