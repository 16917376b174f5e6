import type { ResourceStrategy } from '../strategy.ts'
import { tables } from '../tables/index.ts'
import {
  mutatingAdmissionPolicyBindingStrategy,
  mutatingAdmissionPolicyStrategy,
  validatingAdmissionPolicyBindingStrategy,
  validatingAdmissionPolicyStrategy,
} from './admission-policies.ts'
import { apiServiceStrategy } from './api-service.ts'
import { daemonSetStrategy } from './apps/daemonset.ts'
import { deploymentStrategy } from './apps/deployment.ts'
import { replicaSetStrategy, replicationControllerStrategy } from './apps/replicaset.ts'
import { statefulSetStrategy } from './apps/statefulset.ts'
import { controllerRevisionStrategy, podTemplateStrategy } from './apps/templates.ts'
import { horizontalPodAutoscalerStrategy } from './autoscaling/horizontal-pod-autoscaler.ts'
import { cronJobStrategy } from './batch/cronjob.ts'
import { jobStrategy } from './batch/job.ts'
import { ciJobStrategy, pipelineStrategy, projectStrategy, workflowStrategy } from './ci.ts'
import { certificateSigningRequestStrategy } from './certificates/certificate-signing-request.ts'
import { customResourceDefinitionStrategy } from './cluster.ts'
import { flowSchemaStrategy, priorityLevelConfigurationStrategy } from './flowcontrol.ts'
import { configMapStrategy, secretStrategy } from './core/config.ts'
import { limitRangeStrategy } from './core/limit-range.ts'
import { endpointsStrategy } from './core/endpoints.ts'
import { eventStrategy } from './core/event.ts'
import { namespaceStrategy } from './core/namespace.ts'
import { nodeStrategy } from './core/node.ts'
import { resourceQuotaStrategy } from './core/resource-quota.ts'
import { serviceAccountStrategy } from './core/service-account.ts'
import { serviceStrategy } from './core/service.ts'
import { ipAddressStrategy, serviceCidrStrategy } from './networking/addresses.ts'
import { endpointSliceStrategy } from './networking/endpoint-slice.ts'
import { ingressClassStrategy, ingressStrategy } from './networking/ingress.ts'
import { networkPolicyStrategy } from './networking/network-policy.ts'
import { podStrategy } from './pod/strategy.ts'
import { leaseStrategy } from './lease.ts'
import { podDisruptionBudgetStrategy } from './policy/pod-disruption-budget.ts'
import { priorityClassStrategy } from './priority-class.ts'
import { runtimeClassStrategy } from './runtime-class.ts'
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac/strategies.ts'
import { deviceClassStrategy, resourceClaimStrategy, resourceClaimTemplateStrategy, resourceSliceStrategy } from './resource/strategies.ts'
import { storageClassStrategy, volumeAttributesClassStrategy } from './storage/classes.ts'
import { csiDriverStrategy, csiNodeStrategy, csiStorageCapacityStrategy } from './storage/csi.ts'
import { persistentVolumeClaimStrategy } from './storage/persistent-volume-claim.ts'
import { persistentVolumeStrategy } from './storage/persistent-volume.ts'
import { volumeAttachmentStrategy } from './storage/volume-attachment.ts'
import { mutatingWebhookConfigurationStrategy, validatingWebhookConfigurationStrategy } from './webhooks.ts'

const byResource: Record<string, ResourceStrategy> = {
  '/configmaps': configMapStrategy,
  '/endpoints': endpointsStrategy,
  '/events': eventStrategy,
  '/limitranges': limitRangeStrategy,
  '/namespaces': namespaceStrategy,
  '/nodes': nodeStrategy,
  '/persistentvolumeclaims': persistentVolumeClaimStrategy,
  '/persistentvolumes': persistentVolumeStrategy,
  '/pods': podStrategy,
  '/podtemplates': podTemplateStrategy,
  '/replicationcontrollers': replicationControllerStrategy,
  '/resourcequotas': resourceQuotaStrategy,
  '/secrets': secretStrategy,
  '/serviceaccounts': serviceAccountStrategy,
  '/services': serviceStrategy,
  'admissionregistration.k8s.io/mutatingadmissionpolicies': mutatingAdmissionPolicyStrategy,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': mutatingAdmissionPolicyBindingStrategy,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': mutatingWebhookConfigurationStrategy,
  'admissionregistration.k8s.io/validatingadmissionpolicies': validatingAdmissionPolicyStrategy,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': validatingAdmissionPolicyBindingStrategy,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': validatingWebhookConfigurationStrategy,
  'apiextensions.k8s.io/customresourcedefinitions': customResourceDefinitionStrategy,
  'apiregistration.k8s.io/apiservices': apiServiceStrategy,
  'apps/controllerrevisions': controllerRevisionStrategy,
  'apps/daemonsets': daemonSetStrategy,
  'apps/deployments': deploymentStrategy,
  'apps/replicasets': replicaSetStrategy,
  'apps/statefulsets': statefulSetStrategy,
  'autoscaling/horizontalpodautoscalers': horizontalPodAutoscalerStrategy,
  'batch/cronjobs': cronJobStrategy,
  'batch/jobs': jobStrategy,
  'certificates.k8s.io/certificatesigningrequests': certificateSigningRequestStrategy,
  'ci.k8ts.dev/jobs': ciJobStrategy,
  'ci.k8ts.dev/pipelines': pipelineStrategy,
  'ci.k8ts.dev/projects': projectStrategy,
  'ci.k8ts.dev/workflows': workflowStrategy,
  'coordination.k8s.io/leases': leaseStrategy,
  'discovery.k8s.io/endpointslices': endpointSliceStrategy,
  'flowcontrol.apiserver.k8s.io/flowschemas': flowSchemaStrategy,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': priorityLevelConfigurationStrategy,
  'networking.k8s.io/ingressclasses': ingressClassStrategy,
  'networking.k8s.io/ingresses': ingressStrategy,
  'networking.k8s.io/ipaddresses': ipAddressStrategy,
  'networking.k8s.io/networkpolicies': networkPolicyStrategy,
  'networking.k8s.io/servicecidrs': serviceCidrStrategy,
  'node.k8s.io/runtimeclasses': runtimeClassStrategy,
  'policy/poddisruptionbudgets': podDisruptionBudgetStrategy,
  'rbac.authorization.k8s.io/clusterrolebindings': clusterRoleBindingStrategy,
  'rbac.authorization.k8s.io/clusterroles': clusterRoleStrategy,
  'rbac.authorization.k8s.io/rolebindings': roleBindingStrategy,
  'rbac.authorization.k8s.io/roles': roleStrategy,
  'resource.k8s.io/deviceclasses': deviceClassStrategy,
  'resource.k8s.io/resourceclaims': resourceClaimStrategy,
  'resource.k8s.io/resourceclaimtemplates': resourceClaimTemplateStrategy,
  'resource.k8s.io/resourceslices': resourceSliceStrategy,
  'scheduling.k8s.io/priorityclasses': priorityClassStrategy,
  'storage.k8s.io/csidrivers': csiDriverStrategy,
  'storage.k8s.io/csinodes': csiNodeStrategy,
  'storage.k8s.io/csistoragecapacities': csiStorageCapacityStrategy,
  'storage.k8s.io/storageclasses': storageClassStrategy,
  'storage.k8s.io/volumeattachments': volumeAttachmentStrategy,
  'storage.k8s.io/volumeattributesclasses': volumeAttributesClassStrategy,
}

/** What is special about each kind, keyed `group/resource` of the stored kind (keys of the core group start with the slash). */
export const strategies: Record<string, ResourceStrategy> = Object.fromEntries(
  [...new Set([...Object.keys(byResource), ...Object.keys(tables)])].map((key) => [
    key,
    { ...byResource[key], ...(tables[key] ? { table: tables[key] } : {}) },
  ]),
)
