import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { provideRemoteDocker, remoteDockerCommand } from './remote-docker.ts'

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
const skip = busybox && existsSync('/bin/bash') ? false : 'needs busybox and bash'
const directory = mkdtempSync(join(tmpdir(), 'remote-docker-'))
const exchange = join(directory, 'exchange')
const bin = join(exchange, 'bin')
const project = join(directory, 'project')
let server: ReturnType<typeof spawn> | undefined
if (!skip) {
  mkdirSync(bin, { recursive: true })
  mkdirSync(join(project, 'app'), { recursive: true })
  mkdirSync(join(directory, 'real'))
  copyFileSync(busybox!, join(exchange, 'busybox'))
  chmodSync(join(exchange, 'busybox'), 0o755)
  writeFileSync(join(project, 'app/Dockerfile'), 'FROM scratch\n')
  // what docker itself would be given
  writeFileSync(
    join(directory, 'real/docker'),
    '#!/bin/sh\nfor a; do echo "arg $a"; done\nfor a; do :; done\n[ ! -d "$a" ] || (cd "$a" && find . -type f)\nsed "s/^/input /"\necho problem >&2\nexit 7\n',
    { mode: 0o755 },
  )
  provideRemoteDocker(bin, exchange)
  const [program, ...args] = remoteDockerCommand(exchange)
  server = spawn(program!, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { PATH: `${join(directory, 'real')}:/usr/bin:/bin` } })
}
after(() => {
  server?.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

function docker(args: string[], input = '', cwd = project): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(join(bin, 'docker'), args, { cwd }, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }))
    child.stdin!.end(input)
  })
}

const cases: [title: string, args: string[], input: string, cwd: string, out: string][] = [
  ['arguments go over as they are', ['push', 'a b', '$HOME', "it's", ''], '', project, "arg push\narg a b\narg $HOME\narg it's\narg \n"],
  ['input goes over', ['login', '--password-stdin'], 'secret\n', project, 'arg login\narg --password-stdin\ninput secret\n'],
  ['a build takes its directory along', ['build', '-t', 'x:1', 'app'], '', project, 'arg build\narg -t\narg x:1\narg .//app\n./Dockerfile\n'],
  ['also the one it stands in', ['build', '.'], '', join(project, 'app'), 'arg build\narg ./\n./Dockerfile\n'],
  ['and one elsewhere', ['build', '-t', 'x', join(project, 'app')], '', directory + '/real', 'arg build\narg -t\narg x\narg .\n./Dockerfile\n'],
]

for (const [title, args, input, cwd, out] of cases)
  test(title, { skip, timeout: 60_000 }, async () => {
    assert.deepEqual(await docker(args, input, cwd), { code: 7, out, err: 'problem\n' })
  })

test('nothing stays behind, and several work at once', { skip, timeout: 60_000 }, async () => {
  const all = await Promise.all(Array.from({ length: 10 }, (_, i) => docker(['tag', String(i)])))
  all.forEach(({ out }, i) => assert.equal(out, `arg tag\narg ${i}\n`))
  assert.deepEqual(readdirSync(join(exchange, 'docker')), ['requests'])
})
