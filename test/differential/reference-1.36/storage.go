package main

import (
	"context"
	"reflect"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type store struct {
	*registry.Store
	shortNames []string
}

func (s store) ShortNames() []string { return s.shortNames }

// statusStore is the status of the same objects: read, updated and patched, never created.
type statusStore struct{ store *registry.Store }

func (s statusStore) New() runtime.Object { return s.store.New() }
func (s statusStore) Destroy()            {}
func (s statusStore) Get(ctx context.Context, name string, options *meta.GetOptions) (runtime.Object, error) {
	return s.store.Get(ctx, name, options)
}
func (s statusStore) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, create rest.ValidateObjectFunc, update rest.ValidateObjectUpdateFunc, _ bool, options *meta.UpdateOptions) (runtime.Object, bool, error) {
	return s.store.Update(ctx, name, info, create, update, false, options)
}
func (s statusStore) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return s.store.GetResetFields()
}
func (s statusStore) ConvertToTable(ctx context.Context, object, options runtime.Object) (*meta.Table, error) {
	return s.store.ConvertToTable(ctx, object, options)
}

// storageOf is what serves a kind, by the paths below its version.
func storageOf(k kind, scheme *runtime.Scheme, options generic.RESTOptionsGetter) (map[string]rest.Storage, error) {
	resource := schema.GroupResource{Group: k.group, Resource: k.plural}
	plain := strategy{ObjectTyper: scheme, NameGenerator: names.SimpleNameGenerator, kind: k}
	made := func(of runtime.Object) func() runtime.Object {
		return func() runtime.Object { return reflect.New(reflect.TypeOf(of).Elem()).Interface().(runtime.Object) }
	}
	objects := &registry.Store{
		NewFunc:                   made(k.object),
		NewListFunc:               made(k.list),
		DefaultQualifiedResource:  resource,
		SingularQualifiedResource: schema.GroupResource{Group: k.group, Resource: k.singular},
		CreateStrategy:            plain,
		UpdateStrategy:            plain,
		DeleteStrategy:            plain,
		ResetFieldsStrategy:       plain,
		TableConvertor:            rest.NewDefaultTableConvertor(resource),
	}
	if err := objects.CompleteWithOptions(&generic.StoreOptions{RESTOptions: options}); err != nil {
		return nil, err
	}
	served := map[string]rest.Storage{k.plural: store{objects, k.shortNames}}
	if k.status {
		part := plain
		part.status = true
		status := *objects
		status.UpdateStrategy = part
		status.ResetFieldsStrategy = part
		served[k.plural+"/status"] = statusStore{&status}
	}
	if k.scale {
		served[k.plural+"/scale"] = &scales{objects}
	}
	return served, nil
}

// scales is the scale of deployments.
type scales struct{ deployments *registry.Store }

// Where the replicas are, for the managers of both forms.
var replicas = managedfields.ResourcePathMappings{"apps/v1": fieldpath.MakePathOrDie("spec", "replicas")}

func (s *scales) New() runtime.Object { return &autoscaling.Scale{} }
func (s *scales) Destroy()            {}
func (s *scales) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return autoscaling.SchemeGroupVersion.WithKind("Scale")
}
func (s *scales) ConvertToTable(ctx context.Context, object, options runtime.Object) (*meta.Table, error) {
	return s.deployments.ConvertToTable(ctx, object, options)
}

func (s *scales) Get(ctx context.Context, name string, options *meta.GetOptions) (runtime.Object, error) {
	object, err := s.deployments.Get(ctx, name, options)
	if err != nil {
		return nil, errors.NewNotFound(schema.GroupResource{Group: "apps", Resource: "deployments/scale"}, name)
	}
	return scaleOf(object.(*apps.Deployment))
}

func (s *scales) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, create rest.ValidateObjectFunc, update rest.ValidateObjectUpdateFunc, _ bool, options *meta.UpdateOptions) (runtime.Object, bool, error) {
	object, _, err := s.deployments.Update(ctx, name, &scaled{info}, func(ctx context.Context, object runtime.Object) error {
		scale, err := scaleOf(object.(*apps.Deployment))
		if err != nil {
			return err
		}
		return create(ctx, scale)
	}, func(ctx context.Context, object, old runtime.Object) error {
		scale, err := scaleOf(object.(*apps.Deployment))
		if err != nil {
			return err
		}
		oldScale, err := scaleOf(old.(*apps.Deployment))
		if err != nil {
			return err
		}
		return update(ctx, scale, oldScale)
	}, false, options)
	if err != nil {
		return nil, false, err
	}
	scale, err := scaleOf(object.(*apps.Deployment))
	return scale, false, err
}

// scaled makes the deployment of a scale that is written.
type scaled struct{ info rest.UpdatedObjectInfo }

func (s *scaled) Preconditions() *meta.Preconditions { return s.info.Preconditions() }

func (s *scaled) UpdatedObject(ctx context.Context, old runtime.Object) (runtime.Object, error) {
	deployment := old.DeepCopyObject().(*apps.Deployment)
	version := schema.GroupVersion{Group: "apps", Version: "v1"}
	handler := managedfields.NewScaleHandler(deployment.ManagedFields, version, replicas)
	before, err := scaleOf(deployment)
	if err != nil {
		return nil, err
	}
	if before.ManagedFields, err = handler.ToSubresource(); err != nil {
		return nil, err
	}
	object, err := s.info.UpdatedObject(ctx, before)
	if err != nil {
		return nil, err
	}
	scale := object.(*autoscaling.Scale)
	if scale.ResourceVersion != "" {
		deployment.ResourceVersion = scale.ResourceVersion
	}
	deployment.Spec.Replicas = &scale.Spec.Replicas
	deployment.ManagedFields, err = handler.ToParent(scale.ManagedFields)
	return deployment, err
}

func scaleOf(deployment *apps.Deployment) (*autoscaling.Scale, error) {
	selector, err := meta.LabelSelectorAsSelector(deployment.Spec.Selector)
	if err != nil {
		return nil, err
	}
	scale := &autoscaling.Scale{
		ObjectMeta: meta.ObjectMeta{Name: deployment.Name, Namespace: deployment.Namespace, UID: deployment.UID, ResourceVersion: deployment.ResourceVersion, CreationTimestamp: deployment.CreationTimestamp},
		Status:     autoscaling.ScaleStatus{Replicas: deployment.Status.Replicas, Selector: selector.String()},
	}
	if deployment.Spec.Replicas != nil {
		scale.Spec.Replicas = *deployment.Spec.Replicas
	}
	return scale, nil
}
