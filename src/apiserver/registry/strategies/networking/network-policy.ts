import type { DeepReadonly, networking } from '#api'
import { portNumber } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid, invalidEach, notSupported, required } from '../../validation/causes.ts'
import { cidrWarnings, isStrictSubset, parseCidr, validateCidr } from '../../validation/ip.ts'
import { validatePortOrName } from '../../validation/pod/probes.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'

export const networkPolicyStrategy: ResourceStrategy<networking.NetworkPolicy> = {
  default(object) {
    const spec = (object.spec ??= {})
    spec.podSelector ??= {}
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
    for (const rule of spec.ingress ?? []) for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    for (const rule of spec.egress ?? []) for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  },
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    const accepted = old && acceptedOf(old.spec)
    validateLabelSelector(causes, 'spec.podSelector', spec.podSelector, accepted)
    spec.ingress?.forEach((rule, i) => {
      rule.ports?.forEach((port, j) => validatePolicyPort(causes, `spec.ingress[${i}].ports[${j}]`, port))
      rule.from?.forEach((peer, j) => validatePeer(causes, `spec.ingress[${i}].from[${j}]`, peer, accepted))
    })
    spec.egress?.forEach((rule, i) => {
      rule.ports?.forEach((port, j) => validatePolicyPort(causes, `spec.egress[${i}].ports[${j}]`, port))
      rule.to?.forEach((peer, j) => validatePeer(causes, `spec.egress[${i}].to[${j}]`, peer, accepted))
    })
    const types = spec.policyTypes ?? []
    if (types.length > 2) causes.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'))
    else
      types.forEach((type, i) => {
        if (type !== 'Ingress' && type !== 'Egress') causes.push(notSupported(`spec.policyTypes[${i}]`, type, ['Ingress', 'Egress']))
      })
    return causes
  },
  warnings: policyWarnings,
}

function validatePolicyPort(causes: Causes, path: string, port: DeepReadonly<networking.NetworkPolicyPort>): void {
  if (port.protocol !== undefined && !['SCTP', 'TCP', 'UDP'].includes(port.protocol))
    causes.push(notSupported(`${path}.protocol`, port.protocol, ['TCP', 'UDP', 'SCTP']))
  if (port.port !== undefined) validatePortOrName(causes, `${path}.port`, port.port)
  if (port.endPort === undefined) return
  if (typeof port.port === 'string') causes.push(invalid(`${path}.endPort`, port.endPort, 'may not be specified when `port` is non-numeric'))
  else if (port.port === undefined) causes.push(invalid(`${path}.endPort`, port.endPort, 'may not be specified when `port` is not specified'))
  else {
    // the value that is shown is the one it is held against, as upstream has it
    if (port.endPort < port.port) causes.push(invalid(`${path}.endPort`, port.port, 'must be greater than or equal to `port`'))
    invalidEach(causes, `${path}.endPort`, port.endPort, portNumber(port.endPort))
  }
}

function validatePeer(causes: Causes, path: string, peer: DeepReadonly<networking.NetworkPolicyPeer>, accepted: Accepted | undefined): void {
  const { podSelector, namespaceSelector, ipBlock } = peer
  validateLabelSelector(causes, `${path}.podSelector`, podSelector, accepted)
  validateLabelSelector(causes, `${path}.namespaceSelector`, namespaceSelector, accepted)
  if (ipBlock) validateBlock(causes, `${path}.ipBlock`, ipBlock, accepted?.ranges)
  if (!podSelector && !namespaceSelector && !ipBlock) causes.push(required(path, 'must specify a peer'))
  else if (ipBlock && (podSelector || namespaceSelector)) causes.push(forbidden(path, 'may not specify both ipBlock and another peer'))
}

function validateBlock(causes: Causes, path: string, { cidr, except }: DeepReadonly<networking.IPBlock>, old: readonly string[] | undefined): void {
  if (!cidr) {
    causes.push(required(`${path}.cidr`))
    return
  }
  validateCidr(causes, `${path}.cidr`, cidr, old)
  const outer = parseCidr(cidr)
  if (!outer) return
  except?.forEach((text, i) => {
    const at = `${path}.except[${i}]`
    validateCidr(causes, at, text, old)
    const inner = parseCidr(text)
    if (inner && !isStrictSubset(inner, outer)) causes.push(invalid(at, text, 'must be a strict subset of `cidr`'))
  })
}

/** What a policy has that was once valid and may stay. */
interface Accepted {
  invalidValues: boolean
  ranges: string[]
}

function acceptedOf(spec: DeepReadonly<networking.NetworkPolicySpec>): Accepted {
  const causes: Causes = []
  validateLabelSelector(causes, '', spec.podSelector)
  return { invalidValues: causes.length > 0, ranges: blocksOf(spec).flatMap(({ cidr, except = [] }) => [cidr, ...except]) }
}

const blocksOf = ({ ingress, egress }: DeepReadonly<networking.NetworkPolicySpec>) =>
  [...(ingress ?? []).flatMap((rule) => rule.from ?? []), ...(egress ?? []).flatMap((rule) => rule.to ?? [])].flatMap(({ ipBlock }) =>
    ipBlock ? [ipBlock] : [],
  )

const peersOf = (spec: DeepReadonly<networking.NetworkPolicySpec>) => [
  ...(spec.ingress ?? []).flatMap((rule, i) => (rule.from ?? []).map((peer, j) => [`spec.ingress[${i}].from[${j}]`, peer] as const)),
  ...(spec.egress ?? []).flatMap((rule, i) => (rule.to ?? []).map((peer, j) => [`spec.egress[${i}].to[${j}]`, peer] as const)),
]

function policyWarnings({ spec }: DeepReadonly<networking.NetworkPolicy>): string[] {
  return peersOf(spec).flatMap(([path, { ipBlock }]) => {
    if (!ipBlock) return []
    const excepted = (ipBlock.except ?? []).flatMap((text, i) => cidrWarnings(`${path}.ipBlock.except[${i}]`, text))
    return [...cidrWarnings(`${path}.ipBlock.cidr`, ipBlock.cidr), ...excepted]
  })
}
