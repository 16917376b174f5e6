import { createEnvironment } from './compile.ts'
import type { Environment, EnvironmentOptions } from './environment.ts'
import { kubernetesLibraries } from './libraries/index.ts'
import { standardLibrary } from './libraries/standard.ts'

/** An environment for expressions of Kubernetes' API, as 1.36 has it for new ones: its base libraries, and what the options add to them. */
export function kubernetesEnvironment({ libraries = [], variables = {}, ...rest }: Partial<EnvironmentOptions> = {}): Environment {
  return createEnvironment({ ...rest, libraries: [standardLibrary, ...kubernetesLibraries, ...libraries], variables })
}
