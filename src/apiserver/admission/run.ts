import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

/**
 * Runs all plugins over a request that is not stored (`serviceaccounts/token`, `pods/eviction`, `pods/exec`): first those that change it, then those that only look. Rejects
 * with the StatusError of the first that refuses.
 */
export async function runAdmission(plugins: readonly AdmissionPlugin[], request: AdmissionRequest): Promise<void> {
  const interested = plugins.filter((plugin) => plugin.handles(request))
  for (const plugin of interested) await plugin.mutate?.(request)
  if (request.reinvocation === 'wanted') {
    request.reinvocation = 'running'
    for (const plugin of interested) await plugin.mutate?.(request)
  }
  for (const plugin of interested) await plugin.validate?.(request)
}
