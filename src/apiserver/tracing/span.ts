/** A stretch of work, as OpenTelemetry sees it. Times are nanoseconds since the Unix epoch. */
export interface Span {
  traceId: string
  spanId: string
  parentId: string
  name: string
  kind: 'server' | 'client'
  start: bigint
  end: bigint
  attributes: Record<string, string | number>
  /** A span of another trace that led to this one. */
  link?: { traceId: string; spanId: string }
  /** What went wrong; absent when nothing did. */
  error?: string
}

export interface TraceParent {
  traceId: string
  spanId: string
  sampled: boolean
}

/** Reads a `traceparent` header (W3C Trace Context); undefined when there is none that means something. */
export function parseTraceParent(header: string | undefined): TraceParent | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const [, version, traceId, spanId, flags, more] = match
  if (version === 'ff' || (version === '00' && more) || /^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined
  return { traceId: traceId!, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & 1) === 1 }
}

export const formatTraceParent = ({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>): string => `00-${traceId}-${spanId}-01`
