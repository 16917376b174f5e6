import type { DeepReadonly, KubeObject, admissionregistration } from '#api'
import type { Conversion } from '../registry.ts'

interface Configuration extends KubeObject {
  webhooks?: Partial<admissionregistration.MutatingWebhook>[]
}

/** Webhook configurations of v1beta1: the same fields with laxer defaults, which v1 would read differently. */
export const admissionWebhooksV1beta1: Conversion = {
  toStorage(object) {
    const configuration = object as Configuration
    if (!configuration.webhooks) return { ...object, apiVersion: 'admissionregistration.k8s.io/v1' }
    const webhooks = configuration.webhooks.map((webhook) => ({
      ...webhook,
      failurePolicy: webhook.failurePolicy ?? 'Ignore',
      matchPolicy: webhook.matchPolicy ?? 'Exact',
      timeoutSeconds: webhook.timeoutSeconds ?? 30,
      sideEffects: webhook.sideEffects ?? 'Unknown',
      admissionReviewVersions: webhook.admissionReviewVersions ?? ['v1beta1'],
    }))
    return { ...object, apiVersion: 'admissionregistration.k8s.io/v1', webhooks } as KubeObject
  },
  fromStorage: (object) => ({ ...object, apiVersion: 'admissionregistration.k8s.io/v1beta1' }) as DeepReadonly<KubeObject>,
}
