import type { DeepReadonly, ci } from '#api'

/** Columns under their headings, as kubectl prints them. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('   ')
      .trimEnd()
  return `${[headings, ...rows].map(line).join('\n')}\n`
}

export function pipelineTable(pipelines: readonly DeepReadonly<ci.Pipeline>[], now: number): string {
  return table(
    ['NUMBER', 'STATUS', 'REF', 'REVISION', 'ACTOR', 'DURATION', 'AGE', 'COMMIT'],
    pipelines.map(({ metadata, spec, status }) => [
      status?.number ? `#${status.number}` : metadata.name,
      status?.phase ?? 'Pending',
      spec.tag ?? spec.branch ?? '<default>',
      (status?.revision ?? spec.revision ?? '').slice(0, 7),
      spec.actor ?? '',
      status?.startTime ? span((status.completionTime ? Date.parse(status.completionTime) : now) - Date.parse(status.startTime)) : '',
      metadata.creationTimestamp ? span(now - Date.parse(metadata.creationTimestamp)) : '',
      (status?.commit ?? spec.trigger?.commit)?.subject?.slice(0, 60) ?? '',
    ]),
  )
}

/** Milliseconds as one or two of days, hours, minutes and seconds. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h${minutes % 60}m` : `${Math.floor(hours / 24)}d`
}
