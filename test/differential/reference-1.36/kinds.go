package main

import (
	admissionregistration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	rbac "k8s.io/api/rbac/v1"
	resource "k8s.io/api/resource/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// A kind as it is served: in one version, without the rules of its own that only kube-apiserver knows.
type kind struct {
	group, version, plural, singular string
	object, list                     runtime.Object
	clusterWide, status, scale       bool
	// generation counts the changes of the spec.
	generation bool
	// createOnUpdate: a PUT makes what is not there.
	createOnUpdate bool
	shortNames     []string
}

var kinds = []kind{
	{version: "v1", plural: "namespaces", singular: "namespace", object: &core.Namespace{}, list: &core.NamespaceList{}, clusterWide: true, status: true, shortNames: []string{"ns"}},
	{version: "v1", plural: "configmaps", singular: "configmap", object: &core.ConfigMap{}, list: &core.ConfigMapList{}, shortNames: []string{"cm"}},
	{version: "v1", plural: "secrets", singular: "secret", object: &core.Secret{}, list: &core.SecretList{}},
	{version: "v1", plural: "serviceaccounts", singular: "serviceaccount", object: &core.ServiceAccount{}, list: &core.ServiceAccountList{}, shortNames: []string{"sa"}},
	{version: "v1", plural: "services", singular: "service", object: &core.Service{}, list: &core.ServiceList{}, status: true, createOnUpdate: true, shortNames: []string{"svc"}},
	{version: "v1", plural: "pods", singular: "pod", object: &core.Pod{}, list: &core.PodList{}, status: true, generation: true, shortNames: []string{"po"}},
	{group: "apps", version: "v1", plural: "deployments", singular: "deployment", object: &apps.Deployment{}, list: &apps.DeploymentList{}, status: true, scale: true, generation: true, shortNames: []string{"deploy"}},
	{group: "rbac.authorization.k8s.io", version: "v1", plural: "roles", singular: "role", object: &rbac.Role{}, list: &rbac.RoleList{}, createOnUpdate: true},
	{group: "networking.k8s.io", version: "v1", plural: "networkpolicies", singular: "networkpolicy", object: &networking.NetworkPolicy{}, list: &networking.NetworkPolicyList{}, generation: true, shortNames: []string{"netpol"}},
	{group: "networking.k8s.io", version: "v1", plural: "ipaddresses", singular: "ipaddress", object: &networking.IPAddress{}, list: &networking.IPAddressList{}, clusterWide: true, generation: true, shortNames: []string{"ip"}},
	{group: "coordination.k8s.io", version: "v1", plural: "leases", singular: "lease", object: &coordination.Lease{}, list: &coordination.LeaseList{}, createOnUpdate: true},
	{group: "scheduling.k8s.io", version: "v1", plural: "priorityclasses", singular: "priorityclass", object: &scheduling.PriorityClass{}, list: &scheduling.PriorityClassList{}, clusterWide: true, generation: true, shortNames: []string{"pc"}},
	{group: "storage.k8s.io", version: "v1", plural: "volumeattributesclasses", singular: "volumeattributesclass", object: &storage.VolumeAttributesClass{}, list: &storage.VolumeAttributesClassList{}, clusterWide: true, shortNames: []string{"vac"}},
	{group: "resource.k8s.io", version: "v1", plural: "resourceclaims", singular: "resourceclaim", object: &resource.ResourceClaim{}, list: &resource.ResourceClaimList{}, status: true},
	{group: "resource.k8s.io", version: "v1", plural: "deviceclasses", singular: "deviceclass", object: &resource.DeviceClass{}, list: &resource.DeviceClassList{}, clusterWide: true, generation: true},
	{group: "resource.k8s.io", version: "v1", plural: "resourceslices", singular: "resourceslice", object: &resource.ResourceSlice{}, list: &resource.ResourceSliceList{}, clusterWide: true, generation: true},
	{group: "admissionregistration.k8s.io", version: "v1", plural: "validatingadmissionpolicies", singular: "validatingadmissionpolicy", object: &admissionregistration.ValidatingAdmissionPolicy{}, list: &admissionregistration.ValidatingAdmissionPolicyList{}, clusterWide: true, status: true, generation: true},
	{group: "admissionregistration.k8s.io", version: "v1", plural: "validatingadmissionpolicybindings", singular: "validatingadmissionpolicybinding", object: &admissionregistration.ValidatingAdmissionPolicyBinding{}, list: &admissionregistration.ValidatingAdmissionPolicyBindingList{}, clusterWide: true, generation: true},
	{group: "admissionregistration.k8s.io", version: "v1", plural: "mutatingadmissionpolicies", singular: "mutatingadmissionpolicy", object: &admissionregistration.MutatingAdmissionPolicy{}, list: &admissionregistration.MutatingAdmissionPolicyList{}, clusterWide: true, generation: true},
	{group: "admissionregistration.k8s.io", version: "v1", plural: "mutatingadmissionpolicybindings", singular: "mutatingadmissionpolicybinding", object: &admissionregistration.MutatingAdmissionPolicyBinding{}, list: &admissionregistration.MutatingAdmissionPolicyBindingList{}, clusterWide: true, generation: true},
}
