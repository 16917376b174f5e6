package main

import (
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// setDefaults has the defaults that kube-apiserver gives the fields that the recorded requests use.
func setDefaults(types *runtime.Scheme) {
	setPolicyDefaults(types)
	types.AddTypeDefaultingFunc(&core.Secret{}, func(object any) {
		set(&object.(*core.Secret).Type, core.SecretTypeOpaque)
	})
	types.AddTypeDefaultingFunc(&core.Pod{}, func(object any) {
		spec := &object.(*core.Pod).Spec
		defaultPod(spec)
		for i := range spec.Containers {
			defaultRequests(&spec.Containers[i].Resources)
		}
	})
	types.AddTypeDefaultingFunc(&core.Service{}, func(object any) {
		spec := &object.(*core.Service).Spec
		set(&spec.Type, core.ServiceTypeClusterIP)
		set(&spec.SessionAffinity, core.ServiceAffinityNone)
		point(&spec.InternalTrafficPolicy, core.ServiceInternalTrafficPolicyCluster)
		for i := range spec.Ports {
			set(&spec.Ports[i].Protocol, core.ProtocolTCP)
			if spec.Ports[i].TargetPort == (intstr.IntOrString{}) {
				spec.Ports[i].TargetPort = intstr.FromInt32(spec.Ports[i].Port)
			}
		}
	})
	types.AddTypeDefaultingFunc(&networking.NetworkPolicy{}, func(object any) {
		spec := &object.(*networking.NetworkPolicy).Spec
		if len(spec.PolicyTypes) == 0 {
			spec.PolicyTypes = []networking.PolicyType{networking.PolicyTypeIngress}
		}
	})
	types.AddTypeDefaultingFunc(&apps.Deployment{}, func(object any) {
		spec := &object.(*apps.Deployment).Spec
		point(&spec.Replicas, 1)
		point(&spec.RevisionHistoryLimit, 10)
		point(&spec.ProgressDeadlineSeconds, 600)
		set(&spec.Strategy.Type, apps.RollingUpdateDeploymentStrategyType)
		if spec.Strategy.Type == apps.RollingUpdateDeploymentStrategyType {
			if spec.Strategy.RollingUpdate == nil {
				spec.Strategy.RollingUpdate = &apps.RollingUpdateDeployment{}
			}
			point(&spec.Strategy.RollingUpdate.MaxUnavailable, intstr.FromString("25%"))
			point(&spec.Strategy.RollingUpdate.MaxSurge, intstr.FromString("25%"))
		}
		defaultPod(&spec.Template.Spec)
	})
}

func defaultPod(spec *core.PodSpec) {
	set(&spec.DNSPolicy, core.DNSClusterFirst)
	set(&spec.RestartPolicy, core.RestartPolicyAlways)
	set(&spec.SchedulerName, core.DefaultSchedulerName)
	point(&spec.TerminationGracePeriodSeconds, core.DefaultTerminationGracePeriodSeconds)
	if spec.SecurityContext == nil {
		spec.SecurityContext = &core.PodSecurityContext{}
	}
	for i := range spec.Containers {
		container := &spec.Containers[i]
		set(&container.TerminationMessagePath, core.TerminationMessagePathDefault)
		set(&container.TerminationMessagePolicy, core.TerminationMessageReadFile)
		set(&container.ImagePullPolicy, pullPolicy(container.Image))
		for j := range container.Ports {
			set(&container.Ports[j].Protocol, core.ProtocolTCP)
		}
		for j := range container.Env {
			if from := container.Env[j].ValueFrom; from != nil && from.FieldRef != nil {
				set(&from.FieldRef.APIVersion, "v1")
			}
		}
	}
}

// What is limited and not asked for is asked for: of pods, not of templates.
func defaultRequests(resources *core.ResourceRequirements) {
	for name, limit := range resources.Limits {
		if _, asked := resources.Requests[name]; asked {
			continue
		}
		if resources.Requests == nil {
			resources.Requests = core.ResourceList{}
		}
		resources.Requests[name] = limit
	}
}

// An image without a tag is the latest one.
func pullPolicy(image string) core.PullPolicy {
	for i := len(image) - 1; i >= 0 && image[i] != '/'; i-- {
		if image[i] == ':' || image[i] == '@' {
			return core.PullIfNotPresent
		}
	}
	return core.PullAlways
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func point[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
