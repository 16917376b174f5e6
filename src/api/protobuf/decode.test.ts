import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeObject } from '../schema/decode.ts'
import { schemaOf } from '../schema/schema.ts'
import { parseProtobuf } from './envelope.ts'

// bodies as kubectl 1.35 sends them
const service =
  'azhzAAoNCgJ2MRIHU2VydmljZRJjChsKAWMSABoAIgAqADIAOABCAFoICgNhcHASAWMSQAobCgc4MC04MDgwEgNUQ1AYUCIHCAAQkD8aACgAEggKA2FwcBIBYxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA=='
const tokenRequest = 'azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMgkBwaBAoAEgAaACIA'
const deployment =
  'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAISDAoKCgNhcHASA3dlYhpsChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA='

const read = (base64: string) => {
  const value = parseProtobuf(Buffer.from(base64, 'base64')) as { apiVersion: string; kind: string }
  return decodeObject<any>(value, schemaOf(value.apiVersion, value.kind)!).object
}

test('a service: inlined metadata, maps, lists, int-or-string', () => {
  const { kind, apiVersion, metadata, spec } = read(service)
  assert.deepEqual([kind, apiVersion, metadata.name, metadata.labels], ['Service', 'v1', 'c', { app: 'c' }])
  assert.deepEqual(spec, {
    ports: [{ name: '80-8080', protocol: 'TCP', port: 80, targetPort: 8080 }],
    selector: { app: 'c' },
    type: 'ClusterIP',
  })
})

test('a deployment: nested messages', () => {
  const { metadata, spec } = read(deployment)
  assert.equal(metadata.name, 'web')
  assert.equal(spec.replicas, 2)
  assert.deepEqual(spec.selector, { matchLabels: { app: 'web' } })
  assert.deepEqual(spec.template.spec.containers, [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }], resources: {} }])
})

test('64-bit numbers', () => {
  assert.equal(read(tokenRequest).spec.expirationSeconds, 3600)
})

test('what is no protobuf is a bad request', () => {
  assert.throws(() => parseProtobuf(Buffer.from('{}')), /does not appear to be a protobuf message/)
  assert.throws(() => parseProtobuf(Buffer.from(service, 'base64').subarray(0, 60)), /malformed/)
})
