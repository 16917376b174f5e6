import type { coordination } from '#api'
import { qualifiedName } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, forbidden, invalid, invalidEach, notNegative, notSupported } from '../validation/causes.ts'

export const leaseStrategy: ResourceStrategy<coordination.Lease> = {
  default(object) {
    object.spec ??= {}
  },
  // Coordinated leader election is off in 1.36: what it reads is not kept, but where it is kept already.
  prepareForCreate({ spec }) {
    delete spec!.strategy
    delete spec!.preferredHolder
  },
  prepareForUpdate({ spec }, { spec: old }) {
    if (old?.strategy === undefined) delete spec!.strategy
    if (old?.preferredHolder === undefined) delete spec!.preferredHolder
  },
  validate({ spec = {} }) {
    const causes: Causes = []
    const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder } = spec
    if (seconds !== undefined && seconds <= 0) causes.push(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'))
    if (transitions !== undefined && transitions < 0) causes.push(invalid('spec.leaseTransitions', transitions, notNegative))
    // upstream names the field twice
    if (strategy?.includes('/')) invalidEach(causes, 'spec.strategy.strategy', strategy, qualifiedName(strategy))
    else if (strategy !== undefined && strategy !== 'OldestEmulationVersion')
      causes.push(notSupported('spec.strategy.strategy', strategy, ['OldestEmulationVersion']))
    if (preferredHolder && !strategy) causes.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
    return causes
  },
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  looseFinalizers: true,
}
