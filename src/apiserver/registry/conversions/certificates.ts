import type { DeepReadonly, KubeObject, certificatesV1beta1 } from '#api'
import type { Conversion } from '../registry.ts'

/** CertificateSigningRequest of v1beta1: the signer may be left out, the usages have a default. */
export const certificateSigningRequestV1beta1: Conversion = {
  toStorage(object) {
    const request = object as unknown as certificatesV1beta1.CertificateSigningRequest
    const spec = { ...request.spec }
    spec.usages ??= ['digital signature', 'key encipherment']
    spec.signerName ??= 'kubernetes.io/legacy-unknown'
    const conditions = request.status?.conditions?.map((condition) => ({ ...condition, status: condition.status || 'True' }))
    return {
      ...request,
      apiVersion: 'certificates.k8s.io/v1',
      spec,
      ...(conditions ? { status: { ...request.status, conditions } } : {}),
    } as unknown as KubeObject
  },
  fromStorage: (object) => ({ ...object, apiVersion: 'certificates.k8s.io/v1beta1' }) as DeepReadonly<KubeObject>,
}
