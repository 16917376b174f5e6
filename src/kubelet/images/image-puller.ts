import type { Clock } from '#base'
import type { EventRecorder } from '#runtime'
import type { core } from '#api'
import type { ImageService, cri } from '../cri/index.ts'
import type { ContainerSpec, Pod, RoledContainer } from '../pod/names.ts'
import { fieldPath } from '../pod/names.ts'
import { RestartBackoff } from '../pod/restart-backoff.ts'
import type { ImageUser } from '../pod/security.ts'
import { StartFailure, goDuration } from '../pod/start-failure.ts'
import type { DockerAuths } from './credentials.ts'
import { credentialsFor } from './credentials.ts'
import type { PullRecords } from './pull-records.ts'
import { noPullRecords } from './pull-records.ts'

export interface ImagePullerOptions {
  images: ImageService
  clock: Clock
  events: EventRecorder
  /** What to pull with: the pod's pull secrets, those that exist, then what the node has; `missing` are names of secrets that do not exist. */
  credentials(pod: Pod): Promise<PullCredentials>
  /** Who may have images that are there; everybody when absent. */
  records?: PullRecords
}

export interface PullCredentials {
  /** Of the pod's own pull secrets. */
  sources: readonly DockerAuths[]
  /** Of the node, for every pod. */
  node?: DockerAuths
  missing: readonly string[]
}

export interface PresentImage {
  /** The image's id: what containers are created from. */
  ref: string
  user: ImageUser
}

/**
 * Makes sure that a container's image is on the node, as its pull policy says. Rejects with StartFailure: `ErrImagePull`, `ImagePullBackOff`,
 * `ErrImageNeverPull`, `InvalidImageName`, `ImageInspectError`.
 */
export interface ImagePuller {
  ensure(pod: Pod, container: RoledContainer, sandbox: cri.PodSandboxConfig | undefined, signal: AbortSignal): Promise<PresentImage>
  forget(podUid: string): void
}

const reference = /^[A-Za-z0-9][A-Za-z0-9._:/-]*(@[A-Za-z0-9+._-]+:[0-9a-fA-F]+)?$/

/** The name with `:latest` where it has neither tag nor digest. */
export function withDefaultTag(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1)
  return last.includes(':') || last.includes('@') ? image : `${image}:latest`
}

export function imagePuller({ images, clock, events, credentials, records = noPullRecords }: ImagePullerOptions): ImagePuller {
  const backoffs = new Map<string, RestartBackoff>()
  const failures = new Map<string, { at: number; reason: string }>()
  const backoffOf = (uid: string) => {
    const known = backoffs.get(uid) ?? new RestartBackoff()
    backoffs.set(uid, known)
    return known
  }

  async function ensure(pod: Pod, container: RoledContainer, sandbox: cri.PodSandboxConfig | undefined, signal: AbortSignal): Promise<PresentImage> {
    const { spec } = container
    const wanted = spec.image ?? ''
    const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      events.event(pod as core.Pod, type, reason, message, { fieldPath: fieldPath(container) })
    if (!reference.test(wanted)) {
      const message = `Failed to apply default image tag "${wanted}": couldn't parse image name "${wanted}": invalid reference format`
      say('Warning', 'InspectFailed', message)
      throw new StartFailure('InvalidImageName', message)
    }
    const image = withDefaultTag(wanted)
    const present = await inspect(image, signal).catch((cause: Error) => {
      const message = `Failed to inspect image "${image}": ${cause.message}`
      say('Warning', 'InspectFailed', message)
      throw new StartFailure('ImageInspectError', message, { cause })
    })
    const policy = pullPolicy(spec, image)
    const mayUse =
      present !== undefined && policy !== 'Always' && (await records.mayUse(image, present.ref, await ownCredentials(pod, image, present.ref)))
    if (mayUse) {
      say('Normal', 'Pulled', `Container image "${wanted}" already present on machine`)
      return present
    }
    if (policy === 'Never') {
      const message = `Container image "${wanted}" is not present with pull policy of Never`
      say('Warning', 'ErrImageNeverPull', message)
      throw new StartFailure('ErrImageNeverPull', message)
    }
    const uid = pod.metadata.uid ?? ''
    const backoff = backoffOf(uid)
    const failed = failures.get(`${uid}/${image}`)
    const allowedAt = failed === undefined ? 0 : backoff.allowedAt(image, failed.at)
    if (failed && allowedAt > clock.now()) {
      const message = `Back-off pulling image "${wanted}"`
      say('Normal', 'BackOff', message)
      // the status says what the last try failed with; the event stays one and is counted
      throw new StartFailure('ImagePullBackOff', `${message}: ErrImagePull: ${failed.reason}`, { retryAt: allowedAt })
    }
    say('Normal', 'Pulling', `Pulling image "${wanted}"`)
    const start = clock.monotonic()
    try {
      const { sources, node = {}, missing } = await credentials(pod)
      if (missing.length > 0)
        events.event(
          pod as core.Pod,
          'Warning',
          'FailedToRetrieveImagePullSecret',
          `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
        )
      const own = credentialsFor(image, sources)
      const used = await pull(image, [...own, ...credentialsFor(image, [node])], sandbox, signal)
      const pulled = await inspect(image, signal)
      if (!pulled) throw new Error(`the runtime does not have image "${image}" after pulling it`)
      await records.pulled(image, pulled.ref, used && own.includes(used) ? used : undefined)
      failures.delete(`${uid}/${image}`)
      backoff.forget(image)
      const took = goDuration(Math.round(clock.monotonic() - start))
      say('Normal', 'Pulled', `Successfully pulled image "${wanted}" in ${took} (${took} including waiting). Image size: ${pulled.size} bytes.`)
      return pulled
    } catch (cause) {
      if (signal.aborted) throw cause
      const message = `Failed to pull image "${wanted}": ${(cause as Error).message}`
      say('Warning', 'Failed', message)
      const now = clock.now()
      backoff.attempt(image, now, now)
      failures.set(`${uid}/${image}`, { at: now, reason: (cause as Error).message })
      // Until the back-off is over the state is ErrImagePull for a moment, then ImagePullBackOff, as clients know it.
      throw new StartFailure('ErrImagePull', message, { cause, retryAt: now + 1000 })
    }
  }

  /** Secrets are looked up for images that are there only where it matters. */
  async function ownCredentials(pod: Pod, image: string, imageId: string): Promise<cri.AuthConfig[]> {
    if ((pod.spec?.imagePullSecrets ?? []).length === 0 || (await records.mayUse(image, imageId, []))) return []
    return credentialsFor(image, (await credentials(pod)).sources)
  }

  /** With each of the credentials until one is right, which it answers; the last refusal is the reason. Without any the registry may still let everybody read. */
  async function pull(
    image: string,
    auths: readonly cri.AuthConfig[],
    sandbox: cri.PodSandboxConfig | undefined,
    signal: AbortSignal,
  ): Promise<cri.AuthConfig | undefined> {
    let refusal: unknown
    for (const auth of auths.length > 0 ? auths : [undefined]) {
      try {
        await images.pullImage({ image: { image }, ...(auth ? { auth } : {}), ...(sandbox ? { sandboxConfig: sandbox } : {}) }, { signal })
        return auth
      } catch (error) {
        if (signal.aborted) throw error
        refusal = error
      }
    }
    throw refusal
  }

  async function inspect(image: string, signal: AbortSignal): Promise<(PresentImage & { size: number }) | undefined> {
    const { image: found } = await images.imageStatus({ image: { image } }, { signal })
    if (!found) return undefined
    // An image that names no user runs as root.
    const user: ImageUser = found.uid
      ? { uid: found.uid.value, username: '' }
      : found.username
        ? { username: found.username }
        : { uid: 0, username: '' }
    return { ref: found.id, user, size: found.size }
  }

  return {
    ensure,
    forget(podUid) {
      backoffs.delete(podUid)
      for (const key of failures.keys()) if (key.startsWith(`${podUid}/`)) failures.delete(key)
    },
  }
}

function pullPolicy(container: ContainerSpec, image: string): string {
  return container.imagePullPolicy ?? (image.endsWith(':latest') ? 'Always' : 'IfNotPresent')
}
