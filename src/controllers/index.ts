import type { Controller } from '#runtime'
import { namespaceController } from './namespace/index.ts'
import { type LegacyTokenOptions, rootCaPublisher, serviceAccountController, serviceAccountTokens } from './serviceaccount/index.ts'

export interface ControllersOptions {
  /** PEM of the authority that signs the API server's certificate; published in every namespace. */
  rootCA: string
  /** Signs tokens that live in Secrets; without it no such Secret is filled in. */
  legacyTokens?: Pick<LegacyTokenOptions, 'sign'>
  /** `1.20`: what clients of that age expect, such as a token Secret for every service account. */
  compat?: '1.20'
}

/** All controllers of the control plane, as data; `runControllers` of `#runtime` runs them. */
export function controllers(options: ControllersOptions): Controller[] {
  const { rootCA, legacyTokens, compat } = options
  return [
    namespaceController,
    serviceAccountController,
    rootCaPublisher({ rootCA }),
    ...(legacyTokens ? [serviceAccountTokens({ ...legacyTokens, rootCA, everyAccount: compat === '1.20' })] : []),
  ]
}
