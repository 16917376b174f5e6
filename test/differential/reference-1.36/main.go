// An API server made of the libraries of Kubernetes 1.36 (Debian sid has them): its generic machinery over a few built-in kinds, without the validation,
// the columns and the admission that only kube-apiserver has. The differential suite records from it what the machinery answers.
package main

import (
	"flag"
	"net"
	"net/http"
	"strings"

	autoscaling "k8s.io/api/autoscaling/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/kubernetes/scheme"
	"reference/definitions"
)

func main() {
	etcd := flag.String("etcd", "http://127.0.0.1:22379", "address of etcd")
	port := flag.Int("port", 17443, "port on 127.0.0.1")
	certificates := flag.String("certificates", "/tmp/reference-1.36", "folder for a certificate of its own")
	gates := flag.String("feature-gates", "", "NAME=true,…")
	flag.Parse()
	check(utilfeature.DefaultMutableFeatureGate.Set(*gates))

	types := typesOf(kinds)
	codecs := serializer.NewCodecFactory(types)
	config := server.NewConfig(codecs)
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	namer := openapi.NewDefinitionNamer(types)
	config.OpenAPIConfig = server.DefaultOpenAPIConfig(definitions.GetOpenAPIDefinitions, namer)
	config.OpenAPIV3Config = server.DefaultOpenAPIV3Config(definitions.GetOpenAPIDefinitions, namer)
	config.Authentication.Authenticator = authenticator.RequestFunc(authenticate)
	config.Authorization.Authorizer = authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup)
	config.ExternalAddress = "127.0.0.1"

	secure := options.NewSecureServingOptions().WithLoopback()
	secure.BindAddress = net.ParseIP("127.0.0.1")
	secure.BindPort = *port
	secure.ServerCert.CertDirectory = *certificates
	check(secure.MaybeDefaultWithSelfSignedCerts("localhost", nil, []net.IP{net.ParseIP("127.0.0.1")}))
	check(secure.ApplyTo(&config.SecureServing, &config.LoopbackClientConfig))

	stored := options.NewEtcdOptions(storagebackend.NewDefaultConfig("/registry", codecs.LegacyCodec(versionsOf(kinds)...)))
	stored.StorageConfig.Transport.ServerList = []string{*etcd}
	stored.StorageConfig.EncodeVersioner = schema.GroupVersions(versionsOf(kinds))
	check(stored.ApplyTo(config))

	admit(config)

	reference, err := config.Complete(nil).New("reference", server.NewEmptyDelegate())
	check(err)
	for _, group := range groupsOf(kinds) {
		info := server.NewDefaultAPIGroupInfo(group, types, scheme.ParameterCodec, codecs)
		info.PrioritizedVersions = nil
		for _, k := range kinds {
			if k.group != group {
				continue
			}
			served, err := storageOf(k, types, config.RESTOptionsGetter)
			check(err)
			if info.VersionedResourcesStorageMap[k.version] == nil {
				info.VersionedResourcesStorageMap[k.version] = map[string]rest.Storage{}
				info.PrioritizedVersions = append(info.PrioritizedVersions, schema.GroupVersion{Group: group, Version: k.version})
			}
			for path, storage := range served {
				info.VersionedResourcesStorageMap[k.version][path] = storage
			}
		}
		if group == "" {
			check(reference.InstallLegacyAPIGroup(server.DefaultLegacyAPIPrefix, &info))
		} else {
			check(reference.InstallAPIGroup(&info))
		}
	}
	check(reference.PrepareRun().RunWithContext(server.SetupSignalContext()))
}

// authenticate knows one administrator by a token, and takes those without one for anonymous.
func authenticate(request *http.Request) (*authenticator.Response, bool, error) {
	name, groups := "system:anonymous", []string{"system:unauthenticated"}
	if token, given := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer "); given {
		if token != "admintoken" {
			return nil, false, nil
		}
		name, groups = "admin", []string{user.SystemPrivilegedGroup, user.AllAuthenticated}
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: name, Groups: groups}}, true, nil
}

// typesOf has the kinds in their version, which is what is worked with internally too: nothing is converted.
func typesOf(kinds []kind) *runtime.Scheme {
	types := runtime.NewScheme()
	check(scheme.AddToScheme(types))
	meta.AddToGroupVersion(types, schema.GroupVersion{Version: "v1"})
	types.AddUnversionedTypes(schema.GroupVersion{Version: "v1"}, &meta.Status{}, &meta.APIVersions{}, &meta.APIGroupList{}, &meta.APIGroup{}, &meta.APIResourceList{})
	for _, k := range kinds {
		types.AddKnownTypes(schema.GroupVersion{Group: k.group, Version: runtime.APIVersionInternal}, k.object, k.list)
	}
	types.AddKnownTypes(schema.GroupVersion{Group: "autoscaling", Version: runtime.APIVersionInternal}, &autoscaling.Scale{})
	setDefaults(types)
	return types
}

func groupsOf(kinds []kind) (groups []string) {
	seen := map[string]bool{}
	for _, k := range kinds {
		if !seen[k.group] {
			groups = append(groups, k.group)
		}
		seen[k.group] = true
	}
	return groups
}

func versionsOf(kinds []kind) (versions []schema.GroupVersion) {
	for _, group := range groupsOf(kinds) {
		versions = append(versions, schema.GroupVersion{Group: group, Version: "v1"})
	}
	return versions
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
