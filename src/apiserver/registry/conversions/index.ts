import type { Conversion } from '../registry.ts'
import { admissionWebhooksV1beta1 } from './admission.ts'
import { horizontalPodAutoscalerV1 } from './autoscaling.ts'
import { certificateSigningRequestV1beta1 } from './certificates.ts'
import { endpointSliceV1beta1 } from './discovery.ts'
import { eventOfEventsGroup } from './events.ts'
import { priorityLevelV1beta, priorityLevelV1beta3 } from './flowcontrol.ts'
import { ingressV1beta1 } from './networking.ts'
import { podDisruptionBudgetV1beta1 } from './policy.ts'

/**
 * Served versions whose shape differs from the stored one, keyed `group/version/resource` of the served kind. Versions that are
 * not here differ in their apiVersion alone.
 */
export const conversions: Record<string, Conversion> = {
  'autoscaling/v1/horizontalpodautoscalers': horizontalPodAutoscalerV1,
  'policy/v1beta1/poddisruptionbudgets': podDisruptionBudgetV1beta1,
  'discovery.k8s.io/v1beta1/endpointslices': endpointSliceV1beta1,
  'events.k8s.io/v1/events': eventOfEventsGroup('events.k8s.io/v1'),
  'events.k8s.io/v1beta1/events': eventOfEventsGroup('events.k8s.io/v1beta1'),
  'networking.k8s.io/v1beta1/ingresses': ingressV1beta1('networking.k8s.io/v1beta1'),
  'extensions/v1beta1/ingresses': ingressV1beta1('extensions/v1beta1'),
  'flowcontrol.apiserver.k8s.io/v1beta1/prioritylevelconfigurations': priorityLevelV1beta('flowcontrol.apiserver.k8s.io/v1beta1'),
  'flowcontrol.apiserver.k8s.io/v1beta2/prioritylevelconfigurations': priorityLevelV1beta('flowcontrol.apiserver.k8s.io/v1beta2'),
  'flowcontrol.apiserver.k8s.io/v1beta3/prioritylevelconfigurations': priorityLevelV1beta3,
  'certificates.k8s.io/v1beta1/certificatesigningrequests': certificateSigningRequestV1beta1,
  'admissionregistration.k8s.io/v1beta1/mutatingwebhookconfigurations': admissionWebhooksV1beta1,
  'admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations': admissionWebhooksV1beta1,
}
