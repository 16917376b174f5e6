package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/library"
)

// fromJSON reads whole numbers as int64, as the API server does.
func fromJSON(text []byte) any {
	var value any
	check(kubejson.Unmarshal(text, &value))
	return value
}

var plainTypes = map[string]*cel.Type{
	"dyn": cel.DynType, "null": cel.NullType, "bool": cel.BoolType, "int": cel.IntType, "uint": cel.UintType, "double": cel.DoubleType,
	"string": cel.StringType, "bytes": cel.BytesType, "timestamp": cel.TimestampType, "duration": cel.DurationType,
	"kubernetes.Quantity": apiservercel.QuantityType, "net.IP": apiservercel.IPType, "net.CIDR": apiservercel.CIDRType, "kubernetes.Semver": apiservercel.SemverType,
	"kubernetes.URL": apiservercel.URLType, "kubernetes.NamedFormat": apiservercel.FormatType,
	"kubernetes.authorization.Authorizer": library.AuthorizerType,
}

// typeNamed reads `list(int)`, `map(string, list(dyn))`, `optional_type(int)` and the names of plainTypes.
func typeNamed(text string) *cel.Type {
	text = strings.TrimSpace(text)
	if plain, ok := plainTypes[text]; ok {
		return plain
	}
	name, inner, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	switch name {
	case "list":
		return cel.ListType(typeNamed(inner))
	case "optional_type":
		return cel.OptionalType(typeNamed(inner))
	case "map":
		key, value, _ := strings.Cut(inner, ",")
		return cel.MapType(typeNamed(key), typeNamed(value))
	}
	panic("no type " + text)
}

// written is a value as text: `5`, `5u`, `1.5`, `"a"`, `b"YQ=="` (base64), `[1, 2]`, `{"a": 1}` (sorted by the keys' texts), `timestamp("…")`.
func written(value ref.Val) string {
	switch v := value.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return strconv.FormatBool(bool(v))
	case types.Int:
		return strconv.FormatInt(int64(v), 10)
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10) + "u"
	case types.Double:
		return number(float64(v))
	case types.String:
		return quoted(string(v))
	case types.Bytes:
		return `b"` + base64.StdEncoding.EncodeToString(v) + `"`
	case types.Timestamp:
		return `timestamp("` + v.Time.UTC().Format(time.RFC3339Nano) + `")`
	case types.Duration:
		return `duration("` + strconv.FormatInt(v.Duration.Nanoseconds(), 10) + `ns")`
	case *types.Type:
		return "type(" + v.String() + ")"
	case *types.Optional:
		if !v.HasValue() {
			return "optional.none()"
		}
		return "optional.of(" + written(v.GetValue()) + ")"
	case *apiservercel.Quantity:
		return written(*v)
	case apiservercel.Quantity:
		return "quantity(" + quoted(v.String()) + ")"
	case apiservercel.IP:
		return "ip(" + quoted(v.String()) + ")"
	case apiservercel.CIDR:
		return "cidr(" + quoted(v.String()) + ")"
	case apiservercel.Semver:
		return "semver(" + quoted(v.String()) + ")"
	case apiservercel.URL:
		return "url(" + quoted(v.URL.String()) + ")"
	case apiservercel.Format:
		return "format(" + quoted(v.Name) + ")"
	case traits.Lister:
		var elements []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			elements = append(elements, written(it.Next()))
		}
		return "[" + strings.Join(elements, ", ") + "]"
	case traits.Mapper:
		var entries []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, written(key)+": "+written(v.Get(key)))
		}
		sort.Strings(entries)
		return "{" + strings.Join(entries, ", ") + "}"
	}
	return fmt.Sprintf("%s(?)", value.Type().TypeName())
}

// number has the digits that JSON would have, and always shows that it is no integer.
func number(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	text, err := json.Marshal(f)
	check(err)
	if strings.ContainsAny(string(text), ".e") {
		return string(text)
	}
	return string(text) + ".0"
}

func quoted(text string) string {
	var made strings.Builder
	encoder := json.NewEncoder(&made)
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(text))
	return strings.TrimSuffix(made.String(), "\n")
}
