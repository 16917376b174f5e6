import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { CertificateRequest, KeyPair } from './certificates.ts'
import { createAuthority, createTokenSigningKey, issueCertificate, isUsable } from './certificates.ts'

/** Everything that a cluster's components prove themselves with. All PEM. */
export interface Pki {
  /** Signs all certificates but the front proxy's. */
  ca: KeyPair
  apiserver: KeyPair
  /** The API server as a client of kubelets. */
  apiserverKubeletClient: KeyPair
  /** Signs `frontProxyClient` only: whoever holds one of its certificates may say in headers who a user is. */
  frontProxyCa: KeyPair
  frontProxyClient: KeyPair
  admin: KeyPair
  scheduler: KeyPair
  controllerManager: KeyPair
  proxy: KeyPair
  /** The controllers and the service of pipelines. */
  ci: KeyPair
  /** Signs service-account tokens. */
  serviceAccountKey: string
  serviceAccountPublicKey: string
  /** A kubelet's certificates, kept in `nodes/NAME`. `names` are what its server is reached by. */
  node(name: string, names: string[]): Promise<{ client: KeyPair; serving: KeyPair }>
}

export interface PkiOptions {
  /** DNS names and IP addresses of the API server. */
  serverNames: string[]
  /** Certificates with less life than this left are issued anew; 30 when absent. */
  renewBeforeDays?: number
  /** Milliseconds since the epoch; the present when absent. */
  now?: number
}

/** The names under which pods reach the API server. */
export function serviceNames(clusterDomain = 'cluster.local'): string[] {
  return ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${clusterDomain}`]
}

/** The users of the components, as upstream's bootstrap policy knows them. */
const clients = {
  'apiserver-kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
  admin: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
  scheduler: { commonName: 'system:kube-scheduler' },
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  proxy: { commonName: 'system:kube-proxy' },
  ci: { commonName: 'system:k8ts-ci' },
}

/**
 * The cluster's keys and certificates in `dir` (mode 0700, files 0600), made where they are missing and renewed where they are about to expire or lack a name.
 * Calling it again changes nothing; a crash in between leaves whole files, and a pair that does not fit together is made anew.
 */
export async function loadOrCreatePki(dir: string, options: PkiOptions): Promise<Pki> {
  const now = options.now ?? Date.now()
  const renewBeforeDays = options.renewBeforeDays ?? 30
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)

  const authority = async (name: string, commonName: string) => {
    const paths = pathsOf(dir, name)
    const found = await readPair(paths)
    const key = found?.key ?? (await readText(paths.key))
    if (found && isUsable(found, found, { now, renewBeforeDays: 180 })) return found
    // a new certificate over the old key: what it signed stays valid
    return writePair(paths, await createAuthority({ commonName, now, key: isPrivateKey(key) ? key : undefined }))
  }
  const issued = async (ca: KeyPair, name: string, request: CertificateRequest) => {
    const paths = pathsOf(dir, name)
    const found = await readPair(paths)
    if (found && isUsable(found, ca, { now, renewBeforeDays, names: request.names }) && isFor(found, request)) return found
    return writePair(paths, await issueCertificate(ca, { ...request, now }))
  }
  const [serviceAccountKey, ca, frontProxyCa] = await Promise.all([
    keep(join(dir, 'sa.key'), createTokenSigningKey),
    authority('ca', 'kubernetes'),
    authority('front-proxy-ca', 'front-proxy-ca'),
  ])
  const client = (name: keyof typeof clients) => issued(ca, name, { ...clients[name], usages: ['client'] })
  const [apiserver, apiserverKubeletClient, frontProxyClient, admin, scheduler, controllerManager, proxy, ci] = await Promise.all([
    issued(ca, 'apiserver', { commonName: 'kube-apiserver', names: [...new Set(options.serverNames)], usages: ['server'] }),
    client('apiserver-kubelet-client'),
    issued(frontProxyCa, 'front-proxy-client', { commonName: 'front-proxy-client', usages: ['client'] }),
    client('admin'),
    client('scheduler'),
    client('controller-manager'),
    client('proxy'),
    client('ci'),
  ])
  const serviceAccountPublicKey = createPublicKey(serviceAccountKey).export({ type: 'spki', format: 'pem' }) as string

  return {
    ca,
    apiserver,
    apiserverKubeletClient,
    frontProxyCa,
    frontProxyClient,
    admin,
    scheduler,
    controllerManager,
    proxy,
    ci,
    serviceAccountKey,
    serviceAccountPublicKey,
    async node(name, names) {
      await mkdir(join(dir, 'nodes', name), { recursive: true, mode: 0o700 })
      const user = { commonName: `system:node:${name}`, organizations: ['system:nodes'] }
      const [kubeletClient, serving] = await Promise.all([
        issued(ca, join('nodes', name, 'client'), { ...user, usages: ['client'] }),
        issued(ca, join('nodes', name, 'serving'), { ...user, names: [...new Set([name, ...names])], usages: ['server'] }),
      ])
      return { client: kubeletClient, serving }
    },
  }
}

/** When the first of these certificates expires, milliseconds since the epoch. */
export function firstExpiry(pairs: KeyPair[]): number {
  return Math.min(...pairs.map((pair) => Date.parse(new X509Certificate(pair.certificate).validTo)))
}

interface PairPaths {
  certificate: string
  key: string
}

const pathsOf = (dir: string, name: string): PairPaths => ({ certificate: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) })

/** Whether a certificate's subject is the one asked for. */
function isFor(pair: KeyPair, request: CertificateRequest): boolean {
  const parts = new X509Certificate(pair.certificate).subject.split('\n')
  return [...(request.organizations ?? []).map((o) => `O=${o}`), `CN=${request.commonName}`].every((part) => parts.includes(part))
}

function isPrivateKey(key: string | undefined): boolean {
  if (key === undefined) return false
  try {
    createPrivateKey(key)
    return true
  } catch {
    return false
  }
}

async function readPair(paths: PairPaths): Promise<KeyPair | undefined> {
  const [certificate, key] = await Promise.all([readText(paths.certificate), readText(paths.key)])
  return certificate === undefined || key === undefined ? undefined : { certificate, key }
}

async function writePair(paths: PairPaths, pair: KeyPair): Promise<KeyPair> {
  await writeAtomically(paths.key, pair.key)
  await writeAtomically(paths.certificate, pair.certificate)
  return pair
}

/** The private key at `path`, made when it is missing. A file that is there but no key is an error: it must not be replaced silently, tokens depend on it. */
async function keep(path: string, make: () => Promise<string>): Promise<string> {
  const found = await readText(path)
  if (found !== undefined) {
    if (!isPrivateKey(found))
      throw new Error(`${path} holds no private key: restore it, or delete it to have a new one made (all service-account tokens then end)`)
    return found
  }
  const key = await make()
  await writeAtomically(path, key)
  return key
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
