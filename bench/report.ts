import { cpus, loadavg } from 'node:os'
import type { Row } from './measures.ts'

export interface Report {
  rows: Row[]
  machine: { cpus: number; model: string }
  /** Load averages of one minute, before and after. */
  load: { before: number; after: number }
}

export const machine = () => ({ cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown' })
export const currentLoad = () => Math.round(loadavg()[0]! * 100) / 100

/** Aligned columns, and what stands behind them. */
export function table({ rows, machine: { cpus: count, model }, load }: Report): string {
  const costs = rows.some((row) => row.cost.k8ts !== null || row.cost.reference !== null)
  const cells = rows.map((row) => [
    row.title,
    `${amount(row, row.reference)}${row.referenceFrom === 'recorded' ? '*' : ''}`,
    amount(row, row.k8ts),
    row.ratio === null ? '' : `${row.ratio.toFixed(1)} ×`,
    row.target ?? '',
    row.met === null ? '' : row.met ? 'met' : 'MISSED',
    ...(costs ? [cost(row)] : []),
  ])
  const all = [['measure', 'reference', 'k8ts', 'better by', 'target', '', ...(costs ? ['µs a request'] : [])], ...cells]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)))
  const lines = all.map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '))
  const notes = [`medians; ${count} × ${model}; load average ${load.before} before, ${load.after} after`]
  if (costs) notes.push('µs a request: processor time of the reference and of k8ts; what else the machine does changes it less than the rates')
  if (rows.some((row) => row.referenceFrom === 'recorded'))
    notes.push('* recorded earlier on another machine: the reference was not measured in this run')
  return [...lines.map((line) => line.trimEnd()), '', ...notes].join('\n')
}

function cost({ cost: { reference, k8ts } }: Row): string {
  if (reference === null && k8ts === null) return ''
  return [reference, k8ts].map((value) => (value === null ? '–' : value.toFixed(0))).join(' → ')
}

function amount({ unit }: Row, value: number | null): string {
  if (value === null) return '–'
  const digits = value < 10 ? 1 : 0
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`.replace(' /s', '/s')
}
