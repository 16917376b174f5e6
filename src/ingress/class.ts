import type { DeepReadonly, networking } from '#api'

/** What the IngressClass of this controller names as its controller. */
export const controllerName = 'k8ts.dev/ingress'
/** The IngressClass that every cluster has. */
export const className = 'k8ts'

const legacyAnnotation = 'kubernetes.io/ingress.class'

export type IsOurs = (ingress: DeepReadonly<networking.Ingress>) => boolean

/**
 * Which Ingresses are for this controller: those whose class (the field, or else the annotation of old) names it. One without a class is nobody's: the
 * API server gives it the default class when it is created.
 */
export function ofOurClass(classes: readonly DeepReadonly<networking.IngressClass>[]): IsOurs {
  const ours = new Set(classes.filter((c) => c.spec?.controller === controllerName).map((c) => c.metadata.name))
  return ({ metadata, spec }) => {
    const name = spec?.ingressClassName ?? metadata.annotations?.[legacyAnnotation]
    return name !== undefined && ours.has(name)
  }
}
