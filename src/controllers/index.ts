import type { Controller } from '#runtime'
import { type CertificateAuthority, type RequestedCertificate, certificateControllers } from './certificates/index.ts'
import { clusterRoleAggregationController } from './clusterroleaggregation/index.ts'
import { cronJobController } from './cronjob/index.ts'
import { daemonSetController } from './daemonset/index.ts'
import { deploymentController } from './deployment/index.ts'
import { disruptionController } from './disruption/index.ts'
import { endpointsController } from './endpoints/index.ts'
import { endpointSliceController } from './endpointslice/index.ts'
import { endpointSliceMirroringController } from './endpointslicemirroring/index.ts'
import { ephemeralVolumeController } from './ephemeralvolume/index.ts'
import { garbageCollector } from './garbagecollector/index.ts'
import { jobController } from './job/index.ts'
import { type LocalPathOptions, localPathProvisioner } from './localpath/index.ts'
import { namespaceController } from './namespace/index.ts'
import { type NodeIpamOptions, nodeIpamController } from './nodeipam/index.ts'
import { type NodeLifecycleOptions, nodeLifecycleController, taintEvictionController } from './nodelifecycle/index.ts'
import { persistentVolumeBinder } from './persistentvolume/index.ts'
import { type PodGcOptions, podGarbageCollector } from './podgc/index.ts'
import { replicaSetController, replicationController } from './replicaset/index.ts'
import { type QuotaAccounting, resourceQuotaController } from './resourcequota/index.ts'
import { serviceCidrController } from './servicecidr/index.ts'
import { type LegacyTokenOptions, rootCaPublisher, serviceAccountController, serviceAccountTokens } from './serviceaccount/index.ts'
import { statefulSetController } from './statefulset/index.ts'
import { ttlAfterFinishedController } from './ttlafterfinished/index.ts'
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicystatus/index.ts'
import { claimProtection, volumeProtection } from './volumeprotection/index.ts'

export { NoRoomError, type NodeStorage } from './localpath/index.ts'
export type {
  CertificateAuthority,
  LegacyTokenOptions,
  LocalPathOptions,
  NodeIpamOptions,
  NodeLifecycleOptions,
  PodGcOptions,
  QuotaAccounting,
  RequestedCertificate,
}

export interface ControllersOptions {
  /** PEM of the authority that signs the API server's certificate; published in every namespace. */
  rootCA: string
  /** Signs what is asked for by CertificateSigningRequests; without it somebody else does. */
  authority?: CertificateAuthority
  /** Signs tokens that live in Secrets; without it no such Secret is filled in. */
  legacyTokens?: Pick<LegacyTokenOptions, 'sign'>
  /** `1.20`: what clients of that age expect, such as a token Secret for every service account. */
  compat?: '1.20'
  /** How quotas are reckoned; the API server's admission has the functions. Without it quotas have no status. */
  quota?: QuotaAccounting
  /** Pod address ranges to hand out to nodes; without it somebody else does. */
  nodeIpam?: NodeIpamOptions
  nodeLifecycle?: NodeLifecycleOptions
  podGc?: PodGcOptions
  /** How the provisioner of volumes on nodes' disks reaches them. */
  localPath?: LocalPathOptions
}

/** All controllers of the control plane, as data; `runControllers` of `#runtime` runs them. */
export function controllers(options: ControllersOptions): Controller[] {
  const { rootCA, legacyTokens, compat, quota, nodeIpam } = options
  return [
    namespaceController,
    serviceAccountController,
    rootCaPublisher({ rootCA }),
    ...(legacyTokens ? [serviceAccountTokens({ ...legacyTokens, rootCA, everyAccount: compat === '1.20' })] : []),
    deploymentController,
    replicaSetController,
    replicationController,
    jobController,
    cronJobController,
    daemonSetController(compat ? { compat } : {}),
    statefulSetController(compat ? { compat } : {}),
    disruptionController,
    endpointsController,
    endpointSliceController(),
    endpointSliceMirroringController,
    garbageCollector,
    nodeLifecycleController({ ...(compat === '1.20' ? { monitorGracePeriod: 40_000 } : {}), ...options.nodeLifecycle }),
    taintEvictionController,
    ...(nodeIpam ? [nodeIpamController(nodeIpam)] : []),
    podGarbageCollector(options.podGc),
    serviceCidrController,
    ttlAfterFinishedController,
    ...(quota ? [resourceQuotaController(quota)] : []),
    clusterRoleAggregationController,
    ...certificateControllers(options.authority),
    persistentVolumeBinder,
    claimProtection,
    volumeProtection,
    ephemeralVolumeController,
    validatingAdmissionPolicyStatusController,
    localPathProvisioner(options.localPath),
  ]
}
