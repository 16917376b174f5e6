import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { failure } from './clients.ts'
import { k8tsProgram, output, testCluster } from './cluster.ts'

// no containers are needed here: the cluster comes up within a second
const home = process.env['K8TS_HOME'] ?? '/var/lib/k8ts'
const work = mkdtempSync(join(tmpdir(), 'k8ts-cli-'))
const env = { ...process.env, KUBECONFIG: join(work, 'kubeconfig') }
const k8ts = (...args: string[]) => output(k8tsProgram, args, env)
const cluster = await testCluster('cli', '--runtime', 'fake')
after(async () => {
  rmSync(work, { recursive: true })
  await cluster[Symbol.asyncDispose]()
})

describe('k8ts', () => {
  test('tells what it can do, for every command that its help lists', async () => {
    const visit = async (path: string[]): Promise<number> => {
      const help = await k8ts(...path, '--help')
      assert.match(help, new RegExp(`^Usage: k8ts ${[...path, ''].join(' ')}`), path.join(' '))
      assert.match(help, /display help for command/)
      const commands = /\nCommands:\n([^]*)/.exec(help)?.[1]?.matchAll(/^ {2}(\w[\w-]*)/gm) ?? []
      const names = [...commands].map((match) => match[1]!).filter((name) => name !== 'help')
      const below = await Promise.all(names.map((name) => visit([...path, name])))
      return below.reduce((sum, count) => sum + count, names.length)
    }
    assert.ok((await visit([])) >= 10)
    assert.match(await k8ts('--version'), /^\d+\.\d+\.\d+\n$/)
    assert.equal((await failure(k8ts())).code, 2, 'without a command it shows its help and fails')
  })

  const wrong: [what: string, args: string[], code: number, message: RegExp][] = [
    ['an unknown command', ['upp'], 2, /unknown command 'upp'[^]*Did you mean up\?/],
    ['an unknown flag', ['up', '--nodez', '2'], 2, /unknown option '--nodez'[^]*--help/],
    ['an argument too many', ['down', 'cluster'], 2, /too many arguments for 'down'/],
    ['nodes that are no number', ['up', '--nodes', 'two'], 2, /'--nodes <count>' argument 'two' is invalid\. a whole number is expected/],
    ['fewer nodes than none', ['up', '--nodes=-1'], 2, /'--nodes <count>' argument '-1' is invalid/],
    ['more nodes than there are addresses', ['up', '--name', 'test-cli-big', '--nodes', '250'], 1, /at most 200 nodes/],
    ['a port that is none', ['up', '--api-port', '70000'], 2, /a port is between 1 and 65535/],
    ['a runtime that there is not', ['up', '--runtime', 'docker'], 2, /Allowed choices are containerd, fake/],
    ['a store that there is not', ['up', '--store', 'postgres'], 1, /sqlite, memory or etcd:.* is expected/],
    [
      'a name that could be a path',
      ['up', '--name', '../x'],
      1,
      /invalid cluster name "\.\.\/x": use up to 32 lower-case letters, digits and dashes/,
    ],
    ['an output format that there is not', ['status', '-o', 'xml'], 2, /Allowed choices are text, json/],
    ['an image without a name', ['image', 'build', work], 2, /required option '-t, --tag <name>' not specified/],
    [
      'an image from nowhere',
      ['image', 'build', '--name', 'test-cli', '-t', 'x', '/no/such/directory'],
      1,
      /\/no\/such\/directory: no such directory/,
    ],
    ['a registry where no containers run', ['registry', 'up', '--name', 'test-cli'], 1, /runs no containers \(runtime fake\): a registry needs them/],
    [
      'images of a registry that is not there',
      ['registry', 'list', '--name', 'test-cli'],
      1,
      /has no registry: make one with `k8ts registry up --name test-cli`/,
    ],
    ['an archive that is not there', ['image', 'load', '--name', 'test-cli', '/no/such/archive.tar'], 1, /\/no\/such\/archive\.tar: no such file/],
    ['an archive that is a directory', ['image', 'load', '--name', 'test-cli', work], 1, /no such file/],
    ['a log that is not there', ['logs', '--name', 'test-cli', 'nonsense'], 1, /no log of nonsense; there are: agent-node-1, control-plane/],
    ...['status', 'kubeconfig', 'logs', 'image list', 'image load x', 'image build -t x .'].map((command): [string, string[], number, RegExp] => [
      `${command} of a cluster that is not there`,
      [...command.split(' '), '--name', 'test-cli-nobody'],
      1,
      /there is no cluster test-cli-nobody: make it with `k8ts up --name test-cli-nobody`/,
    ]),
  ]
  for (const [what, args, code, message] of wrong)
    test(`${what}: a clear error`, async () => {
      const failed = await failure(k8ts(...args))
      assert.equal(failed.stdout, '')
      assert.match(failed.stderr, message)
      assert.equal(failed.code, code)
      assert.doesNotMatch(failed.stderr, /^ +at /m, 'no stack trace')
    })

  test('a busy API port is refused before anything is made', async () => {
    await using busy = createServer()
    busy.listen(0, '127.0.0.1')
    await once(busy, 'listening')
    const port = String((busy.address() as AddressInfo).port)
    const { code, stderr } = await failure(k8ts('up', '--name', 'test-cli-busy', '--api-port', port))
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`port ${port} is in use: choose another with --api-port`))
    assert.ok(!existsSync(join(home, 'test-cli-busy')))
    assert.equal(await k8ts('down', '--name', 'test-cli-busy'), 'there is no cluster test-cli-busy\n')
  })

  test('the API port of another cluster is refused, also while that one is stopped', async () => {
    const { endpoints } = JSON.parse(await k8ts('status', '--name', 'test-cli', '-o', 'json')) as { endpoints: { local: string } }
    const { stderr } = await failure(k8ts('up', '--name', 'test-cli-busy', '--api-port', new URL(endpoints.local).port))
    assert.match(stderr, /port \d+ belongs to cluster test-cli: choose another with --api-port/)
  })

  test('up on a cluster that runs changes nothing; flags that say otherwise are refused', async () => {
    const before = JSON.parse(await k8ts('status', '--name', 'test-cli', '-o', 'json')) as { state: string; components: unknown[] }
    assert.equal(before.state, 'running')
    await k8ts('up', '--name', 'test-cli')
    assert.deepEqual(JSON.parse(await k8ts('status', '--name', 'test-cli', '-o', 'json')), before)
    const { code, stderr } = await failure(k8ts('up', '--name', 'test-cli', '--nodes', '2'))
    assert.equal(code, 1)
    assert.match(stderr, /cluster test-cli exists with --nodes 1, not 2: `k8ts down --name test-cli` first, or use another --name/)
  })

  test('kubeconfig prints one that works, and up has made its context the current one', async () => {
    const printed = await k8ts('kubeconfig', '--name', 'test-cli')
    assert.match(printed, /current-context: k8ts-test-cli/)
    assert.equal(await cluster.kubectl('config', 'current-context'), 'k8ts-test-cli\n')
    assert.match(await cluster.kubectl('get', 'nodes', '-o', 'name'), /^node\/node-1\n$/)
    assert.match(await k8ts('status', '--name', 'test-cli'), /^cluster +test-cli \(running\)$/m)
    assert.match(await k8ts('logs', '--name', 'test-cli', '--lines', '1000', 'control-plane'), /control plane is running/)
  })
})
