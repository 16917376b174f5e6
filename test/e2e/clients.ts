import { existsSync } from 'node:fs'
import type { TestCluster } from './cluster.ts'
import { background, client, output } from './cluster.ts'

/** The kubectls that a cluster must serve: the current one from npm, and an old one where it is built. */
export const kubectls: { release: string; program: string; missing: string | false }[] = [
  { release: '1.35', program: client('kubectl'), missing: false },
  {
    release: '1.20',
    program: '/opt/upstream/bin/kubectl-1.20',
    missing: !existsSync('/opt/upstream/bin/kubectl-1.20') && 'kubectl 1.20 is not on this machine',
  },
]

/** kubectl in one namespace of a cluster. */
export interface Kubectl {
  (...args: string[]): Promise<string>
  /** With this on its standard input. */
  input(text: string | object, ...args: string[]): Promise<string>
  /** With these variables in its environment. */
  env(extra: Record<string, string>, ...args: string[]): Promise<string>
  /** Runs on beside the test. */
  start(...args: string[]): ReturnType<typeof background>
  /** In a pseudo-terminal of 33 rows and 99 columns, through script(1); answers what the terminal showed. */
  terminal(...args: string[]): Promise<string>
  /** Must fail; answers how. */
  fails(...args: string[]): Promise<Failure>
}

export interface Failure {
  code: number
  stdout: string
  stderr: string
}

export function kubectlIn(cluster: TestCluster, namespace: string, program = client('kubectl')): Kubectl {
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig }
  const full = (args: string[]) => ['--namespace', namespace, ...args]
  const text = (input: string | object) => (typeof input === 'string' ? input : JSON.stringify(input))
  return Object.assign((...args: string[]) => output(program, full(args), env), {
    input: (input: string | object, ...args: string[]) => output(program, full(args), env, text(input)),
    env: (extra: Record<string, string>, ...args: string[]) => output(program, full(args), { ...env, ...extra }),
    start: (...args: string[]) => background(program, full(args), env),
    terminal: (...args: string[]) => {
      const command = [program, ...full(args)].map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ')
      return output('script', ['--quiet', '--return', '--command', `stty rows 33 cols 99; ${command}`, '/dev/null'], env)
    },
    fails: (...args: string[]) => failure(output(program, full(args), env)),
  })
}

/** How a program failed; rejects when it did not. */
export async function failure(run: Promise<string>): Promise<Failure> {
  let stdout: string
  try {
    stdout = await run
  } catch (error) {
    const { code, stdout, stderr } = error as Error & Failure
    if (typeof code !== 'number') throw error
    return { code, stdout, stderr }
  }
  throw new Error(`it should have failed, but printed: ${stdout}`)
}
