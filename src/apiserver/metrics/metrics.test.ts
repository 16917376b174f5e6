import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { test } from 'node:test'
import { realClock } from '#base'
import { errors } from '#api'
import { flowControl } from '../flowcontrol/index.ts'
import type { TestServer } from '../test-server.ts'
import { startTestServer, testTls } from '../test-server.ts'

async function call(
  t: TestServer,
  method: string,
  path: string,
  body?: object,
  type = 'application/json',
  tls: { cert?: string; key?: string } = {},
) {
  const headers = { authorization: 'Bearer admintoken', 'content-type': type }
  const sent = request(t.url + path, { method, rejectUnauthorized: false, agent: new Agent({ keepAlive: false }), headers, ...tls })
  sent.end(body && JSON.stringify(body))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = (await response.setEncoding('utf8').toArray()).join('')
  return { status: response.statusCode, text, type: response.headers['content-type'] }
}

const maps = '/api/v1/namespaces/default/configmaps'
const map = (name: string, data?: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...(data ? { data } : {}) })

/** The value of a sample, by the beginning of its line. */
const sample = (text: string, start: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${start} `))
      ?.slice(start.length) ?? NaN,
  )
const about = (verb: string, scope: string, more = '') =>
  `component="apiserver",${more}group="",resource="configmaps",scope="${scope}",subresource="",verb="${verb}",version="v1"`

test('requests are counted under the names, labels and buckets of upstream', async () => {
  const admission = [
    {
      name: 'Picky',
      handles: () => true,
      validate: ({ object }: { object?: { metadata: { name?: string } } }) => {
        if (object?.metadata.name === 'bad') throw errors.forbidden({ group: '', resource: 'configmaps' }, 'bad', 'no')
      },
    },
  ]
  await using t = await startTestServer({ flow: flowControl({ clock: realClock }), admission: admission as never, metrics: ['further 1\n'] })
  await call(t, 'POST', maps, map('a'))
  await call(t, 'POST', `${maps}?dryRun=All`, map('b'))
  assert.equal((await call(t, 'POST', maps, map('bad'))).status, 403)
  await call(t, 'GET', `${maps}/a`)
  await call(t, 'GET', `${maps}/none`)
  await call(t, 'GET', maps)
  await call(t, 'PATCH', `${maps}/a?fieldManager=m`, map('a', { x: 'y' }), 'application/apply-patch+yaml')
  await call(t, 'DELETE', maps)
  await call(t, 'GET', '/apis/batch/v1beta1/cronjobs')
  await call(t, 'GET', '/livez')
  const controller = new AbortController()
  const watch = request(`${t.url}${maps}?watch=1`, {
    rejectUnauthorized: false,
    headers: { authorization: 'Bearer admintoken' },
    signal: controller.signal,
  })
  watch.on('error', () => {})
  watch.end()
  await once(watch, 'response')
  const { text, type } = await call(t, 'GET', '/metrics')
  controller.abort()
  assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8')
  const total = (code: number, labels: string) => sample(text, `apiserver_request_total{code="${code}",${labels}}`)
  assert.equal(total(201, about('POST', 'resource', 'dry_run="",')), 1)
  assert.equal(total(201, about('POST', 'resource', 'dry_run="All",')), 1)
  assert.equal(total(403, about('POST', 'resource', 'dry_run="",')), 1)
  assert.equal(total(404, about('GET', 'resource', 'dry_run="",')), 1)
  assert.equal(total(200, about('LIST', 'namespace', 'dry_run="",')), 1)
  assert.equal(total(200, about('APPLY', 'resource', 'dry_run="",')), 1)
  assert.equal(total(200, about('DELETE', 'namespace', 'dry_run="",')), 1)
  assert.equal(total(200, 'component="",dry_run="",group="",resource="",scope="",subresource="/livez",verb="GET",version=""'), 1)
  assert.equal(sample(text, `apiserver_request_duration_seconds_count{${about('POST', 'resource', 'dry_run="",')}}`), 2)
  assert.equal(sample(text, `apiserver_request_sli_duration_seconds_bucket{${about('LIST', 'namespace')},le="60"}`), 1)
  assert.equal(sample(text, `apiserver_response_sizes_bucket{${about('GET', 'resource')},le="1e+09"}`), 2)
  assert.equal(sample(text, `apiserver_longrunning_requests{${about('WATCH', 'namespace')}}`), 1)
  assert.equal(
    sample(text, 'apiserver_requested_deprecated_apis{group="batch",removed_release="1.25",resource="cronjobs",subresource="",version="v1beta1"}'),
    1,
  )
  assert.ok(sample(text, 'apiserver_current_inflight_requests{request_kind="readOnly"}') >= 1)
  assert.equal(sample(text, 'apiserver_current_inqueue_requests{request_kind="mutating"}'), 0)
  const admitted = (rejected: boolean) =>
    sample(
      text,
      `apiserver_admission_controller_admission_duration_seconds_count{name="Picky",operation="CREATE",rejected="${rejected}",type="validate"}`,
    )
  assert.deepEqual([admitted(false), admitted(true)], [2, 1])
  assert.equal(sample(text, 'apiserver_admission_step_admission_duration_seconds_count{operation="CREATE",rejected="true",type="validate"}'), 1)
  assert.ok(sample(text, 'authentication_attempts{result="success"}') >= 10)
  assert.ok(sample(text, 'authenticated_user_requests{username="admin"}') >= 10)
  assert.ok(sample(text, 'authorization_attempts_total{result="allowed"}') >= 10)
  assert.ok(sample(text, 'apiserver_flowcontrol_dispatched_requests_total{flow_schema="exempt",priority_level="exempt"}') >= 10)
  assert.ok(sample(text, 'apiserver_flowcontrol_nominal_limit_seats{priority_level="catch-all"}') > 0)
  assert.equal(sample(text, 'etcd_request_duration_seconds_count{group="",operation="create",resource="configmaps"}'), 1)
  assert.ok(sample(text, 'apiserver_watch_cache_resource_version{group="",resource="configmaps"}') > 0)
  assert.equal(sample(text, 'apiserver_resource_objects{group="",resource="configmaps"}'), 0)
  assert.match(text, /^kubernetes_build_info\{build_date="[^"]+",compiler="v8",git_commit="[0-9a-f]{40}",.*platform="linux\/\w+"\} 1$/m)
  assert.match(text, /^process_cpu_seconds_total /m)
  assert.match(text, /^further 1$/m)
})

test('health checks are indicators of the service level', async () => {
  let ready = true
  const check = () => {
    if (!ready) throw new Error('not yet')
  }
  await using t = await startTestServer({ readiness: [{ name: 'poststarthook/thing', check }] })
  await call(t, 'GET', '/readyz')
  ready = false
  await call(t, 'GET', '/readyz')
  const { text } = await call(t, 'GET', '/metrics/slis')
  assert.equal(sample(text, 'kubernetes_healthcheck{name="poststarthook/thing",type="readyz"}'), 0)
  assert.equal(sample(text, 'kubernetes_healthcheck{name="ping",type="readyz"}'), 1)
  assert.equal(sample(text, 'kubernetes_healthchecks_total{name="poststarthook/thing",status="error",type="readyz"}'), 1)
  assert.equal(sample(text, 'kubernetes_healthchecks_total{name="poststarthook/thing",status="success",type="readyz"}'), 1)
})

test('who is sent away, who takes too long and who is gone are counted', async () => {
  await using t = await startTestServer({
    flow: flowControl({ clock: realClock }),
    authenticators: [
      { authenticate: ({ bearerToken }) => Promise.resolve(bearerToken === 'admintoken' ? { username: 'a@b', groups: [] } : 'invalid') },
    ],
    paths: { '/slow': () => new Promise(() => {}) },
  })
  assert.equal((await call(t, 'GET', '/slow?timeout=20ms')).status, 504)
  await call(t, 'GET', '/livez', undefined, undefined, { cert: testTls.cert, key: testTls.key })
  const { text } = await call(t, 'GET', '/metrics')
  assert.equal(
    sample(
      text,
      'apiserver_request_terminations_total{code="504",component="apiserver",group="",resource="",scope="",subresource="",verb="GET",version=""}',
    ),
    1,
  )
  assert.equal(sample(text, 'authenticated_user_requests{username="email_id"}'), 3)
  assert.equal(sample(text, 'apiserver_client_certificate_expiration_seconds_count'), 1)
  assert.equal(sample(text, 'apiserver_client_certificate_expiration_seconds_bucket{le="3.1104e+07"}'), 0)
})
