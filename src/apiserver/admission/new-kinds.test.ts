import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Creatable, core } from '#api'
import { resources } from '#api'
import { createClient } from '#client'
import type { UserInfo } from '../authn/authenticator.ts'
import type { ApiServerOptions } from '../options.ts'
import { causesOf } from '../test-refusals.ts'
import { admin, startTestServer } from '../test-server.ts'
import type { AdmissionPlugin } from './admission.ts'
import { claimStatusAuthorization, deviceAdminAccess } from './dynamic-resources.ts'
import { policyParameters } from './policy-params.ts'

type Loose = any

const jane: UserInfo = { username: 'jane', groups: ['dev', 'system:authenticated'] }
const driver: UserInfo = {
  username: 'system:serviceaccount:dra:driver',
  groups: ['system:serviceaccounts'],
  extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
}

/** A server on which everybody may do what requests themselves need, and of the rest what `rights` names as `USER VERB RESOURCE[/SUBRESOURCE] NAME`. */
async function setup(rights: readonly string[]) {
  const admission: AdmissionPlugin[] = []
  const authorizers: ApiServerOptions['authorizers'] = [
    {
      authorize({ user, verb, resource }) {
        const { resource: what = '', subresource = '', name = '', namespace = '' } = resource ?? {}
        const synthetic = ['binding', 'driver'].includes(subresource) || what === '*' || what === 'configmaps'
        const right = `${user.username} ${verb} ${what}${subresource ? `/${subresource}` : ''} ${namespace}/${name}`
        if (!synthetic || user.groups.includes('system:masters') || rights.includes(right)) return { decision: 'allow', reason: '' }
        return { decision: 'noOpinion', reason: '' }
      },
    },
  ]
  const t = await startTestServer({ admission, authorizers })
  const { reader } = t.server
  admission.push(deviceAdminAccess(reader), claimStatusAuthorization(authorizers[0]!), policyParameters(reader, authorizers[0]!))
  const namespace = (name: string, labels = {}) =>
    t.client.resource(resources.namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } } as Creatable<core.Namespace>)
  await namespace('ns')
  await namespace('admin', { 'resource.kubernetes.io/admin-access': 'true' })
  return Object.assign(t, { as: (user: UserInfo) => createClient(t.server.transport(user)) })
}

const claim = (namespace: string, more: object = {}): Loose => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'c', namespace },
  spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', ...more } }] } },
})
const result = { request: 'r', driver: 'd.example.com', pool: 'p', device: 'x' }
const onNode = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }] }

test('devices are given to administrators only where the namespace says so', async () => {
  await using t = await setup([])
  const claims = t.client.resource(resources.resourceClaims)
  const why = 'Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace'
  assert.deepEqual(await causesOf(claims.create(claim('ns', { adminAccess: true }))), [`spec.devices.requests[0].adminAccess: ${why}`])
  const template = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaimTemplate', metadata: { name: 't', namespace: 'ns' } }
  const templates = t.client.resource(resources.resourceClaimTemplates)
  assert.deepEqual(await causesOf(templates.create({ ...template, spec: { spec: claim('ns', { adminAccess: true }).spec } } as Loose)), [
    `spec.devices.requests[0].adminAccess: ${why}`,
  ])
  await claims.create(claim('admin', { adminAccess: true }))
  const plain = await claims.create(claim('ns'))
  const status = { allocation: { devices: { results: [{ ...result, adminAccess: true }] } } }
  assert.deepEqual(await causesOf(claims.updateStatus({ ...plain, status } as Loose)), [`status.allocation.devices.results[0].adminAccess: ${why}`])
})

test('what is allocated and what is said of devices take rights of their own', async () => {
  const rights = [
    'jane update resourceclaims/binding /',
    'system:serviceaccount:dra:driver associated-node:update resourceclaims/driver ns/d.example.com',
  ]
  await using t = await setup(rights)
  const made = await t.client.resource(resources.resourceClaims).create(claim('ns'))
  const allocation = { devices: { results: [result] }, nodeSelector: onNode }
  const devices = [{ driver: 'd.example.com', pool: 'p', device: 'x' }]
  const drivers = t.as(driver).resource(resources.resourceClaims)
  assert.deepEqual(await causesOf(drivers.updateStatus({ ...made, status: { allocation } } as Loose)), [
    'status: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="update" permission: resourceclaims.resource.k8s.io is forbidden: User "system:serviceaccount:dra:driver" cannot update resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
  ])
  const allocated = await t
    .as(jane)
    .resource(resources.resourceClaims)
    .updateStatus({ ...made, status: { allocation } } as Loose)
  assert.deepEqual(
    await causesOf(
      t
        .as(jane)
        .resource(resources.resourceClaims)
        .updateStatus({ ...allocated, status: { allocation, devices } } as Loose),
    ),
    [
      'status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[arbitrary-node:update]" permission: resourceclaims.resource.k8s.io "d.example.com" is forbidden: User "jane" cannot arbitrary-node:update resource "resourceclaims/driver" in API group "resource.k8s.io" in the namespace "ns"',
    ],
  )
  const said = await drivers.updateStatus({ ...allocated, status: { allocation, devices } } as Loose)
  assert.equal(said.status?.devices?.length, 1)
  const elsewhere = { ...driver, extra: { 'authentication.kubernetes.io/node-name': ['n2'] } }
  assert.match(
    (
      await causesOf(
        t
          .as(elsewhere)
          .resource(resources.resourceClaims)
          .updateStatus({ ...said, status: { allocation } } as Loose),
      )
    )[0]!,
    /verb="\[arbitrary-node:update\]"/,
  )
})

test('who writes a policy may read its parameters', async () => {
  await using t = await setup(['joe get configmaps */*', 'joe get configmaps ns/p'])
  const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
  const policy = (paramKind: object | undefined): Loose => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }], ...(paramKind ? { paramKind } : {}) },
  })
  const configMaps = { apiVersion: 'v1', kind: 'ConfigMap' }
  const policies = t.as(jane).resource(resources.validatingAdmissionPolicies)
  assert.deepEqual(await causesOf(policies.create(policy(configMaps))), [
    'spec.paramKind: Forbidden: user &{jane  [dev system:authenticated] map[]} must have "get" permission on all objects of the referenced paramKind (kind=ConfigMap, apiVersion=v1)',
  ])
  const joe = t.as({ username: 'joe', groups: [] })
  const made = await joe.resource(resources.validatingAdmissionPolicies).create(policy(configMaps))
  // what was there already is not asked for again
  await policies.update({ ...made, spec: { ...made.spec, failurePolicy: 'Ignore' } })
  const binding = (more: object): Loose => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], paramRef: { name: 'p', namespace: 'ns', parameterNotFoundAction: 'Deny' }, ...more },
  })
  assert.deepEqual(await causesOf(t.as(jane).resource(resources.validatingAdmissionPolicyBindings).create(binding({}))), [
    'spec.paramRef: Forbidden: user &{jane  [dev system:authenticated] map[]} does not have "get" permission on the object referenced by paramRef',
  ])
  await joe.resource(resources.validatingAdmissionPolicyBindings).create(binding({}))
  // of a policy that is not there, everything might be a parameter
  assert.equal((await causesOf(joe.resource(resources.validatingAdmissionPolicyBindings).create(binding({ policyName: 'q' })))).length, 1)
  await t.as(admin).resource(resources.validatingAdmissionPolicyBindings).delete('b')
})
