import type { DeepReadonly, KubeObject } from '#api'
import type { Conversion } from '../registry.ts'

interface Level {
  spec?: { limited?: Record<string, unknown> }
}

/** PriorityLevelConfiguration until v1beta2: `assuredConcurrencyShares` became `nominalConcurrencyShares`. */
export function priorityLevelV1beta(apiVersion: string): Conversion {
  return {
    toStorage: (object) =>
      rename(object as unknown as Level, 'flowcontrol.apiserver.k8s.io/v1', 'assuredConcurrencyShares', 'nominalConcurrencyShares') as KubeObject,
    fromStorage: (object) =>
      rename(object as unknown as Level, apiVersion, 'nominalConcurrencyShares', 'assuredConcurrencyShares') as DeepReadonly<KubeObject>,
  }
}

function rename(level: Level, apiVersion: string, from: string, to: string): object {
  if (level.spec?.limited?.[from] === undefined) return { ...level, apiVersion }
  const { [from]: shares, ...limited } = level.spec.limited
  return { ...level, apiVersion, spec: { ...level.spec, limited: { ...limited, [to]: shares } } }
}
