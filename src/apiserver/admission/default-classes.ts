import type { DeepReadonly, KubeObject, core, networking, storage } from '#api'
import { defaultStorageClass as defaultOf, errors, volumeAnnotations } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin } from './admission.ts'
import { rejected, targets } from './rejection.ts'

const defaultIngressAnnotation = 'ingressclass.kubernetes.io/is-default-class'
const legacyIngressAnnotation = 'kubernetes.io/ingress.class'

/** A claim without a storage class gets the default one; of several, the newest. An empty class means none, and stays. */
export function defaultStorageClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    resources: ['/persistentvolumeclaims'],
    handles: (request) => request.operation === 'CREATE' && targets(request, '', 'persistentvolumeclaims'),
    mutate({ object }) {
      const claim = object as core.PersistentVolumeClaim
      if (!claim.spec || claim.spec.storageClassName !== undefined || claim.metadata.annotations?.[volumeAnnotations.betaStorageClass] !== undefined)
        return
      const newest = defaultOf(reader.list<storage.StorageClass>('storage.k8s.io', 'storageclasses'))
      if (newest) claim.spec.storageClassName = newest.metadata.name
    },
  }
}

/** An ingress without a class gets the default one; several defaults are an error that the user must be told. */
export function defaultIngressClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    resources: ['networking.k8s.io/ingresses', 'extensions/ingresses'],
    handles: (request) =>
      request.operation === 'CREATE' && (targets(request, 'networking.k8s.io', 'ingresses') || targets(request, 'extensions', 'ingresses')),
    mutate(request) {
      const ingress = request.object as networking.Ingress
      if (!ingress.spec || ingress.spec.ingressClassName !== undefined || ingress.metadata.annotations?.[legacyIngressAnnotation] !== undefined)
        return
      const defaults = reader
        .list('networking.k8s.io', 'ingressclasses')
        .filter((c) => c.metadata.annotations?.[defaultIngressAnnotation] === 'true')
        .sort(newestFirst)
      if (defaults.length > 1) {
        throw rejected(request, errors.internal(`${defaults.length} default IngressClasses were found, only 1 allowed`).message)
      }
      if (defaults[0]) ingress.spec.ingressClassName = defaults[0].metadata.name
    },
  }
}

function newestFirst(a: DeepReadonly<KubeObject>, b: DeepReadonly<KubeObject>): number {
  const age = (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
  return age || a.metadata.name.localeCompare(b.metadata.name)
}
