import pc from 'picocolors'
import type { Report } from './events.ts'

export interface PrinterOptions {
  /** Writes text as it is. */
  write: (text: string) => void
  /** A terminal shows what runs in a line that is written over; elsewhere every line stays. */
  terminal: boolean
  /** Columns of the terminal. */
  columns?: number
}

/** Prints a build for people: a ticked line with its time for each step. */
export function buildPrinter({ write, terminal, columns = 80 }: PrinterOptions): Report {
  const fit = (text: string) => (text.length > columns - 1 ? `${text.slice(0, columns - 2)}…` : text)
  const over = terminal ? '\r\x1b[2K' : ''
  const colors = pc.createColors(terminal && pc.isColorSupported)
  let title = ''
  return (event) => {
    switch (event.type) {
      case 'note':
        return write(`${over}${event.text}\n`)
      case 'step':
        title = `[${event.index}/${event.total}] ${event.text.replaceAll(/\s+/g, ' ')}`
        return write(terminal ? over + colors.dim(fit(`❯ ${title}`)) : `${title}\n`)
      case 'output':
        return write(terminal ? over + colors.dim(fit(`❯ ${title.slice(0, 24)}… ${event.line.trim()}`)) : `  ${event.line}\n`)
      case 'stepDone': {
        const time = event.cached ? 'cached' : seconds(event.milliseconds)
        if (!terminal) return write(`${event.cached ? '  cached' : `  done in ${time}`}\n`)
        const line = title.length + time.length + 5 > columns ? `${title.slice(0, columns - time.length - 6)}…` : title
        return write(`${over}${colors.green('✔')} ${line} ${colors.dim(`[${time}]`)}\n`)
      }
      default:
        return event satisfies never
    }
  }
}

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`
