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

const preserveZero = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'
const defaultShares = 30

/** PriorityLevelConfiguration of v1beta3, where zero shares meant the default: an annotation says that zero is meant. */
export const priorityLevelV1beta3: Conversion = {
  toStorage(object) {
    const { metadata, ...level } = object as KubeObject & Level
    const { [preserveZero]: preserved, ...annotations } = metadata.annotations ?? {}
    const limited = level.spec?.limited
    const shares = limited?.['nominalConcurrencyShares'] || (preserved === undefined ? defaultShares : 0)
    return {
      ...level,
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      metadata: withAnnotations(metadata, annotations),
      ...(limited ? { spec: { ...level.spec, limited: { ...limited, nominalConcurrencyShares: shares } } } : {}),
    } as KubeObject
  },
  fromStorage(object) {
    const apiVersion = 'flowcontrol.apiserver.k8s.io/v1beta3'
    const { limited } = (object as unknown as Level).spec ?? {}
    if (limited?.['nominalConcurrencyShares'] !== 0) return { ...object, apiVersion } as DeepReadonly<KubeObject>
    const metadata = withAnnotations(object.metadata, { ...object.metadata.annotations, [preserveZero]: '' })
    return { ...object, apiVersion, metadata } as DeepReadonly<KubeObject>
  },
}

function withAnnotations(metadata: DeepReadonly<KubeObject['metadata']>, annotations: Record<string, string>): object {
  const { annotations: _, ...rest } = metadata
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest
}

function rename(level: Level, apiVersion: string, from: string, to: string): object {
  if (level.spec?.limited?.[from] === undefined) return { ...level, apiVersion }
  const { [from]: shares, ...limited } = level.spec.limited
  return { ...level, apiVersion, spec: { ...level.spec, limited: { ...limited, [to]: shares } } }
}
