import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from '../../test/e2e/cluster.ts'
import type { SteadyRequests } from '../../test/e2e/requests.ts'
import { request, steadyRequests } from '../../test/e2e/requests.ts'
import type { Played } from './terminal.ts'

/** What the checks of the story work with, beside the commands of the tutorial. */
export interface Stage {
  /** The cluster's name. */
  name: string
  /** The directory of the walk: the repository `blog` and the certificate are in it. */
  directory: string
  env: NodeJS.ProcessEnv
  /** How images of the cluster's registry begin: `localhost:PORT`. */
  registry: string
  /** Everything that was played so far, the newest last. */
  played: Played[]
  /** The image of the release that is live. */
  deployed: string
  /** Writes a line that is no output of a command: what was checked. */
  tell(line: string): void
}

/** What the newest command that begins like this printed; one that is just this comes before longer ones. */
export function printed(stage: Stage, command: string): string {
  const found = stage.played.findLast((each) => each.command === command) ?? stage.played.findLast((each) => each.command.startsWith(command))
  if (!found) throw new Error(`the tutorial did not play \`${command}\``)
  return found.output
}

export const kubectl = (stage: Stage, ...args: string[]): Promise<string> => output('kubectl', args, stage.env)
export const k8ts = (stage: Stage, ...args: string[]): Promise<string> => output('k8ts', args, stage.env)

export async function kubectlJson<T>(stage: Stage, ...args: string[]): Promise<T> {
  return JSON.parse(await kubectl(stage, ...args, '--output', 'json')) as T
}

export const site = 'https://blog.example.test'

/** How the site is reached from here: at the Ingress' address, with the certificate of the tutorial. */
export async function siteOptions(stage: Stage): Promise<{ address: string; ca: string }> {
  const address = await kubectl(stage, 'get', 'ingress', 'blog', '--output', 'jsonpath={.status.loadBalancer.ingress[0].ip}')
  return { address, ca: readFileSync(join(stage.directory, 'blog.crt'), 'utf8') }
}

export async function page(stage: Stage, path = '/articles'): Promise<string> {
  return request(`${site}${path}`, await siteOptions(stage))
}

/** The release that a page says it is of. */
export const releaseOf = (body: string): string => /<footer>release (\S+) on /.exec(body)?.[1] ?? `no release in: ${body}`

/** A visitor who asks for the page without pause, until it is disposed. */
export async function visitor(stage: Stage): Promise<SteadyRequests> {
  return steadyRequests(`${site}/articles`, releaseOf, 1, await siteOptions(stage))
}
