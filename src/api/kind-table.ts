/**
 * Every kind that is served, one line each: `Kind plural scope …`. Groups stand in the order of discovery with their
 * priority (upstream's), a group's versions in order of preference: the first is preferred. Scope, status subresource and
 * releases repeat what src/api/facts says, so that nothing has to be parsed at start; kinds.test.ts compares them.
 */
export const kindTable = `
core 18000
  v1
    Binding bindings namespaced verbs=create since=1.0
    ComponentStatus componentstatuses cluster short=cs verbs=get,list since=1.0
    ConfigMap configmaps namespaced short=cm since=1.2
    Endpoints endpoints namespaced short=ep since=1.0
    Event events namespaced short=ev since=1.0
    LimitRange limitranges namespaced short=limits since=1.0
    Namespace namespaces cluster short=ns verbs=create,delete,get,list,patch,update,watch sub=finalize,status since=1.0
    Node nodes cluster short=no sub=proxy,status since=1.0
    PersistentVolume persistentvolumes cluster short=pv sub=status since=1.0
    PersistentVolumeClaim persistentvolumeclaims namespaced short=pvc sub=status since=1.0
    Pod pods namespaced short=po in=all sub=attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status since=1.0
    PodTemplate podtemplates namespaced since=1.0
    ReplicationController replicationcontrollers namespaced short=rc in=all sub=scale,status since=1.0
    ResourceQuota resourcequotas namespaced short=quota sub=status since=1.0
    Secret secrets namespaced since=1.0
    Service services namespaced short=svc in=all sub=proxy,status since=1.0
    ServiceAccount serviceaccounts namespaced short=sa sub=token since=1.0

apiregistration.k8s.io 17900
  v1
    APIService apiservices cluster in=api-extensions sub=status

apps 17800
  v1
    ControllerRevision controllerrevisions namespaced since=1.9
    DaemonSet daemonsets namespaced short=ds in=all sub=status since=1.9
    Deployment deployments namespaced short=deploy in=all sub=scale,status since=1.9
    ReplicaSet replicasets namespaced short=rs in=all sub=scale,status since=1.9
    StatefulSet statefulsets namespaced short=sts in=all sub=scale,status since=1.9

events.k8s.io 17750
  v1
    Event events namespaced short=ev since=1.19
  v1beta1
    Event events namespaced short=ev since=1.8 deprecated=1.22

authentication.k8s.io 17700
  v1
    SelfSubjectReview selfsubjectreviews cluster verbs=create since=1.28
    TokenReview tokenreviews cluster verbs=create since=1.6
  v1beta1
    TokenReview tokenreviews cluster verbs=create since=1.4 deprecated=1.19

authorization.k8s.io 17600
  v1
    LocalSubjectAccessReview localsubjectaccessreviews namespaced verbs=create since=1.19
    SelfSubjectAccessReview selfsubjectaccessreviews cluster verbs=create since=1.19
    SelfSubjectRulesReview selfsubjectrulesreviews cluster verbs=create since=1.19
    SubjectAccessReview subjectaccessreviews cluster verbs=create since=1.6
  v1beta1
    LocalSubjectAccessReview localsubjectaccessreviews namespaced verbs=create since=1.2 deprecated=1.19
    SelfSubjectAccessReview selfsubjectaccessreviews cluster verbs=create since=1.2 deprecated=1.19
    SelfSubjectRulesReview selfsubjectrulesreviews cluster verbs=create since=1.8 deprecated=1.19
    SubjectAccessReview subjectaccessreviews cluster verbs=create since=1.2 deprecated=1.19

autoscaling 17500
  v2
    HorizontalPodAutoscaler horizontalpodautoscalers namespaced short=hpa in=all sub=status since=1.23
  v1
    HorizontalPodAutoscaler horizontalpodautoscalers namespaced short=hpa in=all sub=status since=1.2

batch 17400
  v1
    CronJob cronjobs namespaced short=cj in=all sub=status since=1.21
    Job jobs namespaced in=all sub=status since=1.2
  v1beta1
    CronJob cronjobs namespaced short=cj in=all sub=status since=1.8 deprecated=1.21 removed=1.25

certificates.k8s.io 17300
  v1
    CertificateSigningRequest certificatesigningrequests cluster short=csr sub=approval,status since=1.19
  v1beta1
    CertificateSigningRequest certificatesigningrequests cluster short=csr sub=approval,status since=1.12 deprecated=1.19

networking.k8s.io 17200
  v1
    IPAddress ipaddresses cluster short=ip since=1.33
    Ingress ingresses namespaced short=ing sub=status since=1.19
    IngressClass ingressclasses cluster since=1.19
    NetworkPolicy networkpolicies namespaced short=netpol since=1.7
    ServiceCIDR servicecidrs cluster sub=status since=1.33
  v1beta1
    Ingress ingresses namespaced short=ing sub=status since=1.14 deprecated=1.19
    IngressClass ingressclasses cluster since=1.18 deprecated=1.19

extensions 17150
  v1beta1
    Ingress ingresses namespaced short=ing sub=status since=1.1 deprecated=1.14 removed=1.22

policy 17100
  v1
    PodDisruptionBudget poddisruptionbudgets namespaced short=pdb sub=status since=1.21
  v1beta1
    PodDisruptionBudget poddisruptionbudgets namespaced short=pdb sub=status since=1.5 deprecated=1.21 removed=1.25

rbac.authorization.k8s.io 17000
  v1
    ClusterRole clusterroles cluster since=1.8
    ClusterRoleBinding clusterrolebindings cluster since=1.8
    Role roles namespaced since=1.8
    RoleBinding rolebindings namespaced since=1.8
  v1beta1
    ClusterRole clusterroles cluster since=1.6 deprecated=1.17 removed=1.22
    ClusterRoleBinding clusterrolebindings cluster since=1.6 deprecated=1.17 removed=1.22
    Role roles namespaced since=1.6 deprecated=1.17 removed=1.22
    RoleBinding rolebindings namespaced since=1.6 deprecated=1.17 removed=1.22

storage.k8s.io 16800
  v1
    CSIDriver csidrivers cluster since=1.18
    CSINode csinodes cluster since=1.17
    CSIStorageCapacity csistoragecapacities namespaced since=1.24
    StorageClass storageclasses cluster short=sc since=1.6
    VolumeAttachment volumeattachments cluster sub=status since=1.13
    VolumeAttributesClass volumeattributesclasses cluster short=vac since=1.34
  v1beta1
    CSIDriver csidrivers cluster since=1.14 deprecated=1.19
    CSINode csinodes cluster since=1.14 deprecated=1.17 removed=1.22
    CSIStorageCapacity csistoragecapacities namespaced since=1.21 deprecated=1.24
    StorageClass storageclasses cluster short=sc since=1.4 deprecated=1.19
    VolumeAttachment volumeattachments cluster since=1.10 deprecated=1.19

admissionregistration.k8s.io 16700
  v1
    MutatingAdmissionPolicy mutatingadmissionpolicies cluster in=api-extensions since=1.36
    MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings cluster in=api-extensions since=1.36
    MutatingWebhookConfiguration mutatingwebhookconfigurations cluster in=api-extensions since=1.16
    ValidatingAdmissionPolicy validatingadmissionpolicies cluster in=api-extensions sub=status since=1.30
    ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings cluster in=api-extensions since=1.30
    ValidatingWebhookConfiguration validatingwebhookconfigurations cluster in=api-extensions since=1.16
  v1beta1
    MutatingWebhookConfiguration mutatingwebhookconfigurations cluster in=api-extensions since=1.9 deprecated=1.16 removed=1.22
    ValidatingAdmissionPolicy validatingadmissionpolicies cluster in=api-extensions sub=status since=1.28
    ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings cluster in=api-extensions since=1.28
    ValidatingWebhookConfiguration validatingwebhookconfigurations cluster in=api-extensions since=1.9 deprecated=1.16 removed=1.22

apiextensions.k8s.io 16700
  v1
    CustomResourceDefinition customresourcedefinitions cluster short=crd,crds in=api-extensions sub=status since=1.16

scheduling.k8s.io 16600
  v1
    PriorityClass priorityclasses cluster short=pc since=1.14
  v1beta1
    PriorityClass priorityclasses cluster short=pc since=1.11 deprecated=1.14 removed=1.22

coordination.k8s.io 16500
  v1
    Lease leases namespaced since=1.14
  v1beta1
    Lease leases namespaced since=1.12 deprecated=1.19

node.k8s.io 16300
  v1
    RuntimeClass runtimeclasses cluster since=1.20
  v1beta1
    RuntimeClass runtimeclasses cluster since=1.13 deprecated=1.22

discovery.k8s.io 16200
  v1
    EndpointSlice endpointslices namespaced since=1.21
  v1beta1
    EndpointSlice endpointslices namespaced since=1.16 deprecated=1.21 removed=1.25

flowcontrol.apiserver.k8s.io 16100
  v1
    FlowSchema flowschemas cluster sub=status since=1.29
    PriorityLevelConfiguration prioritylevelconfigurations cluster sub=status since=1.29
  v1beta3
    FlowSchema flowschemas cluster sub=status since=1.26
    PriorityLevelConfiguration prioritylevelconfigurations cluster sub=status since=1.26

resource.k8s.io 15900
  v1
    DeviceClass deviceclasses cluster since=1.34
    ResourceClaim resourceclaims namespaced sub=status since=1.34
    ResourceClaimTemplate resourceclaimtemplates namespaced since=1.34
    ResourceSlice resourceslices cluster since=1.34

ci.k8ts.dev 15000
  v1
    Project projects namespaced short=proj in=ci sub=status
    Pipeline pipelines namespaced short=pl in=ci sub=status
    Workflow workflows namespaced short=wf in=ci sub=status
    Job jobs namespaced short=cijob in=ci sub=status
`
