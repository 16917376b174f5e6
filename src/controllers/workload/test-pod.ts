import type { core } from '#api'
import { formatTime } from '#api'
import type { Pod } from './pods.ts'

/** When the tests of controllers take place, milliseconds since the epoch. */
export const noon = Date.UTC(2026, 0, 1, 12)

export const at = (secondsAfterNoon: number): string => formatTime(noon + secondsAfterNoon * 1000)

export interface TestPod {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  /** Ready since this many seconds after noon. */
  ready?: number | false
  node?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  /** Being deleted. */
  leaving?: boolean
  /** Seconds after noon. */
  created?: number
  /** Seconds after noon, with `exitCode`. */
  finished?: number
  exitCode?: number
  restarts?: number
  conditions?: core.PodCondition[]
  owner?: { kind: string; name: string; uid: string }
  spec?: Partial<core.PodSpec>
}

/** A pod for tables of tests: running and ready since noon on a node unless told otherwise. */
export function testPod(name: string, options: TestPod = {}): Pod {
  const { phase = 'Running', ready = phase === 'Running' ? 0 : false, node = 'node-1', exitCode, finished = 0, conditions = [] } = options
  const state: core.ContainerState =
    phase === 'Succeeded' || phase === 'Failed'
      ? { terminated: { exitCode: exitCode ?? (phase === 'Failed' ? 1 : 0), finishedAt: at(finished) } }
      : {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'test',
      uid: `uid-${name}`,
      creationTimestamp: at(options.created ?? 0),
      ...(options.labels ? { labels: options.labels } : {}),
      ...(options.annotations ? { annotations: options.annotations } : {}),
      ...(options.finalizers ? { finalizers: options.finalizers } : {}),
      ...(options.leaving ? { deletionTimestamp: at(0) } : {}),
      ...(options.owner ? { ownerReferences: [{ apiVersion: 'v1', controller: true, ...options.owner }] } : {}),
    },
    spec: { containers: [{ name: 'app', image: 'app' }], ...(node ? { nodeName: node } : {}), ...options.spec },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready === false ? 'False' : 'True', lastTransitionTime: at(ready === false ? 0 : ready) }, ...conditions],
      containerStatuses: [
        {
          name: 'app',
          image: 'app',
          imageID: '',
          ready: ready !== false,
          restartCount: options.restarts ?? 0,
          ...(Object.keys(state).length > 0 ? { state } : {}),
        },
      ],
    },
  }
}
