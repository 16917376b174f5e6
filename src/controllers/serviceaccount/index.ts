export { rootCaPublisher } from './root-ca.ts'
export { type LegacyTokenOptions, serviceAccountTokens } from './legacy-tokens.ts'
export { serviceAccountController } from './default-account.ts'
