package main

import (
	registration "k8s.io/api/admissionregistration/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	mutating "k8s.io/apiserver/pkg/admission/plugin/policy/mutating"
	validating "k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/options"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
)

// admit has the admission of policies, which read what they need from this server itself.
func admit(config *server.Config) {
	clients, err := kubernetes.NewForConfig(config.LoopbackClientConfig)
	check(err)
	dynamicClient, err := dynamic.NewForConfig(config.LoopbackClientConfig)
	check(err)
	factory := informers.NewSharedInformerFactory(clients, 0)
	admission := options.NewAdmissionOptions()
	admission.RecommendedPluginOrder = []string{mutating.PluginName, validating.PluginName}
	admission.DisablePlugins = nil
	admission.DefaultOffPlugins.Insert("NamespaceLifecycle", "MutatingAdmissionWebhook", "ValidatingAdmissionWebhook")
	check(admission.ApplyTo(config, factory, clients, dynamicClient, utilfeature.DefaultFeatureGate, config.EffectiveVersion))
	check(config.AddPostStartHook("start-informers", func(hook server.PostStartHookContext) error {
		factory.Start(hook.Done())
		return nil
	}))
}

func setPolicyDefaults(types *runtime.Scheme) {
	types.AddTypeDefaultingFunc(&registration.ValidatingAdmissionPolicy{}, func(object any) {
		spec := &object.(*registration.ValidatingAdmissionPolicy).Spec
		point(&spec.FailurePolicy, registration.Fail)
		defaultMatch(spec.MatchConstraints)
	})
	types.AddTypeDefaultingFunc(&registration.MutatingAdmissionPolicy{}, func(object any) {
		spec := &object.(*registration.MutatingAdmissionPolicy).Spec
		point(&spec.FailurePolicy, registration.Fail)
		defaultMatch(spec.MatchConstraints)
	})
	types.AddTypeDefaultingFunc(&registration.ValidatingAdmissionPolicyBinding{}, func(object any) {
		defaultMatch(object.(*registration.ValidatingAdmissionPolicyBinding).Spec.MatchResources)
	})
	types.AddTypeDefaultingFunc(&registration.MutatingAdmissionPolicyBinding{}, func(object any) {
		defaultMatch(object.(*registration.MutatingAdmissionPolicyBinding).Spec.MatchResources)
	})
}

func defaultMatch(match *registration.MatchResources) {
	if match == nil {
		return
	}
	point(&match.MatchPolicy, registration.Equivalent)
	if match.NamespaceSelector == nil {
		match.NamespaceSelector = &meta.LabelSelector{}
	}
	if match.ObjectSelector == nil {
		match.ObjectSelector = &meta.LabelSelector{}
	}
	for _, rules := range [][]registration.NamedRuleWithOperations{match.ResourceRules, match.ExcludeResourceRules} {
		for i := range rules {
			point(&rules[i].Scope, registration.AllScopes)
		}
	}
}
