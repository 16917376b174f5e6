import type { core } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'

const mountableSecrets = 'kubernetes.io/enforce-mountable-secrets'

export const serviceAccountStrategy: ResourceStrategy<core.ServiceAccount> = {
  prepareForCreate: nameSecrets,
  prepareForUpdate: nameSecrets,
  warnings({ metadata }, old) {
    if (metadata.annotations?.[mountableSecrets] === undefined || old?.metadata.annotations?.[mountableSecrets] !== undefined) return []
    return [`metadata.annotations[${mountableSecrets}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`]
  },
}

/** Secrets of the account's namespace: all but their names is left out. */
function nameSecrets(object: core.ServiceAccount): void {
  if (object.secrets) object.secrets = object.secrets.map(({ name }) => (name === undefined ? {} : { name }))
}
