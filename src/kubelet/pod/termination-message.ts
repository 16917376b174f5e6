import { open, stat } from 'node:fs/promises'
import type { cri } from '../cri/index.ts'
import { annotations } from './names.ts'

/** Limits of the API: a message from the file, and what falls back to the log. */
const maxFileBytes = 4096
const maxLogBytes = 2048
const maxLogLines = 80

/**
 * The message a container left: the content of its termination message file or, where the policy is FallbackToLogsOnError, the file is empty and
 * the container failed, the end of its log.
 */
export async function terminationMessage(status: cri.ContainerStatus): Promise<string> {
  const path = status.annotations[annotations.terminationMessagePath]
  if (!path) return status.message
  const file = status.mounts.find((m) => m.containerPath === path)?.hostPath
  const text = file ? await tail(file, maxFileBytes, 'start') : ''
  if (text !== '') return text
  const fallback = status.annotations[annotations.terminationMessagePolicy] === 'FallbackToLogsOnError'
  if (!fallback || status.exitCode === 0 || !status.logPath) return status.message
  return lastLogLines(await tail(status.logPath, 64 * 1024, 'end'))
}

/** The text of the last lines of a log in CRI's format (`time stream tag text`), within the API's limits. */
export function lastLogLines(log: string): string {
  const lines = log.split('\n')
  if (lines.at(-1) === '') lines.pop()
  let text = ''
  for (const line of lines.slice(-maxLogLines)) {
    const parsed = /^\S+ (?:stdout|stderr) ([A-Z])\S* ?(.*)$/.exec(line)
    if (parsed) text += parsed[1] === 'P' ? parsed[2] : `${parsed[2]}\n`
  }
  const bytes = Buffer.from(text)
  return bytes.length > maxLogBytes ? bytes.subarray(bytes.length - maxLogBytes).toString() : text
}

async function tail(path: string, max: number, from: 'start' | 'end'): Promise<string> {
  try {
    const size = (await stat(path)).size
    if (size === 0) return ''
    await using file = await open(path)
    const buffer = Buffer.alloc(Math.min(size, max))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from === 'end' ? size - buffer.length : 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    // The file belongs to the container: that it is gone or unreadable only means that there is no message.
    return ''
  }
}
