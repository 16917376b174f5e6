// Compiles and evaluates expressions with the environment that Kubernetes' API server has for stored expressions. The first line of the input declares
// the variables (see Variable), each further line is one expression as a JSON string; each line of the output is the answer to one (see Answer).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

// Variable is declared with a type in CEL's notation. Its value is JSON, as objects of the API are, or what a constant expression makes.
type Variable struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	JSON       json.RawMessage `json:"json,omitempty"`
	Expression string          `json:"expression,omitempty"`
}

// Answer has Issues alone when the expression does not compile, Fault alone when it compiles but no program can be made of it.
type Answer struct {
	Issues string `json:"issues,omitempty"`
	Fault  string `json:"fault,omitempty"`
	Type   string `json:"type,omitempty"`
	Value  string `json:"value,omitempty"`
	Error  string `json:"error,omitempty"`
	Cost   uint64 `json:"cost"`
	// Bounds of the cost, as estimated for variables of sizes that are not known.
	Least uint64 `json:"least"`
	Most  string `json:"most,omitempty"`
}

type oracle struct {
	env    *cel.Env
	values map[string]any
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	answers := json.NewEncoder(output)
	answers.SetEscapeHTML(false)
	var o *oracle
	for input.Scan() {
		if o == nil {
			var variables []Variable
			check(json.Unmarshal(input.Bytes(), &variables))
			o = newOracle(variables)
			continue
		}
		var expression string
		check(json.Unmarshal(input.Bytes(), &expression))
		check(answers.Encode(o.answer(expression)))
		check(output.Flush())
	}
	check(input.Err())
}

func newOracle(variables []Variable) *oracle {
	base := environment.MustBaseEnvSet(version.MajorMinor(1, 36))
	constants := base.StoredExpressionsEnv()
	o := &oracle{values: map[string]any{}}
	var declarations []cel.EnvOption
	for _, v := range variables {
		declarations = append(declarations, cel.Variable(v.Name, typeNamed(v.Type)))
		if v.Expression != "" {
			ast, issues := constants.Compile(v.Expression)
			check(issues.Err())
			program, err := constants.Program(ast)
			check(err)
			value, _, err := program.Eval(map[string]any{})
			check(err)
			o.values[v.Name] = value
		} else if v.JSON != nil {
			o.values[v.Name] = fromJSON(v.JSON)
		}
	}
	set, err := base.Extend(environment.VersionedOptions{IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: declarations}, environment.StrictCostOpt)
	check(err)
	o.env = set.StoredExpressionsEnv()
	return o
}

func (o *oracle) answer(expression string) (answer Answer) {
	defer func() {
		if crash := recover(); crash != nil {
			answer = Answer{Fault: fmt.Sprintf("panic: %v", crash)}
		}
	}()
	ast, issues := o.env.Compile(expression)
	if issues != nil {
		return Answer{Issues: issues.String()}
	}
	answer.Type = ast.OutputType().String()
	estimate, err := o.env.EstimateCost(ast, &library.CostEstimator{SizeEstimator: unknownSizes{}})
	if err != nil {
		answer.Fault = err.Error()
		return answer
	}
	answer.Least, answer.Most = estimate.Min, fmt.Sprint(estimate.Max)
	if estimate.Max == math.MaxUint64 {
		answer.Most = ""
	}
	program, err := o.env.Program(ast, cel.InterruptCheckFrequency(celconfig.CheckFrequency))
	if err != nil {
		return Answer{Type: answer.Type, Fault: err.Error()}
	}
	limited, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	value, details, err := program.ContextEval(limited, o.values)
	if details != nil && details.ActualCost() != nil {
		answer.Cost = *details.ActualCost()
	}
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.Value = written(value)
	return answer
}

type unknownSizes struct{}

func (unknownSizes) EstimateSize(checker.AstNode) *checker.SizeEstimate { return nil }
func (unknownSizes) EstimateCallCost(_, _ string, _ *checker.AstNode, _ []checker.AstNode) *checker.CallEstimate {
	return nil
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
