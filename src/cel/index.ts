export type { Checked, Reference } from './checked.ts'
export { createEnvironment } from './compile.ts'
export {
  CompileError,
  type Environment,
  type EnvironmentOptions,
  type Evaluation,
  type Issue,
  type Limits,
  type Program,
  type Variables,
} from './environment.ts'
export { bindMacros, optionalMacros, standardMacros, twoVariableMacros } from './macros.ts'
export { type PolicyEnvironmentOptions, policyEnvironment } from './admission/environment.ts'
export { PatchObject, applyConfigurationType, jsonPatchesType, misplacedTypes } from './admission/patch-types.ts'
export { unionTypes } from './admission/union-types.ts'
export { type VariableTypes, variableTypes, variablesType } from './admission/variables.ts'
export type { CallEstimate, EstimatedArgument, Library, Macro, Overload, SizeEstimate } from './library.ts'
export { jsonValue, toJson, type Typing } from './json-values.ts'
export { type ValueSchema, schemaValue } from './schema-values.ts'
export { estimateCost, unboundedCost, type KnownSizes } from './cost-estimate.ts'
export { costOfDeviceSelector, deviceEnvironment, mostOfDeviceSelector } from './device.ts'
export { escapeName, unescapeName } from './escape.ts'
export { kubernetesEnvironment } from './kubernetes.ts'
export * from './libraries/index.ts'
export { standardLibrary } from './libraries/standard.ts'
export { type OpenApiSchema, declaredOpenApi } from './open-api-types.ts'
export { type Declared, type DeclaredTypes, declaredKind, declaredSizes, declaredTypes } from './schema-types.ts'
export { printType, sameType } from './type-text.ts'
export { type CelType, type TypeProvider, types } from './types.ts'
export { CelError, Duration, List, MapValue, Opaque, Timestamp, TypeValue, Uint, type Value } from './values.ts'
