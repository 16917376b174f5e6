/**
 * The roles and bindings that every cluster starts with, as recorded from Kubernetes 1.20 and extended with what the releases up to 1.36 added. A role is a line
 * `NAME [= LABELS it aggregates] [+ LABELS it carries]` and a line per rule: `VERBS GROUPS RESOURCES [NAMES]` (`core` is the group without a name), or `VERBS PATHS`.
 * In a namespace, names read `NAMESPACE/NAME`.
 */
export const clusterRoles = `
admin = aggregate-to-admin
cluster-admin
  * * *
  * *
edit = aggregate-to-edit + aggregate-to-admin
system:aggregate-to-admin + aggregate-to-admin
  create authorization.k8s.io localsubjectaccessreviews
  create,delete,deletecollection,get,list,patch,update,watch rbac.authorization.k8s.io rolebindings,roles
system:aggregate-to-edit + aggregate-to-edit
  get,list,watch core pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
  impersonate core serviceaccounts
  create,delete,deletecollection,patch,update core pods,pods/attach,pods/exec,pods/portforward,pods/proxy
  create,delete,deletecollection,patch,update core configmaps,events,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy
  create,delete,deletecollection,patch,update apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale
  create,delete,deletecollection,patch,update autoscaling horizontalpodautoscalers
  create,delete,deletecollection,patch,update batch cronjobs,jobs
  create,delete,deletecollection,patch,update ci.k8ts.dev jobs,pipelines,projects,workflows
  create,delete,deletecollection,patch,update extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale
  create,delete,deletecollection,patch,update policy poddisruptionbudgets
  create,delete,deletecollection,patch,update networking.k8s.io ingresses,networkpolicies
  create core serviceaccounts/token
  create core pods/eviction
  create,delete,deletecollection,get,list,patch,update,watch coordination.k8s.io leases
  create,delete,deletecollection,patch,update events.k8s.io events
  create,delete,deletecollection,patch,update resource.k8s.io resourceclaims,resourceclaimtemplates
system:aggregate-to-view + aggregate-to-view
  get,list,watch core configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
  get,list,watch core bindings,events,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status
  get,list,watch core namespaces
  get,list,watch apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
  get,list,watch autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
  get,list,watch batch cronjobs,cronjobs/status,jobs,jobs/status
  get,list,watch ci.k8ts.dev jobs,jobs/status,pipelines,pipelines/status,projects,projects/status,workflows,workflows/status
  get,list,watch extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
  get,list,watch policy poddisruptionbudgets,poddisruptionbudgets/status
  get,list,watch networking.k8s.io ingresses,ingresses/status,networkpolicies
  get,list,watch discovery.k8s.io endpointslices
  get,list,watch resource.k8s.io resourceclaims,resourceclaims/status,resourceclaimtemplates
  get,list,watch events.k8s.io events
system:aggregated-metrics-reader + aggregate-to-admin,aggregate-to-edit,aggregate-to-view
  get,list,watch metrics.k8s.io nodes,pods
system:auth-delegator
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
system:basic-user
  create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
  create authentication.k8s.io selfsubjectreviews
system:certificates.k8s.io:certificatesigningrequests:nodeclient
  create certificates.k8s.io certificatesigningrequests/nodeclient
system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
  create certificates.k8s.io certificatesigningrequests/selfnodeclient
system:certificates.k8s.io:kube-apiserver-client-approver
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client
system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
system:certificates.k8s.io:kubelet-serving-approver
  approve certificates.k8s.io signers kubernetes.io/kubelet-serving
system:certificates.k8s.io:legacy-unknown-approver
  approve certificates.k8s.io signers kubernetes.io/legacy-unknown
system:controller:attachdetach-controller
  list,watch core persistentvolumeclaims,persistentvolumes
  get,list,watch core nodes
  patch,update core nodes/status
  list,watch core pods
  create,patch,update core,events.k8s.io events
  create,delete,get,list,watch storage.k8s.io volumeattachments
  get,list,watch storage.k8s.io csidrivers
  get,list,watch storage.k8s.io csinodes
  patch core persistentvolumes
system:controller:certificate-controller
  delete,get,list,watch certificates.k8s.io certificatesigningrequests
  update certificates.k8s.io certificatesigningrequests/approval,certificatesigningrequests/status
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
  sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown
  create authorization.k8s.io subjectaccessreviews
  create,patch,update core,events.k8s.io events
system:controller:clusterrole-aggregation-controller
  escalate,get,list,patch,update,watch rbac.authorization.k8s.io clusterroles
system:controller:cronjob-controller
  get,list,update,watch batch cronjobs
  create,delete,get,list,patch,update,watch batch jobs
  update batch cronjobs/status
  update batch cronjobs/finalizers
  delete,list core pods
  create,patch,update core,events.k8s.io events
  patch batch cronjobs,cronjobs/status
system:controller:daemon-set-controller
  get,list,watch apps,extensions daemonsets
  update apps,extensions daemonsets/status
  update apps,extensions daemonsets/finalizers
  list,watch core nodes
  create,delete,list,patch,watch core pods
  create core pods/binding
  create,delete,get,list,patch,update,watch apps controllerrevisions
  create,patch,update core,events.k8s.io events
  patch apps,extensions daemonsets,daemonsets/status
system:controller:deployment-controller
  get,list,update,watch apps,extensions deployments
  update apps,extensions deployments/status
  update apps,extensions deployments/finalizers
  create,delete,get,list,patch,update,watch apps,extensions replicasets
  get,list,update,watch core pods
  create,patch,update core,events.k8s.io events
  patch apps,extensions deployments,deployments/status
system:controller:disruption-controller
  get,list,watch apps,extensions deployments
  get,list,watch apps,extensions replicasets
  get,list,watch core replicationcontrollers
  get,list,watch policy poddisruptionbudgets
  get,list,watch apps statefulsets
  update policy poddisruptionbudgets/status
  get * */scale
  create,patch,update core,events.k8s.io events
  patch core pods/status
  list,watch core pods
system:controller:endpoint-controller
  get,list,watch core pods,services
  create,delete,get,list,update core endpoints
  create core endpoints/restricted
  create,patch,update core,events.k8s.io events
  patch core endpoints
system:controller:endpointslice-controller
  get,list,watch core nodes,pods,services
  update core services/finalizers
  create,delete,get,list,update discovery.k8s.io endpointslices
  create,patch,update core,events.k8s.io events
  patch discovery.k8s.io endpointslices
  create discovery.k8s.io endpointslices/restricted
system:controller:endpointslicemirroring-controller
  get,list,watch core endpoints,services
  update core services/finalizers
  update core endpoints/finalizers
  create,delete,get,list,update discovery.k8s.io endpointslices
  create,patch,update core,events.k8s.io events
  patch discovery.k8s.io endpointslices
  create discovery.k8s.io endpointslices/restricted
system:controller:ephemeral-volume-controller
  get,list,watch core pods
  update core pods/finalizers
  create,get,list,watch core persistentvolumeclaims
  create,patch,update core,events.k8s.io events
system:controller:expand-controller
  get,list,patch,update,watch core persistentvolumes
  patch,update core persistentvolumeclaims/status
  get,list,watch core persistentvolumeclaims
  get,list,watch storage.k8s.io storageclasses
  get core endpoints,services
  get core secrets
  create,patch,update core,events.k8s.io events
system:controller:generic-garbage-collector
  delete,get,list,patch,update,watch * *
  create,patch,update core,events.k8s.io events
system:controller:horizontal-pod-autoscaler
  get,list,watch autoscaling horizontalpodautoscalers
  update autoscaling horizontalpodautoscalers/status
  get,update * */scale
  list core pods
  get core services/proxy http:heapster:,https:heapster:
  list metrics.k8s.io pods
  get,list custom.metrics.k8s.io *
  create,patch,update core,events.k8s.io events
  get,list external.metrics.k8s.io *
  watch core pods
system:controller:job-controller
  get,list,update,watch batch jobs
  update batch jobs/status
  update batch jobs/finalizers
  create,delete,list,patch,watch core pods
  create,patch,update core,events.k8s.io events
  patch batch jobs
  patch batch jobs/status
  update core pods
system:controller:legacy-service-account-token-cleaner
  get core configmaps kube-apiserver-legacy-service-account-token-tracking
  list,watch core pods,secrets,serviceaccounts
  delete,patch core secrets
system:controller:namespace-controller
  delete,get,list,watch core namespaces
  update core namespaces/finalize,namespaces/status
  delete,deletecollection,get,list * *
  patch core namespaces/status
system:controller:node-controller
  delete,get,list,patch,update core nodes
  patch,update core nodes/status
  update core pods/status
  delete,list core pods
  create,patch,update core,events.k8s.io events
  watch core nodes,pods
  patch core pods/status
  get core pods
system:controller:persistent-volume-binder
  create,delete,get,list,update,watch core persistentvolumes
  update core persistentvolumes/status
  get,list,update,watch core persistentvolumeclaims
  update core persistentvolumeclaims/status
  create,delete,get,list,watch core pods
  get,list,watch storage.k8s.io storageclasses
  create,delete,get,update core endpoints
  create,delete,get core services
  get core secrets
  get,list core nodes
  watch core events
  create,patch,update core,events.k8s.io events
  patch core persistentvolumes,persistentvolumeclaims
system:controller:pod-garbage-collector
  delete,list,watch core pods
  get,list core nodes
  patch core pods/status
  watch core nodes
system:controller:pv-protection-controller
  get,list,update,watch core persistentvolumes
  create,patch,update core,events.k8s.io events
  patch core persistentvolumes
system:controller:pvc-protection-controller
  get,list,update,watch core persistentvolumeclaims
  get,list,watch core pods
  create,patch,update core,events.k8s.io events
  patch core persistentvolumeclaims
system:controller:replicaset-controller
  get,list,update,watch apps,extensions replicasets
  update apps,extensions replicasets/status
  update apps,extensions replicasets/finalizers
  create,delete,list,patch,watch core pods
  create,patch,update core,events.k8s.io events
  patch apps,extensions replicasets/status
system:controller:replication-controller
  get,list,update,watch core replicationcontrollers
  update core replicationcontrollers/status
  update core replicationcontrollers/finalizers
  create,delete,list,patch,watch core pods
  create,patch,update core,events.k8s.io events
  patch core replicationcontrollers/status
system:controller:resource-claim-controller
  get,list,watch core pods
  update core pods/finalizers
  patch core pods/status
  create,delete,get,list,watch resource.k8s.io resourceclaims
  get,list,watch resource.k8s.io resourceclaimtemplates
  patch,update resource.k8s.io resourceclaims,resourceclaims/status
  get,list,watch resource.k8s.io deviceclasses
  create,patch,update core,events.k8s.io events
system:controller:resourcequota-controller
  list,watch * *
  update core resourcequotas/status
  create,patch,update core,events.k8s.io events
system:controller:root-ca-cert-publisher
  create,update core configmaps
  create,patch,update core,events.k8s.io events
  get,list,watch core configmaps,namespaces
system:controller:route-controller
  list,watch core nodes
  patch core nodes/status
  create,patch,update core,events.k8s.io events
system:controller:service-account-controller
  create core serviceaccounts
  create,patch,update core,events.k8s.io events
  get,list,watch core namespaces,serviceaccounts
system:controller:service-cidrs-controller
  get,list,watch,patch,update networking.k8s.io servicecidrs
  patch,update networking.k8s.io servicecidrs/finalizers,servicecidrs/status
  get,list,watch networking.k8s.io ipaddresses
  create,patch,update core,events.k8s.io events
system:controller:service-controller
  get,list,watch core services
  patch,update core services/status
  list,watch core nodes
  create,patch,update core,events.k8s.io events
  patch,update core services/finalizers
system:controller:statefulset-controller
  list,watch core pods
  get,list,watch apps statefulsets
  update apps statefulsets/status
  update apps statefulsets/finalizers
  create,delete,get,patch,update core pods
  create,delete,get,list,patch,update,watch apps controllerrevisions
  create,get core persistentvolumeclaims
  create,patch,update core,events.k8s.io events
  update,delete,list,watch core persistentvolumeclaims
  patch apps statefulsets/status
system:controller:storage-version-garbage-collector
  get,list,watch,delete coordination.k8s.io leases
  get,list,update internal.apiserver.k8s.io storageversions
system:controller:taint-eviction-controller
  get,list,watch core nodes
  delete,get,list,watch core pods
  patch core pods/status
  create,patch,update core,events.k8s.io events
system:controller:ttl-after-finished-controller
  delete,get,list,watch batch jobs
  create,patch,update core,events.k8s.io events
system:controller:ttl-controller
  list,patch,update,watch core nodes
  create,patch,update core,events.k8s.io events
system:controller:validatingadmissionpolicy-status-controller
  get,list,watch admissionregistration.k8s.io validatingadmissionpolicies
  get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status
  create,patch,update core,events.k8s.io events
system:discovery
  get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/
system:heapster
  get,list,watch core events,namespaces,nodes,pods
  get,list,watch extensions deployments
system:kube-aggregator
  get,list,watch core endpoints,services
system:kube-controller-manager
  create,patch,update core,events.k8s.io events
  create coordination.k8s.io leases
  get,update coordination.k8s.io leases kube-controller-manager
  create core endpoints
  get,update core endpoints kube-controller-manager
  create core secrets,serviceaccounts
  delete core secrets
  get core configmaps,namespaces,secrets,serviceaccounts
  update core secrets,serviceaccounts
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  list,watch * *
  create core serviceaccounts/token
  create coordination.k8s.io leasecandidates
  get,update coordination.k8s.io leasecandidates kube-controller-manager
system:kube-dns
  list,watch core endpoints,services
  list,watch discovery.k8s.io endpointslices
  list,watch core namespaces,pods
system:kube-scheduler
  create,patch,update core,events.k8s.io events
  create coordination.k8s.io leases
  get,update coordination.k8s.io leases kube-scheduler
  create core endpoints
  get,update core endpoints kube-scheduler
  get,list,watch core nodes
  delete,get,list,watch core pods
  create core bindings,pods/binding
  patch,update core pods/status
  get,list,watch core replicationcontrollers,services
  get,list,watch apps,extensions replicasets
  get,list,watch apps statefulsets
  get,list,watch policy poddisruptionbudgets
  get,list,watch core persistentvolumeclaims,persistentvolumes
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  get,list,watch storage.k8s.io csinodes
  get,list,watch core namespaces
  get,list,watch storage.k8s.io csidrivers,csistoragecapacities,volumeattachments
  get,list,watch resource.k8s.io deviceclasses,resourceclaims,resourceslices
  update,patch resource.k8s.io resourceclaims,resourceclaims/status,resourceclaims/binding
  update core pods/finalizers
  create coordination.k8s.io leasecandidates
  get,update coordination.k8s.io leasecandidates kube-scheduler
system:kubelet-api-admin
  get,list,watch core nodes
  proxy core nodes
  * core nodes/log,nodes/metrics,nodes/proxy,nodes/spec,nodes/stats
  * core nodes/checkpoint,nodes/configz,nodes/healthz,nodes/pods
system:monitoring
  get /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*
system:node
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews
  get,list,watch core services
  create,get,list,watch core nodes
  patch,update core nodes/status
  patch,update core nodes
  create,patch,update core events
  get,list,watch core pods
  create,delete core pods
  patch,update core pods/status
  create core pods/eviction
  get,list,watch core configmaps,secrets
  get core persistentvolumeclaims,persistentvolumes
  get core endpoints
  create,get,list,watch certificates.k8s.io certificatesigningrequests
  create,delete,get,patch,update coordination.k8s.io leases
  get storage.k8s.io volumeattachments
  create core serviceaccounts/token
  get,patch,update core persistentvolumeclaims/status
  get,list,watch storage.k8s.io csidrivers
  create,delete,get,patch,update storage.k8s.io csinodes
  get,list,watch node.k8s.io runtimeclasses
  get,list,watch,create,update,patch,delete,deletecollection resource.k8s.io resourceslices
  get resource.k8s.io resourceclaims
  get,list,watch certificates.k8s.io clustertrustbundles
  create,patch,update events.k8s.io events
system:node-bootstrapper
  create,get,list,watch certificates.k8s.io certificatesigningrequests
system:node-problem-detector
  get core nodes
  patch core nodes/status
  create,patch,update core,events.k8s.io events
system:node-proxier
  list,watch core endpoints,services
  get,list,watch core nodes
  create,patch,update core,events.k8s.io events
  list,watch discovery.k8s.io endpointslices
  get,list,watch networking.k8s.io servicecidrs
system:persistent-volume-provisioner
  create,delete,get,list,watch core persistentvolumes
  get,list,update,watch core persistentvolumeclaims
  get,list,watch storage.k8s.io storageclasses
  watch core events
  create,patch,update core,events.k8s.io events
system:public-info-viewer
  get /healthz,/livez,/readyz,/version,/version/
system:service-account-issuer-discovery
  get /.well-known/openid-configuration,/openid/v1/jwks
system:volume-scheduler
  get,list,patch,update,watch core persistentvolumes
  get,list,watch storage.k8s.io storageclasses
  get,list,patch,update,watch core persistentvolumeclaims
view = aggregate-to-view + aggregate-to-edit
`

/** `NAME SUBJECT…`: the role has the binding's name. Each role `system:controller:NAME` is bound to the service account NAME of kube-system besides. */
export const clusterRoleBindings = `
cluster-admin group:system:masters
system:basic-user group:system:authenticated
system:discovery group:system:authenticated
system:kube-controller-manager user:system:kube-controller-manager
system:kube-dns account:kube-system/kube-dns
system:kube-scheduler user:system:kube-scheduler
system:monitoring group:system:monitoring
system:node
system:node-proxier user:system:kube-proxy
system:public-info-viewer group:system:authenticated group:system:unauthenticated
system:service-account-issuer-discovery group:system:serviceaccounts
system:volume-scheduler user:system:kube-scheduler
`

export const roles = `
kube-public/system:controller:bootstrap-signer
  get,list,watch core configmaps
  update core configmaps cluster-info
  create,patch,update core,events.k8s.io events
kube-system/extension-apiserver-authentication-reader
  get,list,watch core configmaps extension-apiserver-authentication
kube-system/system::leader-locking-kube-controller-manager
  watch core configmaps
  get,update core configmaps kube-controller-manager
kube-system/system::leader-locking-kube-scheduler
  watch core configmaps
  get,update core configmaps kube-scheduler
kube-system/system:controller:bootstrap-signer
  get,list,watch core secrets
kube-system/system:controller:cloud-provider
  create,get,list,watch core configmaps
kube-system/system:controller:token-cleaner
  delete,get,list,watch core secrets
  create,patch,update core,events.k8s.io events
`

/** `NAMESPACE/NAME ROLE SUBJECT…` */
export const roleBindings = `
kube-public/system:controller:bootstrap-signer system:controller:bootstrap-signer account:kube-system/bootstrap-signer
kube-system/system::extension-apiserver-authentication-reader extension-apiserver-authentication-reader user:system:kube-controller-manager user:system:kube-scheduler
kube-system/system::leader-locking-kube-controller-manager system::leader-locking-kube-controller-manager user:system:kube-controller-manager account:kube-system/kube-controller-manager
kube-system/system::leader-locking-kube-scheduler system::leader-locking-kube-scheduler user:system:kube-scheduler account:kube-system/kube-scheduler
kube-system/system:controller:bootstrap-signer system:controller:bootstrap-signer account:kube-system/bootstrap-signer
kube-system/system:controller:cloud-provider system:controller:cloud-provider account:kube-system/cloud-provider
kube-system/system:controller:token-cleaner system:controller:token-cleaner account:kube-system/token-cleaner
`
