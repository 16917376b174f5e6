import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { type Clock, realClock } from '#base'

/** What a client shows to be recognized. PEM for certificate and key. */
export interface ClientCredentials {
  token?: string
  clientCert?: string
  clientKey?: string
}

/** Credentials that change while the client lives. */
export interface CredentialSource {
  /** Cheap: called before every request. */
  get(): Promise<ClientCredentials>
  /** The server refused what `get` answered last: the next `get` fetches anew. */
  invalidate(): void
}

/** How long a token file is trusted before its modification time is looked at again, milliseconds. */
const recheck = 10_000

/** A token from a file that somebody else rotates (as the kubelet does with projected service account tokens). */
export function tokenFileSource(path: string, clock: Clock = realClock): CredentialSource {
  let known: { token: string; modified: number } | undefined
  let checked = -Infinity
  return {
    async get() {
      if (!known || clock.monotonic() - checked >= recheck) {
        checked = clock.monotonic()
        // while the file is being replaced the last token is still the best there is
        const modified = await stat(path).then(
          (s) => s.mtimeMs,
          (error: unknown) => {
            if (known) return known.modified
            throw error
          },
        )
        if (known?.modified !== modified) known = { token: (await readFile(path, 'utf8')).trim(), modified }
      }
      return { token: known.token }
    },
    invalidate() {
      known = undefined
    },
  }
}

export interface ExecPlugin {
  apiVersion: string
  command: string
  args?: string[]
  env?: { name: string; value: string }[]
  installHint?: string
  /** Passed on to the plugin where `provideClusterInfo` asks for it. */
  cluster?: object
}

/** Credentials from a program, by the client.authentication.k8s.io ExecCredential protocol; kept until they expire or are refused. */
export function execSource(plugin: ExecPlugin, options: { env?: Record<string, string | undefined>; clock?: Clock } = {}): CredentialSource {
  const { env = process.env, clock = realClock } = options
  let known: Promise<{ credentials: ClientCredentials; expires: number }> | undefined
  let expires = Infinity

  async function fetch() {
    const info = {
      kind: 'ExecCredential',
      apiVersion: plugin.apiVersion,
      spec: { interactive: false, ...(plugin.cluster ? { cluster: plugin.cluster } : {}) },
    }
    const own = Object.fromEntries((plugin.env ?? []).map((e) => [e.name, e.value]))
    const output = await run(plugin, { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) })
    const answer = JSON.parse(output) as { status?: Record<string, string> }
    const status = answer.status
    if (!status?.token && !status?.clientCertificateData) throw new Error(`exec plugin ${plugin.command} answered no credentials`)
    return {
      credentials: { token: status.token, clientCert: status.clientCertificateData, clientKey: status.clientKeyData },
      expires: status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Infinity,
    }
  }

  return {
    async get() {
      if (clock.now() >= expires) known = undefined
      known ??= fetch()
      try {
        const answer = await known
        expires = answer.expires
        return answer.credentials
      } catch (error) {
        known = undefined
        throw error
      }
    },
    invalidate() {
      known = undefined
    },
  }
}

function run(plugin: ExecPlugin, env: Record<string, string | undefined>): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(plugin.command, plugin.args ?? [], { env, timeout: 60_000, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      const hint = missing && plugin.installHint ? `\n${plugin.installHint}` : ''
      reject(new Error(`exec plugin ${plugin.command} failed: ${stderr.trim() || error.message}${hint}`, { cause: error }))
    })
  })
}
