import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { flowcontrol } from '#api'
import { formatTime } from '#api'
import type { Client } from '#client'
import type { ObjectReader } from '../object-reader.ts'
import type { FlowControl } from './flow-control.ts'
import { ensureFlowObjects, reportDangling } from './objects.ts'

export interface FollowOptions {
  control: FlowControl
  reader: ObjectReader
  client: Client
  clock: Clock
  log: Logger
}

const group = 'flowcontrol.apiserver.k8s.io'
/** Changes are taken together for this long, milliseconds. */
const settle = 50
/** After a failure, milliseconds. */
const again = 2000
/** Seats are lent anew so often, milliseconds: upstream's. */
const lendEvery = 10_000

/** Keeps the flow control at what the objects say, the default objects at what they must say, and the schemas' status true. Ends by the signal. */
export function followFlowObjects({ control, reader, client, clock, log }: FollowOptions, signal: AbortSignal): void {
  let scheduled: (() => void) | undefined
  const levels = () => reader.list<flowcontrol.PriorityLevelConfiguration>(group, 'prioritylevelconfigurations')
  const schemas = () => reader.list<flowcontrol.FlowSchema>(group, 'flowschemas')

  async function keep(): Promise<void> {
    scheduled = undefined
    try {
      await ensureFlowObjects(client)
      await reportDangling(client, schemas(), new Set(levels().map((level) => level.metadata.name)), formatTime(clock.now()))
    } catch (error) {
      if (signal.aborted) return
      log.warn('cannot keep the objects of flow control', { error: describeError(error) })
      scheduled ??= clock.schedule(again, () => void keep())
    }
  }

  let dirty = false
  const changed = () => {
    scheduled ??= clock.schedule(settle, () => void keep())
    if (dirty) return
    dirty = true
    queueMicrotask(() => {
      dirty = false
      control.configure(levels(), schemas())
    })
  }
  let cancelLending: () => void
  const lend = () => {
    control.lend()
    cancelLending = clock.schedule(lendEvery, lend)
  }
  cancelLending = clock.schedule(lendEvery, lend)
  const stops = [reader.onChange(group, 'prioritylevelconfigurations', changed), reader.onChange(group, 'flowschemas', changed)]
  signal.addEventListener(
    'abort',
    () => {
      for (const stop of stops) stop()
      scheduled?.()
      cancelLending()
    },
    { once: true },
  )
  control.configure(levels(), schemas())
  scheduled = clock.schedule(settle, () => void keep())
}
