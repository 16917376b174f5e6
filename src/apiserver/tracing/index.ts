import { readFile } from 'node:fs/promises'
import type { Clock, Logger } from '#base'
import type { Tracing } from './tracer.ts'

export type { Tracing } from './tracer.ts'

/** Opens tracing as a TracingConfiguration says. Servers without one do not load what it takes. */
export async function openTracing(file: string, seams: { clock: Clock; log: Logger }): Promise<Tracing> {
  const [{ parseTracingConfig }, { otlpExporter }, { tracer }] = await Promise.all([
    import('./config.ts'),
    import('./otlp.ts'),
    import('./tracer.ts'),
  ])
  const { endpoint, samplingRatePerMillion } = parseTracingConfig(await readFile(file, 'utf8'))
  return tracer({ exporter: otlpExporter(endpoint), samplingRatePerMillion, ...seams })
}

/** Throws Error that says what is wrong with a TracingConfiguration. */
export async function checkTracingConfig(text: string): Promise<void> {
  const { parseTracingConfig } = await import('./config.ts')
  parseTracingConfig(text)
}
