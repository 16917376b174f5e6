import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import { StoreError } from '../store.ts'
import type { EtcdRpc, Message } from './rpc.ts'

export interface SpaceOptions {
  rpc: EtcdRpc
  /** Forgets all history up to the newest revision. */
  forget(): Promise<void>
  /** A small write that does no harm: rejects with `full` as long as there is no room. */
  probe(): Promise<void>
  clock: Clock
  log: Logger
}

export interface SpaceRecovery extends AsyncDisposable {
  /** A write was refused for want of space. */
  full(): void
}

/** Milliseconds between two attempts: at first, and at most. */
const firstPause = 5000
const longestPause = 5 * 60_000
/** A member is rewritten as a whole: that may take long, milliseconds. */
const defragmentDeadline = 120_000

/**
 * Brings an etcd back that has exceeded its quota (its alarm NOSPACE): from then on it refuses what needs room, and goes on doing so when there is room again, until
 * somebody forgets history, defragments each member and disarms the alarm. That is done here, again and again, while writes are refused: where it brings no
 * room, etcd raises its alarm again with the next write.
 */
export function spaceRecovery({ rpc, forget, probe, clock, log }: SpaceOptions): SpaceRecovery {
  const stopped = new AbortController()
  let running: Promise<void> | undefined

  async function recover(): Promise<void> {
    log.error('etcd has no space left: deletions are taken, everything else is refused until there is some')
    for (let pause = firstPause; !stopped.signal.aborted; pause = Math.min(pause * 2, longestPause)) {
      try {
        await makeRoom()
        await probe()
        log.info('etcd has space again')
        return
      } catch (error) {
        if (stopped.signal.aborted) return
        const isFull = error instanceof StoreError && error.kind === 'full'
        log.warn(isFull ? 'etcd is full without any history: delete objects, or raise its quota' : 'no room was made in etcd', {
          error: describeError(error),
        })
      }
      await clock.sleep(pause, stopped.signal).catch(() => {})
    }
  }

  async function makeRoom(): Promise<void> {
    await forget()
    // one after the other: a member answers nothing meanwhile
    await rpc.callEach('Maintenance', 'Defragment', {}, { deadline: defragmentDeadline })
    const { alarms } = await rpc.call('Maintenance', 'Alarm', { action: 0 }, { retry: true, exact: true })
    for (const { memberID, alarm } of alarms as Message[])
      if (alarm === noSpace) await rpc.call('Maintenance', 'Alarm', { action: 2, memberID, alarm }, { retry: true, exact: true })
  }

  return {
    full() {
      if (!stopped.signal.aborted) running ??= recover().finally(() => (running = undefined))
    },
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await running
    },
  }
}

/** Of etcd's AlarmType. */
const noSpace = 1
