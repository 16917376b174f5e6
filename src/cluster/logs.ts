import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterConfig } from './config.ts'
import { clusterPaths } from './config.ts'

export interface LogOptions {
  /** A component (`control-plane`), a process (`containerd-node-1`) or a node; everything when absent. */
  of?: string
  follow: boolean
  lines: number
}

/** Prints the logs of the cluster's own processes (pods' logs are `kubectl logs`). */
export async function printLogs(cluster: ClusterConfig, options: LogOptions): Promise<void> {
  const dir = clusterPaths(cluster.name).logs
  const names = existsSync(dir)
    ? readdirSync(dir)
        .filter((file) => file.endsWith('.log'))
        .map((file) => file.slice(0, -4))
    : []
  const { of } = options
  const chosen = of === undefined ? names : names.filter((name) => name === of || name.endsWith(`-${of}`))
  if (chosen.length === 0) throw new Error(`no log of ${of ?? 'anything'}; there are: ${names.join(', ') || 'none'}`)
  const files = chosen.map((name) => join(dir, `${name}.log`))
  const tail = spawn('tail', ['-n', String(options.lines), ...(options.follow ? ['-F'] : []), ...files], { stdio: ['ignore', 'inherit', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    tail.on('error', reject)
    tail.on('close', () => resolve())
  })
}
