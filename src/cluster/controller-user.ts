import type { loopbackUser } from '#apiserver'

type UserInfo = typeof loopbackUser

/** The service account that the bootstrap policy, or `ensureDefaults` for what is ours alone, gives rights to, by controller. */
const accounts: Record<string, string> = {
  clusterroleaggregation: 'clusterrole-aggregation-controller',
  csrapproving: 'certificate-controller',
  csrcleaner: 'certificate-controller',
  csrsigning: 'certificate-controller',
  cronjob: 'cronjob-controller',
  daemonset: 'daemon-set-controller',
  deployment: 'deployment-controller',
  disruption: 'disruption-controller',
  endpoints: 'endpoint-controller',
  endpointslice: 'endpointslice-controller',
  endpointslicemirroring: 'endpointslicemirroring-controller',
  ephemeralvolume: 'ephemeral-volume-controller',
  garbagecollector: 'generic-garbage-collector',
  'horizontal-pod-autoscaler': 'horizontal-pod-autoscaler',
  ingress: 'ingress-controller',
  job: 'job-controller',
  'load-balancer-address': 'load-balancer-address-controller',
  'local-path-provisioner': 'local-path-provisioner',
  namespace: 'namespace-controller',
  nodeipam: 'node-controller',
  nodelifecycle: 'node-controller',
  'persistentvolume-binder': 'persistent-volume-binder',
  podgc: 'pod-garbage-collector',
  'pv-protection': 'pv-protection-controller',
  'pvc-protection': 'pvc-protection-controller',
  replicaset: 'replicaset-controller',
  replicationcontroller: 'replication-controller',
  resourcequota: 'resourcequota-controller',
  'root-ca-cert-publisher': 'root-ca-cert-publisher',
  serviceaccount: 'service-account-controller',
  servicecidr: 'service-cidrs-controller',
  statefulset: 'statefulset-controller',
  'taint-eviction': 'node-controller',
  ttlafterfinished: 'ttl-after-finished-controller',
  'validatingadmissionpolicy-status': 'validatingadmissionpolicy-status-controller',
}

/** Who a controller is to the API server: its service account in kube-system, or the controller manager where upstream has none. */
export function controllerUser(controller: string): UserInfo {
  const account = accounts[controller]
  if (!account) return { username: 'system:kube-controller-manager', groups: ['system:authenticated'] }
  return {
    username: `system:serviceaccount:kube-system:${account}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  }
}
