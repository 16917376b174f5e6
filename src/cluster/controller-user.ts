import type { loopbackUser } from '#apiserver'

type UserInfo = typeof loopbackUser

/** Controllers whose service account in the bootstrap policy is not named after them. */
const accounts: Record<string, string> = {
  namespace: 'namespace-controller',
  serviceaccount: 'service-account-controller',
  'root-ca-cert-publisher': 'root-ca-cert-publisher',
  deployment: 'deployment-controller',
  replicaset: 'replicaset-controller',
  replicationcontroller: 'replication-controller',
  job: 'job-controller',
  cronjob: 'cronjob-controller',
  daemonset: 'daemon-set-controller',
  statefulset: 'statefulset-controller',
  endpoints: 'endpoint-controller',
  endpointslice: 'endpointslice-controller',
  endpointslicemirroring: 'endpointslicemirroring-controller',
  garbagecollector: 'generic-garbage-collector',
  nodelifecycle: 'node-controller',
  nodeipam: 'node-controller',
  podgc: 'pod-garbage-collector',
  ttlafterfinished: 'ttl-after-finished-controller',
  resourcequota: 'resourcequota-controller',
  clusterroleaggregation: 'clusterrole-aggregation-controller',
  disruption: 'disruption-controller',
  'horizontal-pod-autoscaler': 'horizontal-pod-autoscaler',
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
