package main

import (
	"context"
	"reflect"

	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// strategy keeps the status out of writes to the object, and all but the status out of writes to the status.
type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator
	kind   kind
	status bool
}

func (s strategy) NamespaceScoped() bool                                            { return !s.kind.clusterWide }
func (s strategy) AllowCreateOnUpdate() bool                                        { return !s.status && s.kind.createOnUpdate }
func (s strategy) AllowUnconditionalUpdate() bool                                   { return true }
func (s strategy) Canonicalize(runtime.Object)                                      {}
func (s strategy) WarningsOnCreate(context.Context, runtime.Object) []string        { return nil }
func (s strategy) WarningsOnUpdate(_ context.Context, _, _ runtime.Object) []string { return nil }

// Validate knows of deployments what the recorded requests get wrong.
func (s strategy) Validate(_ context.Context, object runtime.Object) (causes field.ErrorList) {
	deployment, ok := object.(*apps.Deployment)
	if !ok {
		return nil
	}
	path := field.NewPath("spec", "template", "spec", "containers")
	if len(deployment.Spec.Template.Spec.Containers) == 0 {
		causes = append(causes, field.Required(path, ""))
	}
	for i, container := range deployment.Spec.Template.Spec.Containers {
		if container.Name == "" {
			causes = append(causes, field.Required(path.Index(i).Child("name"), ""))
		}
		if container.Image == "" {
			causes = append(causes, field.Required(path.Index(i).Child("image"), ""))
		}
	}
	return causes
}

func (s strategy) ValidateUpdate(ctx context.Context, object, _ runtime.Object) field.ErrorList {
	if s.status {
		return nil
	}
	return s.Validate(ctx, object)
}

func (s strategy) PrepareForCreate(_ context.Context, object runtime.Object) {
	if s.kind.status {
		part(object, "Status").SetZero()
	}
	if s.kind.generation {
		accessor(object).SetGeneration(1)
	}
}

func (s strategy) PrepareForUpdate(_ context.Context, object, old runtime.Object) {
	if s.status {
		part(object, "Spec").Set(part(old, "Spec"))
		if s.kind.plural == "deployments" {
			accessor(object).SetLabels(accessor(old).GetLabels())
		}
		return
	}
	if s.kind.status {
		part(object, "Status").Set(part(old, "Status"))
	}
	if !s.kind.generation {
		return
	}
	changed := part(object, "Spec").IsValid() && !equality.Semantic.DeepEqual(part(object, "Spec").Interface(), part(old, "Spec").Interface())
	if s.kind.plural == "deployments" && !equality.Semantic.DeepEqual(accessor(object).GetAnnotations(), accessor(old).GetAnnotations()) {
		changed = true
	}
	if changed {
		accessor(object).SetGeneration(accessor(old).GetGeneration() + 1)
	}
}

func (s strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	paths := []fieldpath.Path{fieldpath.MakePathOrDie("status")}
	if s.status {
		paths = []fieldpath.Path{fieldpath.MakePathOrDie("spec")}
		if s.kind.plural == "deployments" {
			paths = append(paths, fieldpath.MakePathOrDie("metadata", "labels"))
		}
	} else if !s.kind.status {
		return nil
	}
	version := fieldpath.APIVersion(s.kind.version)
	if s.kind.group != "" {
		version = fieldpath.APIVersion(s.kind.group + "/" + s.kind.version)
	}
	return map[fieldpath.APIVersion]*fieldpath.Set{version: fieldpath.NewSet(paths...)}
}

func part(object runtime.Object, name string) reflect.Value {
	return reflect.ValueOf(object).Elem().FieldByName(name)
}

func accessor(object runtime.Object) interface {
	GetGeneration() int64
	SetGeneration(int64)
	GetAnnotations() map[string]string
	GetLabels() map[string]string
	SetLabels(map[string]string)
} {
	found, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	return found
}
