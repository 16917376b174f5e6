import { parse } from 'yaml'

export interface TracingConfig {
  /** `host:port` speaks OTLP over gRPC, as upstream; a URL (`http://host:4318`) OTLP over HTTP. */
  endpoint: string
  /** Of a million requests that nobody else traces, how many are. */
  samplingRatePerMillion: number
}

/** Reads a TracingConfiguration of apiserver.config.k8s.io. Throws Error that names the field that is wrong. */
export function parseTracingConfig(text: string): TracingConfig {
  const config = parse(text) as { apiVersion?: string; kind?: string; endpoint?: unknown; samplingRatePerMillion?: unknown } | null
  if (config?.kind !== 'TracingConfiguration' || !/^apiserver\.config\.k8s\.io\/v1(alpha1|beta1)?$/.test(config.apiVersion ?? ''))
    throw new Error('tracing: a TracingConfiguration of apiserver.config.k8s.io/v1 is expected')
  const { endpoint = 'localhost:4317', samplingRatePerMillion: rate = 0 } = config
  if (typeof endpoint !== 'string' || endpoint === '') throw new Error('tracing: endpoint: HOST:PORT or a URL is expected')
  if (!Number.isInteger(rate) || (rate as number) < 0 || (rate as number) > 1_000_000)
    throw new Error('tracing: samplingRatePerMillion: a number from 0 to 1000000 is expected')
  return { endpoint, samplingRatePerMillion: rate as number }
}
