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
export type { CallEstimate, EstimatedArgument, Library, Macro, Overload, SizeEstimate } from './library.ts'
export { type CelType, type TypeProvider, types } from './types.ts'
export { CelError, Duration, List, MapValue, Opaque, Timestamp, TypeValue, Uint, type Value } from './values.ts'
