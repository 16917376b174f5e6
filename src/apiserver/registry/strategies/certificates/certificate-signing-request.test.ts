import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WriteContext } from '../../strategy.ts'
import { context, created, testCreates, testUpdates } from '../rule-table.ts'
import { certificateSigningRequestStrategy as strategy } from './certificate-signing-request.ts'
import { requestProblem } from './request-signature.ts'
import { certificate, pem, requests } from './testdata.ts'

const key = 'certificates.k8s.io/certificatesigningrequests'
const request = pem('CERTIFICATE REQUEST', requests.ecdsa)
const base = { spec: { request, signerName: 'example.com/s', usages: ['client auth'] } }
const spec = (more: object) => (csr: any) => Object.assign(csr.spec, more)

/** Another signature than the one that was made. */
function forged(der: string): string {
  const bytes = Buffer.from(der, 'base64')
  bytes[bytes.length - 1]! ^= 1
  return bytes.toString('base64')
}

const signatures: [title: string, type: string, der: string, problem: string | undefined][] = [
  ['ECDSA', 'CERTIFICATE REQUEST', requests.ecdsa, undefined],
  ['Ed25519', 'CERTIFICATE REQUEST', requests.ed25519, undefined],
  ['RSA', 'CERTIFICATE REQUEST', requests.rsa, undefined],
  ['RSA-PSS', 'CERTIFICATE REQUEST', requests.pss, undefined],
  ['RSA over SHA-1', 'CERTIFICATE REQUEST', requests.sha1, 'x509: cannot verify signature: insecure algorithm SHA1-RSA'],
  ['forged ECDSA', 'CERTIFICATE REQUEST', forged(requests.ecdsa), 'x509: ECDSA verification failure'],
  ['forged Ed25519', 'CERTIFICATE REQUEST', forged(requests.ed25519), 'x509: Ed25519 verification failure'],
  ['forged RSA', 'CERTIFICATE REQUEST', forged(requests.rsa), 'crypto/rsa: verification error'],
  ['forged RSA-PSS', 'CERTIFICATE REQUEST', forged(requests.pss), 'crypto/rsa: verification error'],
  ['an old name', 'NEW CERTIFICATE REQUEST', requests.ecdsa, 'PEM block type must be CERTIFICATE REQUEST'],
  ['no request', 'CERTIFICATE', certificate, 'PEM block type must be CERTIFICATE REQUEST'],
  ['half a request', 'CERTIFICATE REQUEST', requests.ecdsa.slice(0, 60), 'asn1: syntax error: data truncated'],
]
for (const [title, type, der, problem] of signatures)
  test(`signatures of requests: ${title}`, () => assert.equal(requestProblem(pem(type, der)), problem))

const label = 'a lowercase RFC 1123 label must'
testCreates(key, base, [
  ['nothing is wrong', () => {}],
  ['no request', spec({ request: '' }), 'spec.request: Invalid value: "": PEM block type must be CERTIFICATE REQUEST'],
  ['no usages', spec({ usages: [] }), 'spec.usages: Required value'],
  [
    'a usage that is none and one twice',
    spec({ usages: ['fun', 'any', 'any'] }),
    'spec.usages[0]: Unsupported value: "fun": supported values: "any", "cert sign"',
    'spec.usages[2]: Duplicate value: "any"',
  ],
  ['no signer', spec({ signerName: '' }), 'spec.signerName: Required value'],
  [
    'the signer of old',
    spec({ signerName: 'kubernetes.io/legacy-unknown' }),
    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
  ],
  [
    'a signer without a path',
    spec({ signerName: 'example.com' }),
    `spec.signerName: Invalid value: "example.com": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
  ],
  [
    'a signer of a short domain',
    spec({ signerName: 'a/b' }),
    'spec.signerName: Invalid value: "a": should be a domain with at least two segments separated by dots',
  ],
  [
    'a signer of a bad domain and path',
    spec({ signerName: 'A.b/c_d' }),
    `spec.signerName: Invalid value: "A.b": validating label "A": ${label}`,
    'spec.signerName: Invalid value: "c_d": validating label "c_d": a lowercase RFC 1123 subdomain must',
  ],
  ['a long domain', spec({ signerName: `${'a.'.repeat(127)}b/c` }), 'spec.signerName: Too long: may not be more than 253 bytes'],
  [
    'a certificate for less than ten minutes',
    spec({ expirationSeconds: 599 }),
    'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
  ],
  ['a certificate for ten minutes', spec({ expirationSeconds: 600 })],
])

test('requests of the beta: signers of old and any usage are fine', () => {
  const { object } = created(key, base, spec({ signerName: 'kubernetes.io/legacy-unknown', usages: ['fun', 'fun'] }))
  assert.deepEqual(strategy.validate!(object as never, 'certificates.k8s.io/v1beta1'), [])
})

const is = (type: string, more: object = {}) => ({ type, status: 'True', ...more })
const conditions =
  (...list: object[]) =>
  (csr: any) =>
    (csr.status = { ...csr.status, conditions: list })
const issued = pem('CERTIFICATE', certificate)
const issue = (text: string) => (csr: any) => (csr.status = { ...csr.status, certificate: text })
const at = 'status.conditions'

testUpdates(key, base, { subresource: 'approval' }, [
  ['it is approved', conditions(is('Approved'))],
  [
    'it is approved and denied',
    conditions(is('Approved'), is('Denied')),
    `${at}: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive`,
  ],
  ['it is not approved', conditions(is('Approved', { status: 'False' })), `${at}[0].status: Unsupported value: "False": supported values: "True"`],
  ['nothing is said', conditions({}), `${at}[0].type: Required value`, `${at}[0].status: Required value`],
  [
    'a status that is none',
    conditions(is('Other', { status: 'Maybe' })),
    `${at}[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"`,
  ],
  ['one condition twice', conditions(is('Failed'), is('Failed')), `${at}[1].type: Duplicate value: "Failed"`],
  ['a certificate is left alone', issue(issued)],
])
testUpdates(key, base, { subresource: 'approval', before: conditions(is('Denied')) }, [
  ['a denial is taken back', conditions(is('Approved')), `${at}: Forbidden: updates may not remove a condition of type "Denied"`],
])
testUpdates(key, base, { subresource: 'status' }, [
  ['it fails', conditions(is('Failed'))],
  ['it is issued', issue(issued)],
  ['it is approved', conditions(is('Approved')), `${at}: Forbidden: updates may not add a condition of type "Approved"`],
  [
    'something else is issued',
    issue(pem('PRIVATE KEY', certificate)),
    'status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"',
  ],
  ['nothing is issued', issue('AAAA'), 'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block'],
  [
    'a certificate with headers',
    issue(pem('CERTIFICATE', `A: b\n\n${certificate}`)),
    'status.certificate: Invalid value: "<certificate data>": no PEM block headers are permitted',
  ],
  [
    'a certificate that is none',
    issue(pem('CERTIFICATE', 'AAAA')),
    'status.certificate: Invalid value: "<certificate data>": x509: malformed certificate',
  ],
])
testUpdates(
  key,
  base,
  { subresource: 'status', before: (csr) => Object.assign(csr, { status: { conditions: [is('Approved')], certificate: issued } }) },
  [
    [
      'another certificate',
      issue(pem('CERTIFICATE', `${certificate}\n`)),
      'status.certificate: Forbidden: updates may not modify existing certificate content',
    ],
    ['the approval in other words', conditions(is('Approved', { message: 'x' }))],
    ['the approval is left out', conditions(), `${at}: Forbidden: updates may not remove a condition of type "Approved"`],
  ],
)

test('requests for certificates: what was decided stays in its words, also when a status is written', () => {
  const old = { ...created(key, base).object, status: { conditions: [{ type: 'Approved', status: 'True', message: 'because' }] } }
  const object = structuredClone(old)
  object.status.conditions[0]!.message = 'no'
  strategy.prepareForStatusUpdate!(
    object as never,
    old as never,
    { ...context, request: { ...context.request, resource: { subresource: 'status' } } } as WriteContext,
  )
  assert.equal(object.status.conditions[0]!.message, 'because')
})
