import type { Backend, Frontend, NodePortFrontend, Rules } from '../plan.ts'

/**
 * A table's content as a value: named chains of rules, and named maps and sets of elements. One verdict map from address, protocol and
 * port leads to a service's chain, so that a packet costs one lookup whatever the number of services.
 */
export interface Ruleset {
  chains: Map<string, string[]>
  /** Sets that the kernel fills itself (session affinity): declared, never given elements. */
  sets: Map<string, string>
  elements: Record<ElementSet, Map<string, string | undefined>>
}

export type ElementSet = 'services' | 'node_ports' | 'refused' | 'refused_node_ports' | 'hairpin' | 'service_ranges'

export interface RulesetOptions {
  /** Range of service addresses: what is in it and not rewritten is refused. */
  serviceCidr: string
  /** Range of all pods of the cluster. */
  podCidr: string
}

/** Marks packets whose source is rewritten on their way out. */
const masqueradeMark = '0x4000'

export const emptyRuleset = (): Ruleset => ({
  chains: new Map(),
  sets: new Map(),
  elements: {
    services: new Map(),
    node_ports: new Map(),
    refused: new Map(),
    refused_node_ports: new Map(),
    hairpin: new Map(),
    service_ranges: new Map(),
  },
})

/** The fixed part of the table, `name` being the table's. */
export function skeleton(name: string, { serviceCidr }: RulesetOptions): string {
  const address = 'type ipv4_addr . inet_proto . inet_service : verdict'
  const port = 'type inet_proto . inet_service : verdict'
  const find = (addresses: string, ports: string) => `
      ip daddr . meta l4proto . th dport vmap @${addresses}
      fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @${ports}`
  return `
    table ip ${name}
    delete table ip ${name}
    table ip ${name} {
      map services { ${address}; }
      map node_ports { ${port}; }
      map refused { ${address}; }
      map refused_node_ports { ${port}; }
      set hairpin { type ipv4_addr . ipv4_addr; }
      set service_ranges { type ipv4_addr; flags interval; }
      chain find_service {${find('services', 'node_ports')}
      }
      chain find_refused {${find('refused', 'refused_node_ports')}
        ip daddr ${serviceCidr} reject
        ip daddr @service_ranges reject
      }
      chain do_reject { reject; }
      chain do_drop { drop; }
      chain prerouting { type nat hook prerouting priority dstnat; policy accept; jump find_service; }
      chain nat_output { type nat hook output priority -100; policy accept; jump find_service; }
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        meta mark & ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark & 0xffffbfff masquerade
        ct status & dnat == dnat ip saddr . ip daddr @hairpin masquerade
      }
      chain input { type filter hook input priority -110; policy accept; ct state new jump find_refused; }
      chain forward { type filter hook forward priority -110; policy accept; ct state new jump find_refused; }
      chain filter_output { type filter hook output priority -90; policy accept; ct state new jump find_refused; }
    }`
}

/** Rules to the variable part of the table. */
export function rulesetOf(rules: Rules, { podCidr }: RulesetOptions): Ruleset {
  const ruleset = emptyRuleset()
  for (const backend of rules.backends) addBackend(backend, ruleset)
  for (const range of rules.ranges ?? []) ruleset.elements.service_ranges.set(range, undefined)
  for (const frontend of rules.frontends) {
    const key = `${frontend.ip} . ${frontend.protocol} . ${frontend.port}`
    const name = `${frontend.ip}/${frontend.protocol}/${frontend.port}`
    if (typeof frontend.to === 'string' && !frontend.inside) ruleset.elements.refused.set(key, `goto do_${frontend.to}`)
    else ruleset.elements.services.set(key, `goto ${entryChain(frontend, name, podCidr, ruleset)}`)
  }
  for (const frontend of rules.nodePorts) {
    const key = `${frontend.protocol} . ${frontend.port}`
    const name = `node/${frontend.protocol}/${frontend.port}`
    if (typeof frontend.to === 'string' && !frontend.inside) ruleset.elements.refused_node_ports.set(key, `goto do_${frontend.to}`)
    else ruleset.elements.node_ports.set(key, `goto ${entryChain(frontend, name, podCidr, ruleset)}`)
  }
  return ruleset
}

const backendChain = (id: string) => `to/${id}`

/** A chain before the backend's, where the frontend asks for something of its own; otherwise the backend's itself. */
function entryChain(frontend: Frontend | NodePortFrontend, name: string, podCidr: string, ruleset: Ruleset): string {
  const { to, inside, masquerade } = frontend
  const rules: string[] = []
  const sources = 'sources' in frontend ? frontend.sources : undefined
  const mark = `meta mark set meta mark | ${masqueradeMark}`
  if (sources) rules.push(`ip saddr != { ${sources.join(', ')} } drop`)
  if (inside) {
    rules.push(`ip saddr ${podCidr} goto ${backendChain(inside.backend)}`)
    // an endpoint on another node has to answer by way of this one
    rules.push(`fib saddr type local ${mark} goto ${backendChain(inside.backend)}`)
  }
  if (masquerade === 'always') rules.push(mark)
  if (masquerade === 'unlessPod') rules.push(`ip saddr != ${podCidr} ${mark}`)
  if (rules.length === 0 && typeof to !== 'string') return backendChain(to.backend)
  rules.push(typeof to === 'string' ? 'drop' : `goto ${backendChain(to.backend)}`)
  const chain = `at/${name}`
  ruleset.chains.set(chain, rules)
  return chain
}

function addBackend(backend: Backend, ruleset: Ruleset): void {
  const { endpoints, protocol } = backend
  const chain = backendChain(backend.id)
  for (const { ip } of endpoints) ruleset.elements.hairpin.set(`${ip} . ${ip}`, undefined)
  if (backend.affinitySeconds === undefined) {
    const targets = endpoints.map((e, i) => `${i} : ${e.ip} . ${e.port}`)
    ruleset.chains.set(chain, [`meta l4proto ${protocol} dnat ip addr . port to numgen random mod ${endpoints.length} map { ${targets.join(', ')} }`])
    return
  }
  const choices: string[] = []
  const sticky: string[] = []
  for (const [i, endpoint] of endpoints.entries()) {
    // a set in use cannot be changed: another time-out is another set
    const set = `client/${backend.id}/${endpoint.ip}/${endpoint.port}/${backend.affinitySeconds}`
    const target = `${chain}/${endpoint.ip}/${endpoint.port}`
    ruleset.sets.set(set, `type ipv4_addr; flags dynamic,timeout; timeout ${backend.affinitySeconds}s;`)
    ruleset.chains.set(target, [`update @${set} { ip saddr }`, `meta l4proto ${protocol} dnat ip to ${endpoint.ip}:${endpoint.port}`])
    sticky.push(`ip saddr @${set} goto ${target}`)
    choices.push(`${i} : goto ${target}`)
  }
  ruleset.chains.set(chain, [...sticky, `numgen random mod ${endpoints.length} vmap { ${choices.join(', ')} }`])
}
