import dns from 'dns-packet'
import type { Packet, Question } from 'dns-packet'
import type { DnsRecord, DnsView } from './records.ts'
import { lookup } from './records.ts'

/** Seconds that a resolver may keep an answer: short, because endpoints move. */
const ttl = 5
/** Codes of RFC 1035, section 4.1.1. */
const rcode = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5 }
const maxCnames = 8

export interface AnswerOptions {
  /** The cluster's domain, e.g. `cluster.local`. */
  zone: string
  view: DnsView
  /** Asks another server about names that are not the cluster's; without it they are refused. */
  forward?: (query: Uint8Array) => Promise<Uint8Array>
}

/** Answers one message; undefined when it is not a question at all. `limit` is the size in bytes that the transport takes. */
export async function answer(message: Uint8Array, options: AnswerOptions, limit: number): Promise<Uint8Array | undefined> {
  let query: Packet & { id?: number }
  try {
    query = dns.decode(Buffer.from(message))
  } catch {
    return message.length < 12 ? undefined : reply({ id: (message[0]! << 8) | message[1]! }, rcode.formErr, [], limit)
  }
  if (query.type !== 'query') return undefined
  const [question] = query.questions ?? []
  if (!question || query.questions!.length !== 1) return reply(query, rcode.formErr, [], limit)
  const found = lookup(question, options.zone, options.view)
  const edns = query.additionals?.find((r) => r.type === 'OPT')
  const size = edns && 'udpPayloadSize' in edns ? Math.max(limit, Math.min(edns.udpPayloadSize, 4096)) : limit
  switch (found.result) {
    case 'foreign': {
      if (!options.forward) return reply(query, rcode.refused, [], size)
      try {
        return await options.forward(message)
      } catch {
        return reply(query, rcode.servFail, [], size)
      }
    }
    case 'missing':
      return reply(query, rcode.nxDomain, [], size, { authority: options.zone })
    case 'found': {
      const answers = withCnameTargets(question, found.answers, options)
      return reply(query, rcode.noError, answers, size, {
        additionals: found.additionals ?? [],
        ...(answers.length === 0 ? { authority: options.zone } : {}),
      })
    }
  }
}

/** A client that asked for an address and gets an alias also gets what the alias stands for, as far as it is the cluster's. */
function withCnameTargets(question: Question, answers: DnsRecord[], options: AnswerOptions): DnsRecord[] {
  const all = [...answers]
  for (let alias = all.at(-1), depth = 0; alias?.type === 'CNAME' && question.type !== 'CNAME' && depth < maxCnames; alias = all.at(-1), depth++) {
    const target = lookup({ name: alias.data, type: question.type }, options.zone, options.view)
    if (target.result !== 'found' || target.answers.length === 0) break
    all.push(...target.answers)
  }
  return all
}

interface Extra {
  additionals?: DnsRecord[]
  /** The zone whose SOA says how long a "no" is good for (RFC 2308). */
  authority?: string
}

function reply(
  query: { id?: number; questions?: Question[]; flags?: number },
  code: number,
  records: DnsRecord[],
  limit: number,
  extra: Extra = {},
): Uint8Array {
  const withTtl = (r: DnsRecord) => ({ ...r, ttl, ...(r.type === 'TXT' ? { data: [r.data] } : {}) }) as dns.Answer
  const soa = (zone: string): dns.Answer => ({
    type: 'SOA',
    name: zone,
    ttl,
    data: { mname: `ns.dns.${zone}`, rname: `hostmaster.${zone}`, serial: 1, refresh: 7200, retry: 1800, expire: 86400, minimum: ttl },
  })
  const packet: Packet = {
    type: 'response',
    id: query.id ?? 0,
    flags: dns.AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & dns.RECURSION_DESIRED) | dns.RECURSION_AVAILABLE | code,
    questions: query.questions ?? [],
    answers: records.map(withTtl),
    additionals: (extra.additionals ?? []).map(withTtl),
    ...(extra.authority ? { authorities: [soa(extra.authority)] } : {}),
  }
  const full = dns.encode(packet)
  if (full.length <= limit) return full
  const bare = dns.encode({ ...packet, additionals: [] })
  if (bare.length <= limit) return bare
  // too large for UDP: the client asks again over TCP
  return dns.encode({ ...packet, answers: [], additionals: [], flags: packet.flags! | dns.TRUNCATED_RESPONSE })
}
