/** PodLogOptions as a query carries them. */
export interface PodLogQuery {
  follow: boolean
  previous: boolean
  timestamps: boolean
  tailLines?: number
  limitBytes?: number
  sinceSeconds?: number
  /** Wall time, milliseconds. */
  sinceTime?: number
  stream?: 'stdout' | 'stderr'
}

/** Reads a query; undefined when it is not valid. */
export function parseQuery(query: URLSearchParams): PodLogQuery | undefined {
  const flag = (name: string) => ['true', '1'].includes(query.get(name) ?? '')
  const integer = (name: string, least: number): number | undefined => {
    const value = query.get(name)
    if (value === null || value === '' || (name === 'tailLines' && value === 'all')) return undefined
    const parsed = /^-?\d+$/.test(value) ? Number(value) : NaN
    if (!(parsed >= least)) throw new RangeError(name)
    return parsed
  }
  try {
    const since = query.get('sinceTime')
    const sinceTime = since ? Date.parse(since) : undefined
    const sinceSeconds = integer('sinceSeconds', 1)
    if (Number.isNaN(sinceTime) || (sinceTime !== undefined && sinceSeconds !== undefined)) return undefined
    const stream = query.get('stream')?.toLowerCase()
    if (stream !== undefined && !['', 'all', 'stdout', 'stderr'].includes(stream)) return undefined
    if (query.has('tail') && !query.has('tailLines')) query.set('tailLines', query.get('tail')!)
    return {
      follow: flag('follow'),
      previous: flag('previous'),
      timestamps: flag('timestamps'),
      tailLines: integer('tailLines', 0),
      limitBytes: integer('limitBytes', 1),
      sinceSeconds,
      sinceTime,
      stream: stream === 'stdout' || stream === 'stderr' ? stream : undefined,
    }
  } catch {
    return undefined
  }
}
